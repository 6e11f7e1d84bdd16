"""Searches training settings with Optuna, by dev F1; trials that fall behind are given up early, a search that was
interrupted goes on.
"""

import json
import sqlite3
from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import spacy
import srsly
from spacy.tokens import DocBin
from spacy.training.initialize import init_nlp
from thinc.api import Config, fix_random_seed

from domain_ner.corpus.damage import require_whole
from domain_ner.errors import DomainNerError
from domain_ner.files import cannot_write, make_folder
from domain_ner.training.checkpoint import Progress
from domain_ner.training.config import replan
from domain_ner.training.loop import resolve, run_steps
from domain_ner.training.oversampling import repeated_lengths
from domain_ner.training.run import identify, read_config

# Trials that are never given up: there is nothing to compare the first ones with.
N_STARTUP = 3
# The head's rate, and the encoder's as a share of it.
RATE = "training.optimizer.learn_rate.initial_rate"
FACTOR = "components.transformer.model.learn_rate_factor"
# What a study is of, among its attributes.
IDENTITY = "domain-ner"
KINDS = {"low", "high", "log", "step"}


@dataclass(frozen=True)
class Found:
    """The best settings and their dev score; how many trials there are, and how many of them were given up."""

    settings: dict[str, Any]
    score: float
    n_trials: int
    n_pruned: int


def read_space(path: Path) -> dict[str, dict[str, Any]]:
    """The search space: of each setting `low` and `high` (and `log` or `step`), or `choices`.

    Raises DomainNerError for a file that cannot be read, and for an entry that is neither.
    """
    try:
        space = srsly.read_yaml(path)
    except (OSError, ValueError) as err:
        raise DomainNerError(f"Cannot read the search space {path}: {err}.") from err
    if not isinstance(space, dict) or not space:
        raise DomainNerError(f"{path} holds no search space; expected settings with low and high, or choices.")
    for name, entry in space.items():
        is_range = isinstance(entry, dict) and {"low", "high"} <= set(entry) <= KINDS and entry["low"] < entry["high"]
        is_choice = isinstance(entry, dict) and set(entry) == {"choices"} and entry["choices"]
        if not (is_range or is_choice):
            raise DomainNerError(
                f"{path}: {name} is {entry!r}; expected low and high (low below high; log or step too), or choices."
            )
    return space


def tune(  # noqa: PLR0913
    config: Path,
    space: Mapping[str, Mapping[str, Any]],
    study: Path,
    *,
    n_trials: int,
    seed: int,
    gpu: int,
    on_trial: Callable[[int, Mapping[str, Any], float | None], None] = lambda *_: None,
) -> Found:
    """Search until the study has `n_trials` trials.

    config: a training config. study: an SQLite file, made when it is not there. gpu: -1 for the CPU.
    on_trial: called after each trial with its number, its settings and its score, None when it was given up.
    Raises DomainNerError for a study of another config, corpus, encoder or search space: its scores do not compare.
    """
    optuna = _import()
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    found = _open(optuna, study)
    given = read_config(config, {}).interpolate()
    for name in ("train", "dev"):
        require_whole(Path(given["paths"][name]))
    _check_names(given, space)
    _check(found, study, identify(given) | {"the search space": json.dumps(space)})
    # A seed that has been drawn from before would try the same settings again.
    found.sampler = optuna.samplers.TPESampler(seed=seed + len(found.trials))
    _take_up(optuna, found)
    states = optuna.trial.TrialState

    def objective(trial: Any) -> float:
        settings = {name: _suggest(trial, name, entry) for name, entry in space.items()}
        overrides = settings | implied(given, settings)
        nlp = init_nlp(read_config(config, overrides), use_gpu=gpu)
        fix_random_seed(nlp.config.interpolate()["training"]["seed"])
        training, progress = resolve(nlp), Progress()
        for info in run_steps(nlp, training, progress, on_batch=lambda _: None):
            if info is not None:
                trial.report(info["score"], len(progress.results))
                if trial.should_prune():
                    on_trial(trial.number, settings, None)
                    raise optuna.TrialPruned
        on_trial(trial.number, settings, progress.best[0])
        return progress.best[0]

    ended = found.get_trials(states=(states.COMPLETE, states.PRUNED))
    try:
        found.optimize(objective, n_trials=max(0, n_trials - len(ended)))
    except optuna.exceptions.StorageInternalError as err:
        raise DomainNerError(f"Cannot write the study {study}: {err}", "Free space there, and run it again.") from err
    ended = found.get_trials(states=(states.COMPLETE, states.PRUNED))
    n_pruned = sum(trial.state == states.PRUNED for trial in ended)
    settings = dict(found.best_params)
    told = {name: value for name, value in implied(given, settings).items() if name == FACTOR}
    return Found(settings | told, found.best_value, len(ended), n_pruned)


