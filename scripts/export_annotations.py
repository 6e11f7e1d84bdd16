"""`export`: a corpus, predictions or annotation exports as files of another annotation tool or trainer."""

from collections.abc import Callable, Iterable
from pathlib import Path

import typer
from _console import LABELS_HELP, READING_HELP, check_share, progress, run, say, split_names
from spacy.tokens import Doc

from domain_ner.annotations.passages import Passage
from domain_ner.conversion.exports import ImportSettings, read_annotations, require_usable
from domain_ner.corpus.languages import blank
from domain_ner.corpus.tokenizer import create_tokenizer
from domain_ner.errors import DomainNerError
from domain_ner.files import write_text
from domain_ner.guide.labelling import label_studio_config
from domain_ner.guide.schema import load_guide
from domain_ner.writers import label_studio
from domain_ner.writers.formats import FORMATS, export, find_format
from domain_ner.writers.options import WriterOptions
from domain_ner.writers.passages import read_docbin

DOCBIN = ".spacy"


def main(
    source: Path = typer.Argument(..., help="A corpus or predictions (.spacy), or a file or folder of exports."),
    output: Path = typer.Argument(..., help="The file to write; for brat, the folder."),
    to: str = typer.Option(..., help=f"{', '.join(FORMATS)}. Offsets: code points, in doccano UTF-16 units."),
    predictions: bool = typer.Option(False, "--predictions", help="They are a model's: tasks to correct, no answers."),
    model_version: str = typer.Option("domain-ner", help="With --predictions: the model's name, for Label Studio."),
    lossy: bool = typer.Option(False, "--lossy", help="Leave out what the format cannot hold; it is counted."),
    guide: Path | None = typer.Option(None, help="Label Studio: write the guide's labelling config beside the file."),
    lang: str = typer.Option("en", help="spaCy's code of the language, for texts without tokens."),
    reading: str = typer.Option("", help=READING_HELP),
    label_names: str = typer.Option("", "--labels", help=LABELS_HELP),
    prefer: str = typer.Option("", help="Exports: annotators to trust where annotations differ, by commas."),
    conflicts: str = typer.Option("stop", help="Exports: where none of these annotated: stop, majority or unknown."),
    max_loss: float = typer.Option(0.005, help="Exports: share of the annotations (0..1) that may be unreadable."),
) -> None:
    """Write a corpus, predictions or exports as Prodigy, Label Studio, doccano, CoNLL, brat or Hugging Face files."""
    find_format(to)
    _require_apart(source, output)
    reading = f"predictions=yes {reading}" if predictions else reading
    check_share(max_loss=max_loss)
    settings = ImportSettings(reading=reading, names=label_names, prefer=split_names(prefer), conflicts=conflicts)
    options = WriterOptions(_tokenizer(lang), predictions, model_version, lossy)
    labels = load_guide(guide) if guide is not None else None
    with progress() as bar:
        task = bar.add_task("writing", total=None)
        passages = _passages(source, settings, max_loss=max_loss)
        done = export(passages, output, to, options, on_passage=lambda: bar.advance(task))
    for line in done.lines:
        say(f"not written: {line}")
    say(f"{done.n_passages} passages with {done.n_spans} annotations written to {output}")
    if labels is not None and to == label_studio.NAME:
        config = output.with_suffix(".xml")
        write_text(config, label_studio_config(labels))
        say(f"paste {config} under Settings, Labeling Interface, Code before you import")
        if unknown := sorted(done.labels - set(labels.labels)):
            say(f"labels that are not in {guide}: {', '.join(unknown)}")


def _passages(source: Path, settings: ImportSettings, *, max_loss: float) -> Iterable[Passage]:
    """The passages of a corpus, one at a time; those of exports, one for each text."""
    if source.suffix == DOCBIN and not source.is_dir():
        return read_docbin(source)
    read = read_annotations(source, settings, on_file=lambda file: say(f"reading {file.name} ({file.title})"))
    require_usable(read, max_loss=max_loss)
    for line in read.problems:
        say(f"lost: {line}")
    say(", ".join(f"{n} documents {fate}" for fate, n in read.documents.items()))
    return read.merged


def _require_apart(source: Path, output: Path) -> None:
    if output.resolve() in (source.resolve(), *source.resolve().parents):
        raise DomainNerError(f"{output} would replace {source}.", "Name another file or folder to write.")


def _tokenizer(lang: str) -> Callable[[str], Doc]:
    try:
        tokenizer: Callable[[str], Doc] = create_tokenizer()(blank(lang))
    except ImportError as error:
        raise DomainNerError(
            f"--lang is {lang!r}, which spaCy does not know.", "Use a code as in spaCy's list: en, de, fr, xx …"
        ) from error
    return tokenizer


if __name__ == "__main__":
    run(main, writes=["output"])
