"""Implements `export`: writes a corpus, predictions or exports in the format of an annotation tool or a trainer."""

from pathlib import Path

import typer

from domain_ner.commands.console import (
    CONFLICTS_HELP,
    LABELS_HELP,
    PREFER_HELP,
    READING_HELP,
    check_share,
    say,
    split_names,
    watched,
    writes,
)
from domain_ner.corpus.languages import blank
from domain_ner.files import write_text

# The names in `writers.formats.FORMATS`, which takes long to import.
FORMATS_HELP = "prodigy, label_studio, doccano, conll, brat, hf_json"


@writes("output")
def main(
    source: Path = typer.Argument(..., help="A corpus or predictions (.spacy), or a file or folder of exports."),
    output: Path = typer.Argument(..., help="The file to write; for brat, the folder."),
    to: str = typer.Option(..., help=f"Format: {FORMATS_HELP}. Offsets count code points; in doccano, UTF-16 units."),
    predictions: bool = typer.Option(
        False, "--predictions", help="The entities are a model's: write tasks to correct, not answers."
    ),
    model_version: str = typer.Option("domain-ner", help="With --predictions: name of the model in Label Studio."),
    lossy: bool = typer.Option(False, "--lossy", help="Leave out and count what the format cannot hold."),
    guide: Path | None = typer.Option(None, help="Label Studio: write the guide's labelling config beside the file."),
    lang: str = typer.Option("en", help="Language of the text: spaCy's code. Used for texts without tokens."),
    reading: str = typer.Option("", help=READING_HELP),
    label_names: str = typer.Option("", "--labels", help=LABELS_HELP),
    prefer: str = typer.Option("", help=f"For exports: {PREFER_HELP}"),
    conflicts: str = typer.Option("stop", help=f"For exports: {CONFLICTS_HELP}"),
    max_loss: float = typer.Option(
        0.005, help="For exports: share of the annotations (0..1) that may be unreadable at most."
    ),
) -> None:
    """Write a corpus, predictions or exports as Prodigy, Label Studio, doccano, CoNLL, brat or Hugging Face files."""
    from domain_ner.conversion.exports import ImportSettings
    from domain_ner.corpus.tokenizer import create_tokenizer
    from domain_ner.guide.labelling import label_studio_config
    from domain_ner.guide.schema import load_guide
    from domain_ner.writers import label_studio
    from domain_ner.writers.formats import export, find_format
    from domain_ner.writers.options import WriterOptions
    from domain_ner.writers.sources import read_passages, require_apart

    find_format(to)
    require_apart(source, output)
    reading = f"predictions=yes {reading}" if predictions else reading
    check_share(max_loss=max_loss)
    settings = ImportSettings(reading=reading, names=label_names, prefer=split_names(prefer), conflicts=conflicts)
    options = WriterOptions(create_tokenizer()(blank(lang)), predictions, model_version, lossy)
    labels = load_guide(guide) if guide is not None else None
    with watched("writing") as on_passage:
        passages = read_passages(source, settings, max_loss=max_loss, say=say)
        exported = export(passages, output, to, options, on_passage=on_passage)
    for line in exported.lines:
        say(f"not written: {line}")
    say(f"wrote {exported.n_passages} passages with {exported.n_spans} annotations to {output}")
    if labels is not None and to == label_studio.NAME:
        config = output.with_suffix(".xml")
        write_text(config, label_studio_config(labels))
        say(f"paste {config} under Settings, Labeling Interface, Code before you import")
        if unknown := sorted(exported.labels - set(labels.labels)):
            say(f"labels that are not in {guide}: {', '.join(unknown)}")
