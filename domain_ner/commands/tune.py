"""Implements `tune`: searches for better training settings."""

import json
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import typer

from domain_ner.commands.console import GPU_HELP, hold, say, writes
from domain_ner.commands.stopping import resumable
from domain_ner.devices import use_gpu
from domain_ner.files import write_text


@writes("output")
def main(
    config: Path = typer.Argument(Path("configs/config.cfg"), help="The training config, written by create-config."),
    space: Path = typer.Argument(Path("configs/search.yml"), help="The search space (YAML)."),
    output: Path = typer.Argument(Path("training/tuning"), help="Folder for the study (SQLite) and best.json."),
    trials: int = typer.Option(20, min=1, help="Total number of trials, including those of an earlier run."),
    seed: int = typer.Option(0, help="Seed of the search."),
    gpu_id: str = typer.Option("-1", help=GPU_HELP),
) -> None:
    """Search for the training settings with the best dev F1, and write training/tuning/best.json."""
    from domain_ner.training.run import corpora
    from domain_ner.training.tuning import read_space, tune

    search_space = read_space(space)
    gpu = use_gpu(gpu_id)
    with ExitStack() as stack:
        for folder in {path.parent for path in corpora(config)}:
            stack.enter_context(hold(folder, shared=True))
        stack.enter_context(resumable())
        study = output / "study.db"
        best = tune(config, search_space, study, n_trials=trials, seed=seed, gpu=gpu, on_trial=print_trial)
    settings = " ".join(f"{name}={json.dumps(value)}" for name, value in best.settings.items())
    write_text(output / "best.json", json.dumps({"dev_score": best.score, "settings": best.settings}, indent=1) + "\n")
    say(f"best of {best.n_trials} trials ({best.n_pruned} pruned): dev F1 {100 * best.score:.1f}")
    say(f'to train with it: --vars.settings "{settings}"')


def print_trial(number: int, settings: Mapping[str, Any], score: float | None) -> None:
    """Print a trial."""
    result = "pruned" if score is None else f"dev F1 {100 * score:.1f}"
    listed = ", ".join(f"{name.split('.')[-1]} {_short(value)}" for name, value in settings.items())
    say(f"trial {number}: {result} ({listed})")


def _short(value: Any) -> str:
    return f"{value:.3g}" if isinstance(value, float) else str(value)
