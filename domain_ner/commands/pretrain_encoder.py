"""Implements `pretrain-encoder`: continues the pretraining of the encoder on text of your domain."""

from pathlib import Path

import typer

from domain_ner.commands.console import say, writes
from domain_ner.commands.stopping import resumable


@writes("output")
def main(
    texts: Path = typer.Argument(Path("assets/raw"), help="A .txt or .jsonl file (key `text`), or a folder of them."),
    output: Path = typer.Argument(
        Path("assets/encoders/adapted"), help="Folder for the adapted encoder, a value for vars.encoder."
    ),
    card: Path = typer.Option(
        Path("training/encoder.json"), help="The card of the encoder to start from, written by fetch-encoder."
    ),
    epochs: int = typer.Option(3, help="Passes over the text."),
    batch: int = typer.Option(16, help="Number of windows in a batch."),
    window: int = typer.Option(128, help="Number of wordpieces in a window."),
    learning_rate: float = typer.Option(5e-5, help="Peak learning rate."),
    seed: int = typer.Option(0, help="Seed of the weights, the masks and the order of the windows."),
) -> None:
    """Adapt the encoder to raw text by masked language modelling, and print its perplexity before and after."""
    from domain_ner.encoders.card import EncoderCard
    from domain_ner.encoders.pretraining import Pretraining, origin_of, pretrain
    from domain_ner.encoders.raw_text import read_texts

    encoder = EncoderCard.read(card)
    origin = origin_of(encoder)
    raw_texts = read_texts(texts)
    say(f"{len(raw_texts)} texts, {sum(map(len, raw_texts)):,} characters")
    settings = Pretraining(epochs, batch, min(window, encoder.max_length), learning_rate, seed)
    with resumable():
        result = pretrain(Path(encoder.path), raw_texts, output, settings, origin=origin, say=say)
    say(f"trained on {result.n_windows} windows; pseudo-perplexity on {result.n_held_out} others:"
        f" {result.before:.1f} before, {result.after:.1f} after")  # fmt: skip
    if result.is_new_head:
        say(f"{encoder.name} has no head for masked words: a new one was trained from scratch. The perplexity before"
            " means nothing, and with little text the encoder may get worse: check F1 on dev.")  # fmt: skip
    say(f"adapted encoder: {output}; to train with it: --vars.encoder {output}")
