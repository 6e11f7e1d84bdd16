"""Trains with several seeds to measure how much scores vary by chance; keeps the best pipeline on dev."""

import json
import shutil
import statistics
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from spacy.language import Language

from domain_ner.files import atomic_path, sha256_of_folder, write_text
from domain_ner.metrics.scores import ALL_TYPES
from domain_ner.training.run import BEST, LAST, TrainingResult, identify

SEEDS = "seeds"
DONE = "done.json"


@dataclass(frozen=True)
class SeedRun:
    """A finished training. scores: of the best pipeline on dev, `p`, `r` and `f` (0 to 1) by type and for `all`.
    log: a row for each evaluation. coverage: counts as in `reached.json`.
    """

    seed: int
    folder: Path
    scores: dict[str, dict[str, float]]
    log: list[dict[str, Any]]
    coverage: dict[str, int]


def seed_folder(output: Path, seed: int) -> Path:
    """Return the folder of a seed's pipelines, within the folder of the training."""
    return output / SEEDS / str(seed)


def finish(nlp: Language, output: Path, seed: int, trained: TrainingResult) -> SeedRun:
    """Record that the training of a seed has finished, so that it is not repeated."""
    meta = json.loads((trained.best / "meta.json").read_text(encoding="utf8"))
    weights = nlp.config["training"]["score_weights"]
    scored = [name[:-2] for name, weight in weights.items() if weight and name.endswith(("_f", "_p", "_r"))]
    scores = _scores(meta["performance"], scored[0] if scored else "ents")
    run = SeedRun(seed, trained.best.parent, scores, trained.log, trained.coverage.to_json())
    row = asdict(run) | {"folder": None, "run": identify(nlp.config.interpolate())}
    row["sha256"] = {name: sha256_of_folder(run.folder / name) for name in (BEST, LAST)}
    write_text(seed_folder(output, seed) / DONE, json.dumps(row) + "\n")
    return run


def finished(
    nlp: Language,
    output: Path,
    seed: int,
    parts: Sequence[str] = (BEST, LAST),
    *,
    say: Callable[[str], None] = lambda _: None,
) -> SeedRun | None:
    """Load the finished training of this same pipeline with a seed, if its files are undamaged.

    parts: its folders to check. say: receives messages about damage.
    """
    folder = seed_folder(output, seed)
    try:
        row = json.loads((folder / DONE).read_text(encoding="utf8"))
        if row.pop("run") != identify(nlp.config.interpolate()):
            return None
        checksums = row.pop("sha256")
        done = SeedRun(**row | {"folder": folder})
    except FileNotFoundError:
        return None
    except (OSError, ValueError, AttributeError, KeyError, TypeError) as err:
        say(f"{folder / DONE} is damaged ({type(err).__name__}): training this seed again")
        return None
    for name in parts:
        if sha256_of_folder(folder / name) != checksums.get(name):
            say(f"{folder / name} is damaged or has changed: training this seed again")
            return None
    return done


def keep_best(output: Path, runs: Sequence[SeedRun]) -> SeedRun:
    """Copy the pipelines of the seed with the best micro F1 on dev into `output`; the earliest on a tie."""
    best = max(runs, key=lambda run: run.scores[ALL_TYPES]["f"])
    for name in (LAST, BEST):
        with atomic_path(output / name) as new:
            shutil.copytree(best.folder / name, new)
    return best


def spread(runs: Sequence[SeedRun]) -> dict[str, dict[str, tuple[float, float]]]:
    """Compute mean and standard deviation (of a sample) over the seeds, of `p`, `r` and `f` by type and for `all`.

    A type that a seed never predicted counts as 0.
    """
    names = sorted({name for run in runs for name in run.scores} - {ALL_TYPES})
    statistics_of = {}
    for name in [*names, ALL_TYPES]:
        values = {key: [run.scores.get(name, {}).get(key, 0.0) for run in runs] for key in "prf"}
        statistics_of[name] = {
            key: (statistics.fmean(scores), statistics.stdev(scores) if len(scores) > 1 else 0.0)
            for key, scores in values.items()
        }
    return statistics_of


def to_json(runs: Sequence[SeedRun]) -> dict[str, Any]:
    """Return the content of `training/reports/seeds.json`."""
    summary = {
        name: {key: {"mean": mean, "sd": sd} for key, (mean, sd) in statistics_of.items()}
        for name, statistics_of in spread(runs).items()
    }
    return {"split": "dev", "seeds": [{"seed": run.seed, "scores": run.scores} for run in runs], "spread": summary}


def _scores(performance: dict[str, Any], prefix: str) -> dict[str, dict[str, float]]:
    """Read scores by type and for all from a pipeline's meta. prefix: of their names; spancat has another."""
    micro = {ALL_TYPES: {key: performance[f"{prefix}_{key}"] or 0.0 for key in "prf"}}
    return {name: dict(scores) for name, scores in (performance.get(f"{prefix}_per_type") or {}).items()} | micro
