"""`create-config`: the training config of an encoder, a head and a corpus."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import typer

from domain_ner.commands.console import say, warn, writes
from domain_ner.corpus.languages import blank
from domain_ner.devices import CPU, choose_gpu
from domain_ner.encoders.card import EncoderCard, foreign_language
from domain_ner.errors import DomainNerError
from domain_ner.evaluation.predicting import read_docs
from domain_ner.files import atomic_path
from domain_ner.training.config import Choices, build_config
from domain_ner.training.oversampling import repeated_lengths


@writes("config")
def main(
    fragments: Path = typer.Argument(..., help="Folder with base.cfg, encoder_*.cfg and head_*.cfg."),
    config: Path = typer.Argument(..., help="The training config to write."),
    card: Path = typer.Option(..., help="The encoder's card, as fetch-encoder writes it."),
    train: Path = typer.Option(..., help="The training corpus (DocBin)."),
    tokenizer: Path = typer.Option(..., help="What convert taught the tokenizer (tokenizer.json)."),
    head: str = typer.Option("crf", help="The recogniser on top: names a fragment head_*.cfg."),
    lang: str = typer.Option("en", help="spaCy's code of the language."),
    epochs: int = typer.Option(20, help="Passes over the training data, at most."),
    patience: int = typer.Option(5, help="Evaluations (one an epoch) without a better dev F1 before training stops."),
    seed: int = typer.Option(0, help="Seed of everything random."),
    oversample: float = typer.Option(
        0.0, help="Repeat passages with types that fewer than this share of the passages have; 0: none."
    ),
    settings: str = typer.Option("", help='Values to set in the config: "training.dropout=0.3 …", apart by spaces.'),
    gpu_id: str = typer.Option("-1", help="-1: CPU, 0 or higher: that GPU, auto: the first GPU if there is one."),
) -> None:
    """Write configs/config.cfg from the fragments, the encoder's card and the corpus, and check it."""
    encoder = EncoderCard.read(card)
    docs = read_docs(train, blank(lang).vocab)
    if not 0 <= oversample < 1:
        raise DomainNerError(f"vars.oversample is {oversample}; expected a share from 0 to below 1.")
    lengths = repeated_lengths(docs, threshold=oversample, seed=seed)
    choices = Choices(
        lang=lang,
        head=head,
        epochs=epochs,
        patience=patience,
        seed=seed,
        mixed_precision=choose_gpu(gpu_id) != CPU,
        oversample=oversample,
        longest=max((len(span) for doc in docs for span in (*doc.ents, *doc.spans.get("sc", ()))), default=0),
        settings=parse_settings(settings),
        **read_tokenizer(tokenizer),
    )
    built = build_config(fragments, encoder, choices, lengths)
    with atomic_path(config) as temporary:
        built.to_disk(temporary)
        check(temporary)
    warn(foreign_language(encoder, lang))
    training = built["training"]
    say(
        f"{encoder.name} + {head}: {len(lengths)} passages in batches of {training['batcher']['size']}, learning rate"
        f" {encoder.learning_rate}, {training['max_steps']} steps, an evaluation every {training['eval_frequency']}"
    )


def parse_settings(text: str) -> dict[str, Any]:
    """Read `section.name=value …`; a value is JSON, or else text."""
    found = {}
    for part in text.split():
        place, equals, value = part.partition("=")
        if not equals or "." not in place:
            raise DomainNerError(f"vars.settings has {part!r}; expected section.name=value, apart by spaces.")
        try:
            found[place] = json.loads(value)
        except ValueError:
            found[place] = value
    return found


def read_tokenizer(path: Path) -> dict[str, Any]:
    """The settings of the tokenizer as `Choices` has them."""
    try:
        read = json.loads(path.read_text(encoding="utf8"))
        return {"token_splits": [rule["pattern"] for rule in read["splits"]], "normalize": read["normalize"]}
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise DomainNerError(f"Cannot read {path}: {error}.", "Run convert first.") from error


def check(config: Path) -> None:
    """Let `spacy debug config` judge. Raises DomainNerError with what it says."""
    command = [sys.executable, "-m", "spacy", "debug", "config", str(config)]
    ran = subprocess.run(command, capture_output=True, text=True, check=False)
    if ran.returncode:
        raise DomainNerError(f"spacy debug config refuses the config:\n{ran.stdout}{ran.stderr}")
