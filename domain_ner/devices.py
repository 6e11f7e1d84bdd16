"""Which processor works: the CPU or a GPU, chosen by number or by what is there; and the CPU in forked processes."""

import os
import sys
from functools import cache
from importlib.util import find_spec

from domain_ner.errors import DomainNerError

CPU = -1
# What a pipeline asks for: with an older PyTorch a pickle can run code in spite of weights_only=True (CVE-2026-24747).
TORCH = "torch>=2.10"
# In the environment: whether tokenizers works with several threads.
TOKENIZERS = "TOKENIZERS_PARALLELISM"
# In the environment: of how many shapes of matrices PyTorch, and oneDNN under it, remember how to multiply them.
SHAPES = {"LRU_CACHE_CAPACITY": "64", "ONEDNN_PRIMITIVE_CACHE_CAPACITY": "64"}


def choose_gpu(wanted: str) -> int:
    """The GPU to use, or -1 for the CPU.

    wanted: `-1` for the CPU, `0` or higher for that GPU, `auto` for the first GPU, else the CPU.
    Raises DomainNerError when it is none of these, or that GPU cannot be used.
    """
    if wanted == "auto":
        return CPU if missing_for_gpu(0) else 0
    try:
        gpu = int(wanted)
    except ValueError:
        gpu = CPU - 1
    if gpu < CPU:
        raise DomainNerError(f"vars.gpu_id is {wanted!r}; expected -1 (the CPU), 0 or higher (that GPU), or auto.")
    missing = missing_for_gpu(gpu) if gpu != CPU else ""
    if missing:
        raise DomainNerError(
            f"GPU {gpu} was asked for, but {missing}.", "Set vars.gpu_id to -1 for the CPU, or to auto."
        )
    return gpu


def use_gpu(wanted: str) -> int:
    """Have spaCy work on a GPU or the CPU, chosen as by `choose_gpu`; gives the number of the GPU, or -1."""
    gpu = choose_gpu(wanted)
    if gpu != CPU:
        from thinc.api import require_gpu  # noqa: PLC0415 (takes long, and only a GPU needs it)

        require_gpu(gpu)
    return gpu


def missing_for_gpu(gpu: int) -> str:
    """What keeps this GPU from being used, or an empty string."""
    if not find_spec("torch"):
        return "PyTorch is not installed"
    import torch  # noqa: PLC0415 (a pipeline without a transformer is loaded without it)

    if not torch.cuda.is_available():
        return "PyTorch sees no GPU (no driver, or a build of PyTorch without CUDA)"
    if gpu >= torch.cuda.device_count():
        return f"there are only {torch.cuda.device_count()}, counted from 0"
    if not find_spec("cupy"):
        cuda = str(torch.version.cuda).split(".", maxsplit=1)[0]
        return f'cupy is not installed: pip install -e ".[cuda{cuda}x]"'
    return ""


@cache
def survive_forks() -> None:
    """Have PyTorch work with one thread in processes that are forked from now on (`nlp.pipe` with `n_process`).

    A fork takes the threads of OpenMP for alive, and waits for them for ever: spaCy #4667 and #6662, PyTorch #17199.
    Tokenizers goes without threads there of itself, but warns of deadlocks each time, unless told before the fork.
    """
    ours: list[str] = []

    def tell_tokenizers() -> None:
        if TOKENIZERS not in os.environ:
            os.environ[TOKENIZERS] = "false"
            ours.append(TOKENIZERS)

    def take_back() -> None:
        while ours:
            os.environ.pop(ours.pop(), None)

    if hasattr(os, "register_at_fork"):
        os.register_at_fork(before=tell_tokenizers, after_in_parent=take_back, after_in_child=_work_alone)


def remember_few_shapes() -> None:
    """Keep PyTorch from remembering 1,024 shapes of matrices, unless the environment says how many.

    Batches of passages have a new shape nearly each time: what is remembered of them takes over a gigabyte, and saves
    no time. To be called before anything is multiplied in bfloat16 on a CPU: then PyTorch reads how many.
    """
    for name, n_shapes in SHAPES.items():
        os.environ.setdefault(name, n_shapes)


def _work_alone() -> None:
    if "torch" in sys.modules:
        sys.modules["torch"].set_num_threads(1)
