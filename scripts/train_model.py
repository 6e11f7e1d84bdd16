"""`train`: train a pipeline from a config, with early stopping."""

import json
from contextlib import ExitStack
from functools import partial
from pathlib import Path

import typer
from _console import hold, out, resumable, run, say, table
from spacy.language import Language
from thinc.api import require_gpu

from domain_ner.devices import CPU, choose_gpu
from domain_ner.encoders.card import EncoderCard
from domain_ner.files import write_text
from domain_ner.training.run import BEST, UNFINISHED, TrainingResult, corpora, find_interrupted, forget, initialize
from domain_ner.training.run import train as train_pipeline
from domain_ner.training.seeds import SeedRun, finish, finished, keep_best, seed_folder, spread, to_json
from domain_ner.training.summary import TrainingSummary, summarise


def main(
    config: Path = typer.Argument(..., help="The training config, as create-config writes it."),
    output: Path = typer.Argument(..., help="Folder for model-best and model-last."),
    card: Path = typer.Option(..., help="The encoder's card, as fetch-encoder writes it."),
    gpu_id: str = typer.Option("-1", help="-1: CPU, 0 or higher: that GPU, auto: the first GPU if there is one."),
    seeds: int = typer.Option(1, min=1, help="Train from this many seeds; the best on dev becomes model-best."),
    resume: bool = typer.Option(False, help="Go on with a run that was interrupted, if it had this config and data."),
    checkpoint_every: float = typer.Option(60.0, help="Seconds between two checkpoints, from which --resume goes on."),
) -> None:
    """Train the pipeline of configs/config.cfg into training/model-best, with early stopping on dev F1."""
    gpu = choose_gpu(gpu_id)
    if gpu != CPU:
        require_gpu(gpu)
    encoder = EncoderCard.read(card)
    with ExitStack() as stack:
        for folder in {path.parent for path in corpora(config)}:  # dev is read at each evaluation
            stack.enter_context(hold(folder, shared=True))
        train_all(config, output, encoder, gpu=gpu, seeds=seeds, resume=resume, checkpoint_s=checkpoint_every)


def train_all(
    config: Path, output: Path, encoder: EncoderCard, *, gpu: int, seeds: int, resume: bool, checkpoint_s: float
) -> None:
    """Train from each seed, and write what became of it."""
    say(f"training on {'the CPU' if gpu == CPU else f'GPU {gpu}'}; loading the encoder and timing a few steps")
    # Timed on a pipeline of its own: the one that is trained starts from the seed, untouched.
    timed = initialize(config, gpu=gpu)
    summary = summarise(timed)
    print_summary(encoder, summary, seeds)

    reports = output / "reports"
    start = partial(train_one, gpu=gpu, resume=resume, checkpoint_s=checkpoint_s, kept=output / BEST)
    if seeds == 1:
        trained = start(initialize(config, gpu=gpu, warns=False), output)
        reached, log = trained.reached.to_json(), trained.log
        (reports / "seeds.json").unlink(missing_ok=True)
    else:
        first = timed.config.interpolate()["training"]["seed"] or 0
        runs = []
        for seed in range(first, first + seeds):
            nlp = initialize(config, gpu=gpu, seed=seed, warns=False)
            before = finished(nlp, output, seed, say=say) if resume else None
            say(f"seed {seed}: {'trained before' if before else 'training'}")
            runs.append(before or finish(nlp, output, seed, start(nlp, seed_folder(output, seed))))
            forget(seed_folder(output, seed))
        best = keep_best(output, runs)
        reached, log = best.reached, best.log
        write_text(reports / "seeds.json", json.dumps(to_json(runs), indent=1) + "\n")
        print_spread(runs, best)
    write_text(reports / "reached.json", json.dumps(reached, indent=1) + "\n")
    write_text(reports / "training.jsonl", "".join(json.dumps(row) + "\n" for row in log))
    forget(output)
    told = f"{reached['documents']} of {summary.n_passages} passages with {reached['mentions']} of {summary.n_mentions}"
    say(f"reached a batch: {told} mentions, {reached['learnable']} of them on the pipeline's own tokens")
    say(f"best pipeline: {output / BEST}")


def train_one(
    nlp: Language, folder: Path, *, gpu: int, resume: bool, checkpoint_s: float, kept: Path
) -> TrainingResult:
    """Train into a folder, from where an interrupted run was if there is one. kept: what Ctrl-C leaves as it is."""
    checkpoint, told = find_interrupted(nlp, folder) if resume else (None, [])
    for line in told:
        say(line)
    with resumable(lambda: kept_by(folder, kept)):
        return train_pipeline(nlp, folder, gpu=gpu, checkpoint_s=checkpoint_s, resume=checkpoint)


def kept_by(folder: Path, kept: Path) -> str:
    """What a training that is stopped leaves behind."""
    best = folder / UNFINISHED / BEST
    so_far = f"the best so far is in {best}" if best.is_dir() else "no pipeline was evaluated yet"
    return f"{kept} is {'as it was' if kept.is_dir() else 'not made yet'}; {so_far}."


def print_spread(runs: list[SeedRun], best: SeedRun) -> None:
    """Print mean and standard deviation over the seeds."""
    printed = table("type", "precision", "recall", "F1", title=f"dev, {len(runs)} seeds: mean ± standard deviation")
    for name, figures in spread(runs).items():
        printed.add_row(name, *(f"{100 * mean:.1f} ± {100 * sd:.1f}" for mean, sd in figures.values()))
    out.print(printed)
    say(f"seed {best.seed} is best: dev F1 {100 * best.scores['all']['f']:.1f}")


def print_summary(card: EncoderCard, summary: TrainingSummary, seeds: int) -> None:
    """Print what is about to happen."""
    printed = table("training", "")
    printed.add_row("encoder", card.name)
    printed.add_row("parameters", f"{summary.n_parameters:,}")
    printed.add_row("passages (train / dev)", f"{summary.n_passages:,} / {summary.n_dev_passages:,}")
    printed.add_row("mentions", f"{summary.n_mentions:,}")
    printed.add_row("tokens", f"{summary.n_tokens:,}")
    if summary.n_windows:
        printed.add_row("windows", f"{summary.n_windows:,}")
    each = f", from each of {seeds} seeds" if seeds > 1 else ""
    printed.add_row("steps", f"{summary.n_steps:,} in {summary.n_epochs} epochs{each}")
    printed.add_row("time, at most", f"{seeds * summary.estimated_s / 60:.1f} min")
    out.print(printed)


if __name__ == "__main__":
    run(main, writes=["output"])
