"""`pretrain-encoder`: let the encoder read text of your domain before it is trained."""

from pathlib import Path

import srsly
import typer

from domain_ner.commands.console import say, writes
from domain_ner.commands.stopping import resumable
from domain_ner.encoders.card import EncoderCard
from domain_ner.encoders.presets import INHERITED
from domain_ner.encoders.pretraining import Pretraining, pretrain
from domain_ner.errors import DomainNerError

TEXT_KEY = "text"


@writes("output")
def main(
    texts: Path = typer.Argument(..., help="A .txt or .jsonl file (key `text`), or a folder of them."),
    output: Path = typer.Argument(..., help="Folder for the adapted encoder, for vars.encoder."),
    card: Path = typer.Option(..., help="The card of the encoder to start from, as fetch-encoder writes it."),
    epochs: int = typer.Option(3, help="Passes over the text."),
    batch: int = typer.Option(16, help="Windows in a batch."),
    window: int = typer.Option(128, help="Wordpieces in a window."),
    learning_rate: float = typer.Option(5e-5, help="Learning rate at its peak."),
    seed: int = typer.Option(0, help="Seed of everything random."),
) -> None:
    """Adapt the encoder to raw text by masked language modelling, and tell its perplexity before and after."""
    encoder = EncoderCard.read(card)
    if not encoder.path:
        raise DomainNerError(f"{encoder.name} is no pretrained encoder.", "Choose one that is with vars.encoder.")
    read = read_texts(texts)
    say(f"{len(read)} texts, {sum(map(len, read)):,} characters")
    settings = Pretraining(epochs, batch, min(window, encoder.max_length), learning_rate, seed)
    # It is trained as what it comes from is: else nobody could tell whether reading has made it better.
    origin = {"adapted_from": encoder.name} | {key: getattr(encoder, key) for key in INHERITED}
    with resumable():
        found = pretrain(Path(encoder.path), read, output, settings, origin=origin, say=say)
    say(f"{found.n_windows} windows learned; pseudo-perplexity on {found.n_held_out} others: {found.before:.1f} before,"
        f" {found.after:.1f} after")  # fmt: skip
    if found.is_new_head:
        say(f"{encoder.name} came without a head for masked words: it began from nothing, the perplexity before says"
            " nothing, and with little text the encoder may get worse; F1 on dev tells")  # fmt: skip
    say(f"adapted encoder: {output}; to train with it: --vars.encoder {output}")


def read_texts(place: Path) -> list[str]:
    """The texts of a file, or of all files of a folder: a line of .txt, or the `text` of a line of .jsonl, each."""
    files = (
        sorted(path for path in place.rglob("*") if path.suffix in (".txt", ".jsonl")) if place.is_dir() else [place]
    )
    texts: list[str] = []
    for path in files if place.exists() else []:
        try:
            lines = path.read_text(encoding="utf8").split("\n")
        except (OSError, UnicodeDecodeError) as err:
            raise DomainNerError(f"Cannot read {path}: {err}.", "Expected UTF-8 text.") from err
        for number, line in enumerate(lines, start=1):
            if line.strip():
                texts.append(_text_of(line, f"{path}:{number}") if path.suffix == ".jsonl" else line)
    if not texts:
        raise DomainNerError(f"There is no text in {place}.", "Put .txt files, or .jsonl with the key `text`, there.")
    return texts


def _text_of(line: str, where: str) -> str:
    try:
        return str(srsly.json_loads(line)[TEXT_KEY])
    except (ValueError, KeyError, TypeError) as err:
        raise DomainNerError(f"{where}: expected a JSON object with the key {TEXT_KEY!r}: {err}.") from err
