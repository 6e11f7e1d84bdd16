"""Searches training settings with Optuna, by dev F1; it prunes weak trials and can be resumed."""

import json
import sqlite3
from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import srsly
from spacy.tokens import DocBin
from spacy.training.initialize import init_nlp
from thinc.api import Config, fix_random_seed

from domain_ner.corpus.damage import require_whole
from domain_ner.corpus.languages import blank
from domain_ner.corpus.registries import find_codecs_once
from domain_ner.errors import DomainNerError
from domain_ner.files import cannot_write, make_folder
from domain_ner.training.checkpoint import Progress
from domain_ner.training.config import epoch_lengths, replan
from domain_ner.training.loop import resolve, run_steps
from domain_ner.training.run import identify, read_config

# The first trials are never pruned: there is nothing to compare them with.
N_STARTUP = 3
# The head's learning rate, and the encoder's relative to it.
RATE = "training.optimizer.learn_rate.initial_rate"
FACTOR = "components.transformer.model.learn_rate_factor"
# The study's attribute that identifies its trainings.
IDENTITY = "domain-ner"
RANGE_KEYS = {"low", "high", "log", "step"}


@dataclass(frozen=True)
class TuningResult:
    """The best settings and their dev score; the number of trials, and of the pruned ones among them."""

    settings: dict[str, Any]
    score: float
    n_trials: int
    n_pruned: int


def read_space(path: Path) -> dict[str, dict[str, Any]]:
    """Read the search space: for each setting `low` and `high` (and `log` or `step`), or `choices`.

    Raises DomainNerError for an unreadable file, and for an entry that is neither.
    """
    try:
        space = srsly.read_yaml(path)
    except (OSError, ValueError) as err:
        raise DomainNerError(f"Cannot read the search space {path}: {err}.") from err
    if not isinstance(space, dict) or not space:
        raise DomainNerError(f"{path} has no search space; expected settings with low and high, or choices.")
    for name, entry in space.items():
        is_range = (
            isinstance(entry, dict) and {"low", "high"} <= set(entry) <= RANGE_KEYS and entry["low"] < entry["high"]
        )
        is_choice = isinstance(entry, dict) and set(entry) == {"choices"} and entry["choices"]
        if not (is_range or is_choice):
            raise DomainNerError(
                f"{path}: {name} is {entry!r}; expected low < high (log or step are optional), or choices."
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
) -> TuningResult:
    """Search until the study has `n_trials` trials.

    config: a training config. study: an SQLite file, created if missing. gpu: -1 for the CPU.
    on_trial: called after each trial with its number, its settings and its score (None if it was pruned).
    Raises DomainNerError for a study of another config, corpus, encoder or search space: the scores do not compare.
    """
    optuna = _import()
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    opened = _open(optuna, study)
    base = read_config(config, {}).interpolate()
    for name in ("train", "dev"):
        require_whole(Path(base["paths"][name]))
    _check_names(base, space)
    _check(opened, study, identify(base) | {"the search space": json.dumps(space)})
    # The same seed would suggest the settings of finished trials again.
    opened.sampler = optuna.samplers.TPESampler(seed=seed + len(opened.trials))
    _requeue_killed(optuna, opened)
    states = optuna.trial.TrialState

    def objective(trial: Any) -> float:
        settings = {name: _suggest(trial, name, entry) for name, entry in space.items()}
        overrides = settings | implied_settings(base, settings)
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

    ended = opened.get_trials(states=(states.COMPLETE, states.PRUNED))
    try:
        opened.optimize(objective, n_trials=max(0, n_trials - len(ended)))
    except optuna.exceptions.StorageInternalError as err:
        raise DomainNerError(f"Cannot write the study {study}: {err}", "Free disk space, and run it again.") from err
    ended = opened.get_trials(states=(states.COMPLETE, states.PRUNED))
    n_pruned = sum(trial.state == states.PRUNED for trial in ended)
    settings = dict(opened.best_params)
    factor = {name: value for name, value in implied_settings(base, settings).items() if name == FACTOR}
    return TuningResult(settings | factor, opened.best_value, len(ended), n_pruned)


