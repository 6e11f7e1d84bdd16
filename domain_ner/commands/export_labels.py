"""Implements `export-labels`: writes the guide's types as label configs for annotation tools."""

import json
from pathlib import Path

import typer

from domain_ner.commands.console import say
from domain_ner.files import together, write_text


def main(
    guide: Path = typer.Argument(Path("assets/guide.yml"), help="The annotation guide (YAML)."),
    labels: Path = typer.Argument(Path("training/labels"), help="Folder for label_studio.xml and prodigy.json."),
) -> None:
    """Write the guide's types as a Label Studio labelling config and as Prodigy labels with colours."""
    from domain_ner.guide.labelling import label_studio_config, prodigy_config
    from domain_ner.guide.schema import load_guide

    loaded = load_guide(guide)
    with together():
        write_text(labels / "label_studio.xml", label_studio_config(loaded))
        write_text(labels / "prodigy.json", json.dumps(prodigy_config(loaded), indent=2, ensure_ascii=False) + "\n")
    say(f"Label Studio: paste {labels / 'label_studio.xml'} under Settings, Labeling Interface, Code")
    say(f"Prodigy: copy {labels / 'prodigy.json'}, then prodigy ner.manual … --label {','.join(loaded.labels)}")
