"""Where training stands, written so that a run that was killed goes on as if nothing had happened.

Weights, the optimizer's moments and averages, the random generators and the place in the data; a checkpoint is there
whole or not at all. What a pipeline keeps beside weights comes from initialising it anew.
"""

import json
import random
import shutil
import sys
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from spacy.language import Language
from thinc.api import Optimizer
from thinc.backends import get_array_ops

from domain_ner.files import atomic_path

PREFIX = "checkpoint-"
MOMENTS = ("mom1", "mom2", "averages")
COUNTS = ("nr_update", "last_seen")
Arrays = dict[str, NDArray[Any]]


@dataclass
class Progress:
    """How far training has come. A result is a score on dev and the step after which it was had.

    step: batches learned. n_words: tokens in them. losses: since the last evaluation. rows: a dict for each evaluation.
    is_finished: there is nothing left to learn.
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
        """The best result, the earliest of equals."""
        score, step = max((score, -step) for score, step in self.results)
        return score, -step


@dataclass(frozen=True)
class Checkpoint:
    """What a checkpoint holds. `run` tells which run it is of: only the very same run can go on from it."""

    run: dict[str, str]
    progress: Progress
    counts: dict[str, dict[str, int]]
    generators: dict[str, Any]
    arrays: Arrays

    def restore(self, nlp: Language, optimizer: Optimizer) -> None:
        """Set the pipeline, the optimizer and the random generators as they were."""
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


def save(folder: Path, run: dict[str, str], progress: Progress, nlp: Language, optimizer: Optimizer) -> None:
    """Write a checkpoint into `folder`, and remove the former ones."""
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
    former = [path for path in _checkpoints(folder) if path != place]
    with atomic_path(place) as new:
        new.mkdir()
        np.savez(new / "arrays.npz", allow_pickle=False, **arrays)
        state = {"run": run, "progress": asdict(progress), "counts": counts, "generators": generators}
        (new / "state.json").write_text(json.dumps(state), encoding="utf8")
    for path in former:
        shutil.rmtree(path, ignore_errors=True)


def load(folder: Path) -> Checkpoint | None:
    """The last checkpoint in `folder`, if there is one, as far as this version knows what it says."""
    found = _checkpoints(folder)
    if not found:
        return None
    state = json.loads((found[-1] / "state.json").read_text(encoding="utf8"))
    known = {item.name for item in fields(Progress)}
    progress = Progress(**{name: value for name, value in state["progress"].items() if name in known})
    progress.results = [(score, step) for score, step in progress.results]
    with np.load(found[-1] / "arrays.npz", allow_pickle=False) as stored:
        arrays = dict(stored)
    return Checkpoint(state["run"], progress, state["counts"], state["generators"], arrays)


def get_generators(arrays: Arrays) -> dict[str, Any]:
    """The states of the random generators of Python, numpy and PyTorch; those of PyTorch go into `arrays`."""
    kind, keys, *rest = np.random.get_state(legacy=True)
    arrays["generator/numpy"] = np.asarray(keys)
    if torch := sys.modules.get("torch"):
        arrays["generator/torch"] = torch.get_rng_state().numpy()
        for n, state in enumerate(torch.cuda.get_rng_state_all() if torch.cuda.is_available() else ()):
            arrays[f"generator/cuda/{n}"] = state.numpy()
    return {"python": random.getstate(), "numpy": [kind, *rest]}


def set_generators(states: dict[str, Any], arrays: Arrays) -> None:
    """The inverse of `get_generators`."""
    version, keys, gauss = states["python"]
    random.setstate((version, tuple(keys), gauss))
    kind, *rest = states["numpy"]
    np.random.set_state((kind, arrays["generator/numpy"], *rest))
    if (torch := sys.modules.get("torch")) and "generator/torch" in arrays:
        torch.set_rng_state(torch.from_numpy(arrays["generator/torch"]))
        for n in range(torch.cuda.device_count() if torch.cuda.is_available() else 0):
            if f"generator/cuda/{n}" in arrays:
                torch.cuda.set_rng_state(torch.from_numpy(arrays[f"generator/cuda/{n}"]), n)


@dataclass(frozen=True)
class _Weights:
    """One array of weights. key: the optimizer's for it. is_learned: it is not frozen."""

    key: tuple[int, str]
    get: Callable[[], NDArray[Any]]
    set: Callable[[NDArray[Any]], None]
    like: Callable[[NDArray[Any]], Any]
    is_learned: bool = True


def _weights(nlp: Language) -> Iterator[tuple[str, _Weights]]:
    """All weights with names that are the same in every process, unlike the numbers that thinc gives its layers."""
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
    """The checkpoints in a folder, the last one last."""
    found = [path for path in folder.glob(f"{PREFIX}*") if path.name.removeprefix(PREFIX).isdigit()]
    return sorted(found, key=lambda path: int(path.name.removeprefix(PREFIX)))