def _open(optuna: Any, study: Path) -> Any:
    """Open or create the study in a file. Raises DomainNerError when the file is damaged or not writable."""
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
    except Exception as err:  # SQLite's errors, or optuna's wrappers of them
        raise DomainNerError(
            f"Cannot open the study {study}: {type(err).__name__}: {err}",
            "Make the file writable; if it is damaged, delete it to start a new search.",
        ) from err


def _require_whole_database(study: Path) -> None:
    with closing(sqlite3.connect(study)) as opened:
        result = opened.execute("PRAGMA integrity_check").fetchone()[0]
    if result != "ok":
        raise ValueError(result)


def implied_settings(config: Config, settings: Mapping[str, Any]) -> dict[str, Any]:
    """Derive dependent settings as create-config would: another rate of the head leaves the encoder's unchanged, and
    other batches change the number of steps, for the same number of epochs.

    config: interpolated.
    """
    derived: dict[str, Any] = {}
    transformer = config["components"].get("transformer")
    if RATE in settings and FACTOR not in settings and transformer is not None:
        before = config["training"]["optimizer"]["learn_rate"]["initial_rate"]
        derived[FACTOR] = transformer["model"]["learn_rate_factor"] * before / settings[RATE]
    if any(name.startswith("training.batcher.") for name in settings):
        changed = config.copy()
        for name, value in settings.items():
            if name.startswith("training.batcher."):
                changed["training"]["batcher"][name.rpartition(".")[2]] = value
        derived |= replan(changed, _lengths(config), epochs=config["training"]["max_epochs"])
    return derived


def _lengths(config: Config) -> list[int]:
    """List the tokens of each training document, as often as it occurs in an epoch."""
    find_codecs_once()
    vocab = blank(config["nlp"]["lang"]).vocab
    docs = list(DocBin().from_disk(config["paths"]["train"]).get_docs(vocab))
    return epoch_lengths(config["corpora"]["train"], docs, vocab)


def _check_names(config: Config, space: Mapping[str, Any]) -> None:
    """Raise DomainNerError for a setting that the config does not have."""
    for name in space:
        section: Any = config
        for part in name.split("."):
            if not isinstance(section, dict) or part not in section:
                raise DomainNerError(
                    f"The search space names {name}, which the config does not have.",
                    "Remove it from configs/search.yml; configs/config.cfg shows the existing settings.",
                )
            section = section[part]


def _suggest(trial: Any, name: str, entry: Mapping[str, Any]) -> Any:
    if "choices" in entry:
        return trial.suggest_categorical(name, list(entry["choices"]))
    is_whole = all(isinstance(entry[edge], int) for edge in ("low", "high"))
    return (trial.suggest_int if is_whole else trial.suggest_float)(name, **entry)


def _check(study: Any, path: Path, current: Mapping[str, str]) -> None:
    """Record the identity of a new study; raise DomainNerError if the study belongs to other trainings."""
    known = study.user_attrs.get(IDENTITY)
    if known is None:
        study.set_user_attr(IDENTITY, dict(current))
    elif changed := [name for name in {**known, **current} if known.get(name) != current.get(name)]:
        raise DomainNerError(
            f"The study {path} belongs to other trainings; changed since: {', '.join(changed)}.",
            "Delete the file to start a new search, or undo the change.",
        )


def _requeue_killed(optuna: Any, study: Any) -> None:
    """Try the settings of trials again that were running when the search was killed."""
    for trial in study.get_trials(states=(optuna.trial.TrialState.RUNNING,)):
        study.enqueue_trial(trial.params)
        study.tell(trial.number, state=optuna.trial.TrialState.FAIL)


def _import() -> Any:
    try:
        import optuna  # noqa: PLC0415
    except ImportError as err:
        raise DomainNerError(f"tune needs another package: {err}.", 'pip install -e ".[tune]"') from err
    return optuna
