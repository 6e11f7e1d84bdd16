"""Implements `train`: trains a pipeline from a config, with early stopping."""

from contextlib import ExitStack
from functools import partial
from pathlib import Path

import typer

from domain_ner.commands.console import GPU_HELP, hold, say, writes
from domain_ner.commands.stopping import resumable
from domain_ner.devices import CPU, use_gpu


@writes("output")
def main(
    config: Path = typer.Argument(Path("configs/config.cfg"), help="The training config, written by create-config."),
    output: Path = typer.Argument(Path("training"), help="Folder for model-best and model-last."),
    card: Path = typer.Option(Path("training/encoder.json"), help="The encoder's card, written by fetch-encoder."),
    gpu_id: str = typer.Option("-1", help=GPU_HELP),
    seeds: int = typer.Option(1, min=1, help="Number of seeds to train from; the best on dev becomes model-best."),
    resume: bool = typer.Option(False, help="Resume an interrupted run, if config and data are the same."),
    checkpoint_every: float = typer.Option(
        60.0, help="Seconds between checkpoints, at least; from the last one --resume continues."
    ),
) -> None:
    """Train the pipeline of configs/config.cfg into training/model-best, with early stopping on dev F1."""
    from domain_ner.commands.printing.training import print_spread, print_summary
    from domain_ner.encoders.card import EncoderCard
    from domain_ner.training.run import BEST, corpora, initialize
    from domain_ner.training.seeded import TrainingOptions, first_seed, train_seeds
    from domain_ner.training.summary import summarise

    gpu = use_gpu(gpu_id)
    encoder = EncoderCard.read(card)
    with ExitStack() as stack:
        for folder in {path.parent for path in corpora(config)}:  # dev is read at each evaluation
            stack.enter_context(hold(folder, shared=True))
        say(f"training on {'the CPU' if gpu == CPU else f'GPU {gpu}'}; loading the encoder and timing a few steps")
        # Uses a separate pipeline for timing: the trained one starts from the seed.
        timed = initialize(config, gpu=gpu)
        summary = summarise(timed)
        print_summary(encoder, summary, seeds)
        first, stoppable = first_seed(timed), partial(resumable, option="--resume")
        options = TrainingOptions(gpu, resume, checkpoint_every, stoppable, say)
        outcome = train_seeds(config, output, range(first, first + seeds), options)
    if outcome.best:
        print_spread(outcome.runs, outcome.best)
    coverage = outcome.coverage
    say(f"in training batches: {coverage['documents']} of {summary.n_passages} passages with {coverage['mentions']}"
        f" of {summary.n_mentions} mentions, {coverage['learnable']} of them on the pipeline's tokens")  # fmt: skip
    say(f"best pipeline: {output / BEST}")
