"""Chooses the CPU or a GPU, and sets up PyTorch and tokenizers for forked processes and for CPU memory."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from importlib.util import find_spec
from threading import Lock
from typing import Any

from domain_ner.errors import DomainNerError

CPU = -1
# The requirement of a pipeline: an older PyTorch can run code from a pickle despite weights_only=True (CVE-2026-24747).
TORCH = "torch>=2.10"
# The requirement of a pipeline that keeps NumPy's threads out of the way of PyTorch's.
THREADPOOLCTL = "threadpoolctl>=3.1,<4"
# Environment variable: whether tokenizers uses several threads.
TOKENIZERS = "TOKENIZERS_PARALLELISM"
# Environment variables: for how many matrix shapes PyTorch and oneDNN cache their kernels.
CACHE_LIMITS = {"LRU_CACHE_CAPACITY": "64", "ONEDNN_PRIMITIVE_CACHE_CAPACITY": "64"}


def choose_gpu(wanted: str) -> int:
    """Choose the GPU to use, or -1 for the CPU.

    wanted: `-1` for the CPU, `0` or higher for that GPU, `auto` for the first GPU, else the CPU.
    Raises DomainNerError when `wanted` is none of these, or that GPU cannot be used.
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
            f"GPU {gpu} was requested, but {missing}.", "Set vars.gpu_id to -1 for the CPU, or to auto."
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
    """Say why this GPU cannot be used; empty if it can."""
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
def use_one_thread_after_fork() -> None:
    """Limit PyTorch to one thread in processes that are forked from now on (`nlp.pipe` with `n_process`).

    A forked process waits for ever for OpenMP's threads, which exist only in its parent: spaCy #4667 and #6662,
    PyTorch #17199. Tokenizers stops using threads after a fork by itself, but warns of deadlocks each time, unless the
    environment variable is set before the fork.
    """
    set_here: list[str] = []

    def disable_tokenizer_threads() -> None:
        if TOKENIZERS not in os.environ:
            os.environ[TOKENIZERS] = "false"
            set_here.append(TOKENIZERS)

    def restore() -> None:
        while set_here:
            os.environ.pop(set_here.pop(), None)

    if hasattr(os, "register_at_fork"):
        os.register_at_fork(before=disable_tokenizer_threads, after_in_parent=restore, after_in_child=_use_one_thread)


def limit_kernel_cache() -> None:
    """Limit PyTorch's cache of kernels to few matrix shapes instead of 1,024, unless the environment sets a limit.

    Nearly every batch of passages has a new shape: the cache grows to over a gigabyte, and saves no time. Call this
    before the first bfloat16 multiplication on a CPU: PyTorch then reads the limit.
    """
    for name, n_shapes in CACHE_LIMITS.items():
        os.environ.setdefault(name, n_shapes)


class _BlasThreads:
    """Sets the threads of NumPy's BLAS to one while anything uses it, in any thread of this process."""

    def __init__(self) -> None:
        self._lock, self._n_users, self._limit = Lock(), 0, None
        if hasattr(os, "register_at_fork"):
            os.register_at_fork(after_in_child=self._unlock)

    def _unlock(self) -> None:
        """A forked process has only the thread that forked: no other will release the lock."""
        self._lock = Lock()

    @contextmanager
    def one(self) -> Iterator[None]:
        with self._lock:
            if not self._n_users and (blas := _blas()):
                self._limit = blas.limit(limits=1, user_api="blas")
            self._n_users += 1
        try:
            yield
        finally:
            with self._lock:
                self._n_users -= 1
                if not self._n_users and self._limit:
                    self._limit.restore_original_limits()


@cache
def _blas() -> Any:
    if not find_spec("threadpoolctl"):  # an older pipeline does not require it
        return None
    from threadpoolctl import ThreadpoolController  # noqa: PLC0415 (it looks through all libraries that are loaded)

    return ThreadpoolController()


one_blas_thread = _BlasThreads().one


def _use_one_thread() -> None:
    if "torch" in sys.modules:
        sys.modules["torch"].set_num_threads(1)
