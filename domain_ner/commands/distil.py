"""Implements `distil`: writes what pipelines think of raw texts, for a smaller one to learn from."""

from pathlib import Path

import typer

from domain_ner.commands.console import GPU_HELP, LABELS_HELP, READING_HELP, say, watched, writes
from domain_ner.devices import use_gpu


@writes("output")
def main(
    pipeline: str = typer.Argument(..., help="The teacher: a folder, a wheel, or an installed package."),
    inputs: list[str] = typer.Argument(
        ..., help="Raw texts: files (JSONL, CSV, TSV, Parquet, text), folders, globs, or URLs that fsspec opens."
    ),
    output: Path = typer.Argument(..., help="The corpus (.spacy) to write, for assets/silver."),
    also: list[str] = typer.Option([], help="A further teacher; may be given several times. Their mean is taught."),
    annotated: list[Path] = typer.Option(
        [], help="Corpora (.spacy), exports, or folders of them, whose texts are left out; may be given several times."
    ),
    text_column: str = typer.Option("text", help="Column that holds the text."),
    lines: bool = typer.Option(False, "--lines", help="Each line of a .txt file is a text; else the whole file is."),
    reading: str = typer.Option("", help=READING_HELP),
    labels: str = typer.Option("", help=LABELS_HELP),
    gpu_id: str = typer.Option("-1", help=GPU_HELP),
) -> None:
    """Write a large pipeline's exact probabilities of raw texts, from which train teaches a small one."""
    from contextlib import ExitStack

    from domain_ner.commands.raw_inputs import read_new_texts
    from domain_ner.corpus.corpus_file import CorpusFile, require_corpus_name
    from domain_ner.evaluation.comparison import open_pipeline
    from domain_ner.files import atomic_path
    from domain_ner.pseudo_labels.teaching import taught

    use_gpu(gpu_id)
    require_corpus_name(output)
    texts = read_new_texts(
        inputs, output, annotated, text_column=text_column, lines=lines, reading=reading, labels=labels
    )
    corpus = CorpusFile()
    with ExitStack() as stack:
        teachers = [stack.enter_context(open_pipeline(one))[0] for one in (pipeline, *also)]
        on_text = stack.enter_context(watched("teaching", len(texts)))
        for doc in taught(teachers, texts):
            corpus.add(doc)
            on_text()
    with atomic_path(output) as temporary:
        corpus.write(temporary)
    say(f"written: {output}, with {len(corpus):,} texts; with vars.silver, train learns from it")
