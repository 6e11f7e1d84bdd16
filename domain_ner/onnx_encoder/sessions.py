"""Runs an ONNX model in onnxruntime: sessions and threads of this process, anew after a fork."""

import os
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import onnxruntime
from numpy.typing import NDArray

from domain_ner.errors import DomainNerError
from domain_ner.onnx_encoder.threads import count_threads

Floats = NDArray[np.float32]


class Sessions:
    """The sessions of a model. They are started when first needed, in each process anew.

    onnx: the model. threads: to use at most; 0: as many as the process has processors (see `count_threads`).
    Several batches run side by side, one on each thread; a single one is shared by all threads.
    """

    def __init__(self, onnx: bytes, threads: int = 0) -> None:
        self.onnx, self.threads = onnx, threads
        self._process = -1
        self._n_threads = 1
        self._sessions: dict[int, Any] = {}
        self._workers: ThreadPoolExecutor | None = None

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle what it was made from: sessions and threads belong to a process."""
        return Sessions, (self.onnx, self.threads)

    def enter_process(self) -> int:
        """Forget sessions and threads of the process that this one was forked from: they do not work here.

        A forked process uses one thread: there are several of them. Returns the number of this process.
        """
        process = os.getpid()
        if self._process != process:
            is_forked = self._process != -1
            self._sessions, self._workers = {}, None
            self._n_threads = 1 if is_forked else count_threads(self.threads)
            self._process = process
        return process

    @property
    def n_threads(self) -> int:
        """The number of threads that this process uses."""
        self.enter_process()
        return self._n_threads

    def run(self, feeds: Sequence[Mapping[str, Any]], output: str) -> list[Floats]:
        """Run the model on each batch of inputs. output: the name of the output to return."""
        n_threads = self.n_threads
        if len(feeds) > 1 and n_threads > 1:
            run = self._session(1).run
            if self._workers is None:
                self._workers = ThreadPoolExecutor(n_threads, thread_name_prefix="domain_ner-encoder")
            return list(self._workers.map(lambda feed: run([output], feed)[0], feeds))
        run = self._session(n_threads).run
        return [run([output], feed)[0] for feed in feeds]

    def _session(self, n_threads: int) -> Any:
        if n_threads not in self._sessions:
            self._sessions[n_threads] = start_session(self.onnx, n_threads)
        return self._sessions[n_threads]


def start_session(onnx: bytes, n_threads: int) -> Any:
    """Start an onnxruntime session on the CPU.

    Raises DomainNerError when this onnxruntime cannot run the model.
    """
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads, options.inter_op_num_threads = n_threads, 1
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    # The file is optimised already. Higher levels would fuse layer normalisation to a kernel that is slower.
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_BASIC
    options.log_severity_level = 3
    try:
        return onnxruntime.InferenceSession(onnx, options, providers=["CPUExecutionProvider"])
    except Exception as err:  # onnxruntime's own classes have no common base
        raise DomainNerError(
            f"onnxruntime {onnxruntime.__version__} cannot run the encoder: {str(err).splitlines()[0]}",
            "pip install --upgrade onnxruntime, or make the pipeline again with `domain-ner optimize`.",
        ) from err
