"""`tune`: search for better training settings."""

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
    config: Path = typer.Argument(Path("configs/config.cfg"), help="The training config, as create-config writes it."),
    space: Path = typer.Argument(Path("configs/search.yml"), help="The search space (YAML)."),
    output: Path = typer.Argument(Path("training/tuning"), help="Folder for the study (SQLite) and best.json."),
    trials: int = typer.Option(20, min=1, help="Trials in all, those of an earlier run included."),
    seed: int = typer.Option(0, help="Seed of the search."),
    gpu_id: str = typer.Option("-1", help=GPU_HELP),
) -> None:
    """Search the training settings of configs/search.yml by dev F1, and write training/tuning/best.json."""
    from domain_ner.training.run import corpora
    from domain_ner.training.tuning import read_space, tune

    searched = read_space(space)
    gpu = use_gpu(gpu_id)
    with ExitStack() as stack:
        for folder in {path.parent for path in corpora(config)}:
            stack.enter_context(hold(folder, shared=True))
        stack.enter_context(resumable())
        found = tune(config, searched, output / "study.db", n_trials=trials, seed=seed, gpu=gpu, on_trial=print_trial)
    settings = " ".join(f"{name}={json.dumps(value)}" for name, value in found.settings.items())
    write_text(
        output / "best.json", json.dumps({"dev_score": found.score, "settings": found.settings}, indent=1) + "\n"
    )
    say(f"best of {found.n_trials} trials ({found.n_pruned} given up early): dev {100 * found.score:.1f}")
    say(f'to train with it: --vars.settings "{settings}"')


def print_trial(number: int, settings: Mapping[str, Any], score: float | None) -> None:
    """Print a trial."""
    told = "given up" if score is None else f"dev {100 * score:.1f}"
    shown = ", ".join(f"{name.split('.')[-1]} {_short(value)}" for name, value in settings.items())
    say(f"trial {number}: {told} ({shown})")


def _short(value: Any) -> str:
    return f"{value:.3g}" if isinstance(value, float) else str(value)
