"""Implements `create-config`: writes the training config for an encoder, a head and a corpus."""

from pathlib import Path

import typer

from domain_ner.commands.console import GPU_HELP, say, warn, writes
from domain_ner.corpus.languages import blank
from domain_ner.devices import CPU, choose_gpu


@writes("config")
def main(
    fragments: Path = typer.Argument(Path("configs"), help="Folder with base.cfg, encoder_*.cfg and head_*.cfg."),
    config: Path = typer.Argument(Path("configs/config.cfg"), help="The training config to write."),
    card: Path = typer.Option(Path("training/encoder.json"), help="The encoder's card, written by fetch-encoder."),
    train: Path = typer.Option(Path("corpus/train.spacy"), help="The training corpus (DocBin)."),
    tokenizer: Path = typer.Option(
        Path("corpus/tokenizer.json"), help="The tokenizer's split rules (JSON), written by convert."
    ),
    head: str = typer.Option("crf", help="Recogniser on top: crf, transition or spancat (a fragment head_*.cfg)."),
    lang: str = typer.Option("en", help="Language of the text: spaCy's code."),
    epochs: int = typer.Option(20, help="Passes over the training data, at most."),
    patience: int = typer.Option(
        5, help="Evaluations on dev, one an epoch, without a better F1 before training stops."
    ),
    seed: int = typer.Option(0, help="Seed of the weights and of the order of the passages."),
    oversample: float = typer.Option(
        0.0, help="Repeat passages with a type that fewer than this share of the passages have; 0: repeat none."
    ),
    silver: float = typer.Option(0.0, help="Silver passages to learn from for each annotated one, at most; 0: none."),
    silver_weight: float = typer.Option(1.0, help="How much a silver passage counts, to 1 for an annotated one."),
    silver_folder: Path = typer.Option(Path("assets/silver"), help="Folder with the silver passages (.spacy)."),
    settings: str = typer.Option("", help="Values to set in the config, separated by spaces: training.dropout=0.3"),
    gpu_id: str = typer.Option("-1", help=GPU_HELP),
) -> None:
    """Write configs/config.cfg from the fragments, the encoder's card and the corpus, and check it."""
    from domain_ner.encoders.card import EncoderCard, foreign_language
    from domain_ner.evaluation.predicting import read_docs
    from domain_ner.training.config import Choices
    from domain_ner.training.settings import parse_settings, write_config

    encoder = EncoderCard.read(card)
    docs = read_docs(train, blank(lang).vocab)
    choices = Choices(
        lang=lang,
        head=head,
        epochs=epochs,
        patience=patience,
        seed=seed,
        mixed_precision=choose_gpu(gpu_id) != CPU,
        oversample=oversample,
        silver=silver,
        silver_weight=silver_weight,
        silver_folder=str(silver_folder),
        settings=parse_settings(settings),
    )
    built, n_passages = write_config(config, fragments, encoder, choices, docs, tokenizer)
    warn(foreign_language(encoder, lang))
    training = built["training"]
    say(
        f"{encoder.name} + {head}: {n_passages} passages in batches of {training['batcher']['size']}, learning rate"
        f" {encoder.learning_rate}, {training['max_steps']} steps, an evaluation every {training['eval_frequency']}"
    )
