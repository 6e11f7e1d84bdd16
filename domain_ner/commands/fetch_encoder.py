"""Implements `fetch-encoder`: downloads the encoder's files, and describes them in a card."""

from pathlib import Path

import typer

from domain_ner.commands.console import say, warn, writes
from domain_ner.corpus.languages import blank
from domain_ner.files import write_text


@writes("card")
def main(
    card: Path = typer.Argument(Path("training/encoder.json"), help="File for the encoder's card (JSON)."),
    encoder: str = typer.Option(..., help="A preset, a hub id (org/name or org/name@revision), or a folder."),
    presets: Path = typer.Option(Path("configs/presets.yml"), help="The presets (YAML)."),
    encoders: Path = typer.Option(
        Path("assets/encoders"), help="Folder of all encoders; this encoder gets a subfolder."
    ),
    lang: str = typer.Option("", help="Language of your text, to check against the encoder's; empty: no check."),
) -> None:
    """Fetch the encoder into assets/encoders, check it, and write its card."""
    from domain_ner.encoders.card import foreign_language
    from domain_ner.encoders.fetch import fetch_encoder
    from domain_ner.encoders.presets import find_encoder, load_presets

    if lang:
        blank(lang)
    preset = find_encoder(encoder, load_presets(presets))
    fetched = fetch_encoder(preset, encoders, say=say)
    write_text(card, fetched.to_json())
    for name, checksum in fetched.files.items():
        say(f"{name}: SHA-256 {checksum}")
    warn(foreign_language(fetched, lang) if lang else "")
    say(f"licence: {fetched.licence or 'see the source of the encoder'}")
