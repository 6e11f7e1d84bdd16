"""Implements `import-hf`: makes a spaCy pipeline of a fine-tuned token classifier."""

from pathlib import Path

import typer

from domain_ner.commands.console import say, split_names, writes
from domain_ner.files import scratch_folder


@writes("output")
def main(
    checkpoint: str = typer.Argument(
        ..., help="Folder of the checkpoint (config.json, weights, tokenizer), or its hub id: org/name@revision."
    ),
    output: Path = typer.Argument(Path("training/model-imported"), help="Folder for the pipeline; it is replaced."),
    lang: str = typer.Option("en", help="Language of the text: spaCy's code."),
    scheme: str = typer.Option(
        "auto", help="Meaning of the labels: iob1, iob2, biluo (also BIOES), io (types alone), or auto: by their names."
    ),
    ignore: str = typer.Option("", help="Labels to leave out, separated by commas: those that no text has, as [CLS]."),
) -> None:
    """Make a spaCy pipeline of a fine-tuned Hugging Face token classifier, with confidences and long texts."""
    from domain_ner.huggingface.checkpoint import find_checkpoint, load_checkpoint
    from domain_ner.huggingface.importing import MAX_WINDOW, import_checkpoint
    from domain_ner.huggingface.label_sets import read_labels
    from domain_ner.training.saving import save

    with scratch_folder() as scratch:
        folder = find_checkpoint(checkpoint, scratch, say=say)
        loaded = load_checkpoint(folder, checkpoint if folder != Path(checkpoint) else folder.resolve().name)
        labels = read_labels(loaded.labels, scheme, split_names(ignore))
        nlp = import_checkpoint(loaded, labels, lang)
    save(nlp, output)
    say(f"{loaded.name}: {loaded.tagger.model.config.model_type}, {len(loaded.labels)} labels, read as {labels.scheme}")
    say(f"types: {', '.join(labels.types)}")
    say(f"windows of {min(loaded.max_length, MAX_WINDOW)} wordpieces; a longer text is cut into overlapping ones")
    say(f"pipeline: {output}; calibrate it on annotated text (calibrate), score it (evaluate), package it (package)")