def _open(optuna: Any, study: Path) -> Any:
    """The study in a file, or a new one. Raises DomainNerError where the file is damaged or cannot be written to."""
    try:
        make_folder(study.parent)
        if study.is_file():
            _require_whole_database(study)
        return optuna.create_study(
            storage=f"sqlite:///{study}",
            study_name="domain-ner",
            pruner=optuna.pruners.MedianPruner(n_startup_trials=N_STARTUP, n_warmup_steps=1),
            direction="maximize",
            load_if_exists=True,
        )
    except OSError as err:
        raise cannot_write(study, err) from err
    except Exception as err:  # of SQLite, or of what optuna puts between
        raise DomainNerError(
            f"The study {study} cannot be opened: {type(err).__name__}: {err}",
            "Make it a file you may write to; where it is damaged, delete it to search anew.",
        ) from err


def _require_whole_database(study: Path) -> None:
    with closing(sqlite3.connect(study)) as opened:
        told = opened.execute("PRAGMA integrity_check").fetchone()[0]
    if told != "ok":
        raise ValueError(told)


def implied(config: Config, settings: Mapping[str, Any]) -> dict[str, Any]:
    """What follows from settings, as create-config would have it: another rate of the head leaves the encoder's as it
    is, and other batches make other steps of as many epochs.

    config: interpolated.
    """
    found: dict[str, Any] = {}
    transformer = config["components"].get("transformer")
    if RATE in settings and FACTOR not in settings and transformer is not None:
        before = config["training"]["optimizer"]["learn_rate"]["initial_rate"]
        found[FACTOR] = transformer["model"]["learn_rate_factor"] * before / settings[RATE]
    if any(name.startswith("training.batcher.") for name in settings):
        changed = config.copy()
        for name, value in settings.items():
            if name.startswith("training.batcher."):
                changed["training"]["batcher"][name.rpartition(".")[2]] = value
        found |= replan(changed, _lengths(config), epochs=config["training"]["max_epochs"])
    return found


def _lengths(config: Config) -> list[int]:
    """Tokens of each training document, as often as it comes in an epoch."""
    docs = list(DocBin().from_disk(config["paths"]["train"]).get_docs(spacy.blank(config["nlp"]["lang"]).vocab))
    reader = config["corpora"]["train"]
    return repeated_lengths(docs, threshold=reader.get("threshold", 0.0), seed=reader.get("seed", 0))


def _check_names(config: Config, space: Mapping[str, Any]) -> None:
    """Raises DomainNerError for a setting that the config has not."""
    for name in space:
        section: Any = config
        for part in name.split("."):
            if not isinstance(section, dict) or part not in section:
                raise DomainNerError(
                    f"The search space names {name}, which the config has not.",
                    "Take it out of configs/search.yml; configs/config.cfg shows the settings there are.",
                )
            section = section[part]


def _suggest(trial: Any, name: str, entry: Mapping[str, Any]) -> Any:
    if "choices" in entry:
        return trial.suggest_categorical(name, list(entry["choices"]))
    is_whole = all(isinstance(entry[edge], int) for edge in ("low", "high"))
    return (trial.suggest_int if is_whole else trial.suggest_float)(name, **entry)


def _check(study: Any, path: Path, now: Mapping[str, str]) -> None:
    """Let a study say what it is of, and be of nothing else."""
    known = study.user_attrs.get(IDENTITY)
    if known is None:
        study.set_user_attr(IDENTITY, dict(now))
    elif other := [name for name in {**known, **now} if known.get(name) != now.get(name)]:
        raise DomainNerError(
            f"The study {path} is of other trainings; changed since: {', '.join(other)}.",
            "Delete the file to search anew, or undo the change.",
        )


def _take_up(optuna: Any, study: Any) -> None:
    """A trial that was running when the search was killed is tried again with its settings."""
    for trial in study.get_trials(states=(optuna.trial.TrialState.RUNNING,)):
        study.enqueue_trial(trial.params)
        study.tell(trial.number, state=optuna.trial.TrialState.FAIL)


def _import() -> Any:
    try:
        import optuna  # noqa: PLC0415
    except ImportError as err:
        raise DomainNerError(f"tune needs another package: {err}.", 'pip install -e ".[tune]"') from err
    return optuna
