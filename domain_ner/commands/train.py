"""`train`: train a pipeline from a config, with early stopping."""

from contextlib import ExitStack
from functools import partial
from pathlib import Path

import typer

from domain_ner.commands.console import GPU_HELP, hold, say, writes
from domain_ner.commands.stopping import resumable
from domain_ner.devices import CPU, use_gpu


@writes("output")
def main(
    config: Path = typer.Argument(Path("configs/config.cfg"), help="The training config, as create-config writes it."),
    output: Path = typer.Argument(Path("training"), help="Folder for model-best and model-last."),
    card: Path = typer.Option(Path("training/encoder.json"), help="The encoder's card, as fetch-encoder writes it."),
    gpu_id: str = typer.Option("-1", help=GPU_HELP),
    seeds: int = typer.Option(1, min=1, help="Train from this many seeds; the best on dev becomes model-best."),
    resume: bool = typer.Option(False, help="Go on with a run that was interrupted, if it had this config and data."),
    checkpoint_every: float = typer.Option(60.0, help="Seconds between two checkpoints, from which --resume goes on."),
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
        # Timed on a pipeline of its own: the one that is trained starts from the seed, untouched.
        timed = initialize(config, gpu=gpu)
        summary = summarise(timed)
        print_summary(encoder, summary, seeds)
        first, stoppable = first_seed(timed), partial(resumable, option="--resume")
        options = TrainingOptions(gpu, resume, checkpoint_every, stoppable, say)
        outcome = train_seeds(config, output, range(first, first + seeds), options)
    if outcome.best:
        print_spread(outcome.runs, outcome.best)
    reached = outcome.reached
    told = f"{reached['documents']} of {summary.n_passages} passages with {reached['mentions']} of {summary.n_mentions}"
    say(f"reached a batch: {told} mentions, {reached['learnable']} of them on the pipeline's own tokens")
    say(f"best pipeline: {output / BEST}")
