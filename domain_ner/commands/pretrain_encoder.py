"""`pretrain-encoder`: let the encoder read text of your domain before it is trained."""

from pathlib import Path

import typer

from domain_ner.commands.console import say, writes
from domain_ner.commands.stopping import resumable


@writes("output")
def main(
    texts: Path = typer.Argument(Path("assets/raw"), help="A .txt or .jsonl file (key `text`), or a folder of them."),
    output: Path = typer.Argument(
        Path("assets/encoders/adapted"), help="Folder for the adapted encoder, for vars.encoder."
    ),
    card: Path = typer.Option(
        Path("training/encoder.json"), help="The card of the encoder to start from, as fetch-encoder writes it."
    ),
    epochs: int = typer.Option(3, help="Passes over the text."),
    batch: int = typer.Option(16, help="Windows in a batch."),
    window: int = typer.Option(128, help="Wordpieces in a window."),
    learning_rate: float = typer.Option(5e-5, help="Learning rate at its peak."),
    seed: int = typer.Option(0, help="Seed of everything random."),
) -> None:
    """Adapt the encoder to raw text by masked language modelling, and tell its perplexity before and after."""
    from domain_ner.encoders.card import EncoderCard
    from domain_ner.encoders.pretraining import Pretraining, origin_of, pretrain
    from domain_ner.encoders.raw_text import read_texts

    encoder = EncoderCard.read(card)
    origin = origin_of(encoder)
    read = read_texts(texts)
    say(f"{len(read)} texts, {sum(map(len, read)):,} characters")
    settings = Pretraining(epochs, batch, min(window, encoder.max_length), learning_rate, seed)
    with resumable():
        found = pretrain(Path(encoder.path), read, output, settings, origin=origin, say=say)
    say(f"{found.n_windows} windows learned; pseudo-perplexity on {found.n_held_out} others: {found.before:.1f} before,"
        f" {found.after:.1f} after")  # fmt: skip
    if found.is_new_head:
        say(f"{encoder.name} came without a head for masked words: it began from nothing, the perplexity before says"
            " nothing, and with little text the encoder may get worse; F1 on dev tells")  # fmt: skip
    say(f"adapted encoder: {output}; to train with it: --vars.encoder {output}")
