"""Checkpoints of a training, from which a killed run resumes exactly.

A checkpoint has the weights, the optimizer's moments and averages, the random generators, the position in the data and
the best pipeline so far. It is written whole or not at all. Other data of a pipeline come from its initialisation. Two
checkpoints are kept: the older is removed once the newer is on disk, and used if the newer is damaged.
"""

import json
import math
import random
import sys
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from spacy.language import Language
from thinc.api import Optimizer
from thinc.backends import get_array_ops

from domain_ner.files import atomic_path, discard, find_damage, link_folder, seal

PREFIX = "checkpoint-"
KEPT = 2
ARRAYS, STATE, BEST = "arrays.npz", "state.json", "model-best"
# The exceptions that a damaged file can raise.
DAMAGED = (OSError, ValueError, KeyError, TypeError, AttributeError, EOFError, zipfile.BadZipFile)
MOMENTS = ("mom1", "mom2", "averages")
GENERATOR = "generator"
COUNTS = ("nr_update", "last_seen")
Arrays = dict[str, NDArray[Any]]


@dataclass
class Progress:
    """The progress of a training. A result is a score on dev and the step after which it was measured.

    step: batches learned. n_words: tokens in them. losses: since the last evaluation. rows: a dict for each evaluation.
    is_finished: training is complete.
    """

    step: int = 0
    n_words: int = 0
    seconds: float = 0.0
    losses: dict[str, float] = field(default_factory=dict)
    results: list[tuple[float, int]] = field(default_factory=list)
    rows: list[dict[str, Any]] = field(default_factory=list)
    is_finished: bool = False

    @property
    def best(self) -> tuple[float, int]:
        """The best result, the earliest on a tie."""
        score, step = max((score, -step) for score, step in self.results)
        return score, -step


@dataclass(frozen=True)
class Checkpoint:
    """The content of a checkpoint. `run` identifies its run: only the same run can resume from it.

    folder: from which it was read.
    """

    folder: Path
    run: dict[str, str]
    progress: Progress
    counts: dict[str, dict[str, int]]
    generators: dict[str, Any]
    arrays: Arrays

    def restore(self, nlp: Language, optimizer: Optimizer) -> None:
        """Restore the pipeline, the optimizer and the random generators."""
        for name, weights in _weights(nlp):
            if name in self.arrays:
                weights.set(self.arrays[name])
            for moment in MOMENTS:
                if f"{moment}/{name}" in self.arrays:
                    getattr(optimizer, moment)[weights.key] = weights.like(self.arrays[f"{moment}/{name}"])
            for count in COUNTS:
                if name in self.counts[count]:
                    getattr(optimizer, count)[weights.key] = self.counts[count][name]
        for _ in range(self.progress.step):
            optimizer.step_schedules()
        set_generators(self.generators, self.arrays)

    def restore_best(self, place: Path) -> None:
        """Copy the best pipeline of that time to `place`, if there was one."""
        if (self.folder / BEST).is_dir():
            with atomic_path(place) as new:
                link_folder(self.folder / BEST, new)

    def find_mismatch(self, nlp: Language) -> str:
        """Describe the first array whose name or shape does not fit this pipeline; empty if all fit."""
        shapes = {name: weights.get().shape for name, weights in _weights(nlp)}
        for name, array in self.arrays.items():
            moment, _, rest = name.partition("/")
            of = rest if moment in MOMENTS else name
            if moment == GENERATOR:
                continue
            if of not in shapes:
                return f"it has {name}, which the pipeline does not have"
            # An optimizer may flatten its moments.
            expected = shapes[of] if moment not in MOMENTS or array.ndim > 1 else (math.prod(shapes[of]),)
            if array.shape != expected:
                return f"{name} has the shape {array.shape}, expected {expected}"
        return ""


@dataclass(frozen=True)
class LoadedCheckpoint:
    """The last undamaged checkpoint, if any. damaged: a message for each later, damaged one."""

    checkpoint: Checkpoint | None = None
    damaged: tuple[str, ...] = ()


def save(  # noqa: PLR0913
    folder: Path,
    run: dict[str, str],
    progress: Progress,
    nlp: Language,
    optimizer: Optimizer,
    *,
    best: Path | None = None,
) -> None:
    """Write a checkpoint into `folder`, and remove all but the last two. best: the best pipeline so far."""
    arrays: Arrays = {}
    counts: dict[str, dict[str, int]] = {count: {} for count in COUNTS}
    for name, weights in _weights(nlp):
        if weights.is_learned:
            arrays[name] = weights.get()
        for moment in MOMENTS:
            if weights.key in (getattr(optimizer, moment) or {}):
                arrays[f"{moment}/{name}"] = _to_numpy(getattr(optimizer, moment)[weights.key])
        for count in COUNTS:
            if weights.key in getattr(optimizer, count):
                counts[count][name] = getattr(optimizer, count)[weights.key]
    generators = get_generators(arrays)
    place = folder / f"{PREFIX}{progress.step}"
    with atomic_path(place) as new:
        new.mkdir()
        np.savez(new / ARRAYS, allow_pickle=False, **arrays)
        state = {"run": run, "progress": asdict(progress), "counts": counts, "generators": generators}
        (new / STATE).write_text(json.dumps(state | {"arrays": sorted(arrays)}), encoding="utf8")
        if best is not None and best.is_dir():
            link_folder(best, new / BEST)
        seal(new)
    for path in _checkpoints(folder)[:-KEPT]:
        discard(path)


