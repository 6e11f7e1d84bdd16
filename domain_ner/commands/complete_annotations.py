"""Implements `complete-annotations`: adds the types that passages were not annotated for, by a pipeline's answers."""

from pathlib import Path

import typer

from domain_ner.commands.console import LABELS_HELP, READING_HELP, check_share, say, split_names, watched, writes


@writes("output")
def main(
    pipeline: str = typer.Argument(..., help="The pipeline that knows the types: a folder, a wheel, or a package."),
    annotations: Path = typer.Argument(..., help="The exports to complete: a folder, or one of them."),
    output: Path = typer.Argument(..., help="The file to write (Hugging Face JSONL), for assets/annotations."),
    types: str = typer.Option("", help="Types to add, separated by commas; empty: all that the exports lack."),
    sure: float = typer.Option(0.9, help="Least confidence of an entity that is added, 0..1."),
    possible: float = typer.Option(0.1, help="Least confidence of a span that makes its text unknown, 0..1."),
    reading: str = typer.Option("", help=READING_HELP),
    labels: str = typer.Option("", help=LABELS_HELP),
    lossy: bool = typer.Option(False, "--lossy", help="Leave out what the file cannot hold, such as nested entities."),
) -> None:
    """Add the types that exports were not annotated for: a pipeline's sure answers; where it is unsure, unknown."""
    from domain_ner.conversion.exports import ImportSettings, read_annotations
    from domain_ner.corpus.languages import blank
    from domain_ner.corpus.tokenizer import create_tokenizer
    from domain_ner.evaluation.comparison import open_pipeline
    from domain_ner.pseudo_labels.completing import Limits, complete, types_to_add
    from domain_ner.writers import hf_json
    from domain_ner.writers.formats import export
    from domain_ner.writers.options import WriterOptions

    check_share(sure=sure, possible=possible)
    passages = read_annotations(annotations, ImportSettings(None, reading, labels, ("*",))).merged
    annotated = {span.label for passage in passages for span in passage.spans}
    with open_pipeline(pipeline) as (nlp, _), watched("completing passages", len(passages)) as on_passage:
        added = types_to_add(nlp, annotated, split_names(types))
        completed, done = complete(nlp, passages, added, Limits(sure, possible), on_passage)
        options = WriterOptions(create_tokenizer()(blank(nlp.meta["lang"])), lossy=lossy)
        export(completed, output, hf_json.NAME, options)
    say(f"{done.n_passages:,} passages with {done.n_kept:,} entities of {', '.join(sorted(annotated)) or 'no type'}")
    say("added: " + (", ".join(f"{n:,} {label}" for label, n in sorted(done.added.items())) or "nothing"))
    say(f"{done.n_unknown:,} stretches are unknown: the pipeline is unsure there")
    say(f"written: {output}")
