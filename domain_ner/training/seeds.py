"""The same training from several seeds: how much of a score is luck. The best on dev is kept as the pipeline."""

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
from domain_ner.training.run import BEST, LAST, Trained, identify

SEEDS = "seeds"
DONE = "done.json"


@dataclass(frozen=True)
class SeedRun:
    """A training that has ended. scores: of the best pipeline on dev, `p`, `r` and `f` (0 to 1) by type and for `all`.
    log: a row for each evaluation. reached: counts as in `reached.json`.
    """

    seed: int
    folder: Path
    scores: dict[str, dict[str, float]]
    log: list[dict[str, Any]]
    reached: dict[str, int]


def seed_folder(output: Path, seed: int) -> Path:
    """Where a seed's pipelines go, within the folder of the training."""
    return output / SEEDS / str(seed)


def finish(nlp: Language, output: Path, seed: int, trained: Trained) -> SeedRun:
    """Note that the training of a seed has ended, so that it is not run again."""
    meta = json.loads((trained.best / "meta.json").read_text(encoding="utf8"))
    weights = nlp.config["training"]["score_weights"]
    judged = [name[:-2] for name, weight in weights.items() if weight and name.endswith(("_f", "_p", "_r"))]
    scores = _scores(meta["performance"], judged[0] if judged else "ents")
    run = SeedRun(seed, trained.best.parent, scores, trained.log, trained.reached.to_json())
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
    """The training of this very pipeline from a seed, if it ended in an earlier run and what it left is whole.

    parts: folders that it left. say: told what is damaged.
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
        say(f"{folder / DONE} is damaged ({type(err).__name__}): trained anew")
        return None
    for name in parts:
        if sha256_of_folder(folder / name) != checksums.get(name):
            say(f"{folder / name} is damaged, or was changed: trained anew")
            return None
    return done


def keep_best(output: Path, runs: Sequence[SeedRun]) -> SeedRun:
    """Put the pipelines of the seed with the best micro F1 on dev into `output`; the earliest of equals."""
    best = max(runs, key=lambda run: run.scores[ALL_TYPES]["f"])
    for name in (LAST, BEST):
        with atomic_path(output / name) as new:
            shutil.copytree(best.folder / name, new)
    return best


def spread(runs: Sequence[SeedRun]) -> dict[str, dict[str, tuple[float, float]]]:
    """Mean and standard deviation (of a sample) over the seeds, by type and for `all`, of `p`, `r` and `f`.

    A type that a seed never predicted counts as 0 there.
    """
    names = sorted({name for run in runs for name in run.scores} - {ALL_TYPES})
    found = {}
    for name in [*names, ALL_TYPES]:
        values = {one: [run.scores.get(name, {}).get(one, 0.0) for run in runs] for one in "prf"}
        found[name] = {
            one: (statistics.fmean(given), statistics.stdev(given) if len(given) > 1 else 0.0)
            for one, given in values.items()
        }
    return found


def to_json(runs: Sequence[SeedRun]) -> dict[str, Any]:
    """What `training/reports/seeds.json` holds."""
    summary = {
        name: {one: {"mean": mean, "sd": sd} for one, (mean, sd) in figures.items()}
        for name, figures in spread(runs).items()
    }
    return {"split": "dev", "seeds": [{"seed": run.seed, "scores": run.scores} for run in runs], "spread": summary}


def _scores(performance: dict[str, Any], prefix: str) -> dict[str, dict[str, float]]:
    """By type and for all, from the scores in a pipeline's meta. prefix: of their names; spancat has others."""
    micro = {ALL_TYPES: {one: performance[f"{prefix}_{one}"] or 0.0 for one in "prf"}}
    return {name: dict(figures) for name, figures in (performance.get(f"{prefix}_per_type") or {}).items()} | micro