def load(folder: Path, find_mismatch: Callable[[Checkpoint], str] = lambda _: "") -> LoadedCheckpoint:
    """Load the last undamaged checkpoint in `folder`; unknown progress fields of other versions are ignored.

    find_mismatch: describes why a checkpoint does not fit the pipeline; empty if it fits.
    """
    damaged: list[str] = []
    for path in reversed(_checkpoints(folder)):
        damage = find_damage(path)
        if not damage:
            try:
                loaded = _read(path)
                damage = find_mismatch(loaded)
            except DAMAGED as err:
                damage = f"it cannot be read: {type(err).__name__}: {err}"
            if not damage:
                return LoadedCheckpoint(loaded, tuple(damaged))
        damaged.append(f"{path} is damaged: {damage}")
    return LoadedCheckpoint(None, tuple(damaged))


def remove_later(folder: Path, step: int) -> None:
    """Remove the checkpoints of later steps: they are damaged, and must not count as the last ones."""
    for path in _checkpoints(folder):
        if _step(path) > step:
            discard(path)


def _read(path: Path) -> Checkpoint:
    state = json.loads((path / STATE).read_text(encoding="utf8"))
    known = {item.name for item in fields(Progress)}
    progress = Progress(**{name: value for name, value in state["progress"].items() if name in known})
    progress.results = [(score, step) for score, step in progress.results]
    with np.load(path / ARRAYS, allow_pickle=False) as stored:
        arrays = dict(stored)
    if missing := sorted({*state["arrays"]} ^ {*arrays}):
        raise ValueError(f"{ARRAYS} and {STATE} name different arrays: {missing[0]}")
    return Checkpoint(path, state["run"], progress, state["counts"], state["generators"], arrays)


def get_generators(arrays: Arrays) -> dict[str, Any]:
    """Return the states of the random generators of Python, numpy and PyTorch; PyTorch's are added to `arrays`."""
    kind, keys, *rest = np.random.get_state(legacy=True)
    arrays[f"{GENERATOR}/numpy"] = np.asarray(keys)
    if torch := sys.modules.get("torch"):
        arrays[f"{GENERATOR}/torch"] = torch.get_rng_state().numpy()
        for n, state in enumerate(torch.cuda.get_rng_state_all() if torch.cuda.is_available() else ()):
            arrays[f"{GENERATOR}/cuda/{n}"] = state.numpy()
    return {"python": random.getstate(), "numpy": [kind, *rest]}


def set_generators(states: dict[str, Any], arrays: Arrays) -> None:
    """Restore the states of `get_generators`."""
    version, keys, gauss = states["python"]
    random.setstate((version, tuple(keys), gauss))
    kind, *rest = states["numpy"]
    np.random.set_state((kind, arrays["generator/numpy"], *rest))
    if (torch := sys.modules.get("torch")) and f"{GENERATOR}/torch" in arrays:
        torch.set_rng_state(torch.from_numpy(arrays[f"{GENERATOR}/torch"]))
        for n in range(torch.cuda.device_count() if torch.cuda.is_available() else 0):
            if f"{GENERATOR}/cuda/{n}" in arrays:
                torch.cuda.set_rng_state(torch.from_numpy(arrays[f"{GENERATOR}/cuda/{n}"]), n)


@dataclass(frozen=True)
class _Weights:
    """An array of weights. key: its key in the optimizer. is_learned: it is not frozen."""

    key: tuple[int, str]
    get: Callable[[], NDArray[Any]]
    set: Callable[[NDArray[Any]], None]
    like: Callable[[NDArray[Any]], Any]
    is_learned: bool = True


def _weights(nlp: Language) -> Iterator[tuple[str, _Weights]]:
    """Yield all weights with names that are the same in every process, unlike thinc's layer ids."""
    for pipe_name, pipe in nlp.pipeline:
        model: Any = getattr(pipe, "model", None)
        for n, node in enumerate(model.walk() if model else ()):
            for name in node.param_names:
                if node.has_param(name):
                    yield f"{pipe_name}/{n}/{name}", _of_layer(node, name)
            for shim in node.shims:
                module = getattr(shim, "_model", None)
                for name, tensor in module.named_parameters() if module is not None else ():
                    yield f"{pipe_name}/{n}/{name}", _of_torch(shim, name, tensor)


def _of_layer(node: Any, name: str) -> _Weights:
    return _Weights(
        (node.id, name),
        lambda: _to_numpy(node.get_param(name)),
        lambda array: node.set_param(name, node.ops.asarray(array)),
        node.ops.asarray,
    )


def _of_torch(shim: Any, name: str, tensor: Any) -> _Weights:
    import torch  # noqa: PLC0415 (a pipeline without a transformer is trained without it)
    from thinc.api import torch2xp  # noqa: PLC0415

    def put(array: NDArray[Any]) -> None:
        with torch.no_grad():
            tensor.copy_(torch.from_numpy(array))

    return _Weights(
        (shim.id, name),
        lambda: tensor.detach().cpu().numpy().copy(),
        put,
        lambda array: torch2xp(torch.from_numpy(array).to(tensor.device)),
        tensor.requires_grad,
    )


def _to_numpy(array: Any) -> NDArray[Any]:
    converted: NDArray[Any] = get_array_ops(array).to_numpy(array)
    return converted


def _checkpoints(folder: Path) -> list[Path]:
    """List the checkpoints in a folder, the last one last."""
    paths = [path for path in folder.glob(f"{PREFIX}*") if path.name.removeprefix(PREFIX).isdigit()]
    return sorted(paths, key=_step)


def _step(path: Path) -> int:
    return int(path.name.removeprefix(PREFIX))
