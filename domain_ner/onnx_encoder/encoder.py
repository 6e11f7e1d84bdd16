"""Runs an exported encoder over wordpiece sequences of any number and length."""

import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import onnxruntime
from numpy.typing import NDArray

from domain_ner.errors import DomainNerError
from domain_ner.onnx_encoder.encoder_file import EncoderFile
from domain_ner.onnx_encoder.threads import count_threads
from domain_ner.onnx_encoder.wordpieces import WordpieceTokenizer
from domain_ner.transformer.batches import PassLimits, Rows, batches
from domain_ner.transformer.tokenizing import Special

Floats = NDArray[np.float32]
# Batches that fit the processor's caches are faster, and a pass costs little.
LIMITS = PassLimits(512, 16)
IDS, MASK, STATES = "input_ids", "attention_mask", "last_hidden_state"


class OnnxEncoder:
    """An encoder and its tokenizer. Sessions are started when first needed, in each process anew.

    file: as exported. threads: to use at most; 0: as many as the process has processors (see `count_threads`).
    Several batches run side by side, one on each thread; a single one is shared by all threads.
    """

    def __init__(self, file: EncoderFile, threads: int = 0) -> None:
        self.file, self.threads = file, threads
        self._process = -1
        self._n_threads = 1
        self._sessions: dict[int, Any] = {}
        self._workers: ThreadPoolExecutor | None = None
        self._tokenizer: WordpieceTokenizer | None = None

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle what it was made from: sessions and threads belong to a process."""
        return OnnxEncoder, (self.file, self.threads)

    @property
    def special(self) -> Special:
        """The ids of the special wordpieces around a text."""
        return Special(self.file.facts.before, self.file.facts.after)

    @property
    def tokenizer(self) -> WordpieceTokenizer:
        """The tokenizer."""
        self._enter_process()
        if self._tokenizer is None:
            self._tokenizer = WordpieceTokenizer(self.file.tokenizer, self._n_threads)
        return self._tokenizer

    def encode(self, rows: Rows) -> list[Floats]:
        """Compute the last hidden states of each row: (length, width). rows: wordpiece ids, special ones included."""
        self._enter_process()
        groups = batches(rows, LIMITS)
        inputs = [self._padded(rows, group) for group in groups]
        if len(groups) > 1 and self._n_threads > 1:
            run = self._session(1).run
            outputs = list(self._pool().map(lambda feed: run([STATES], feed)[0], inputs))
        else:
            run = self._session(self._n_threads).run
            outputs = [run([STATES], feed)[0] for feed in inputs]
        hidden: list[Floats] = [np.zeros((0, self.file.facts.width), dtype=np.float32)] * len(rows)
        for group, states in zip(groups, outputs, strict=True):
            for number, of_row in zip(group, states, strict=True):
                hidden[number] = of_row[: len(rows[number])]
        return hidden

    def _padded(self, rows: Rows, group: Sequence[int]) -> dict[str, NDArray[np.int64]]:
        longest = max(len(rows[number]) for number in group)
        ids = np.full((len(group), longest), self.file.facts.pad, dtype=np.int64)
        mask = np.zeros((len(group), longest), dtype=np.int64)
        for n, number in enumerate(group):
            ids[n, : len(rows[number])], mask[n, : len(rows[number])] = rows[number], 1
        return {IDS: ids, MASK: mask}

    def _enter_process(self) -> None:
        """Forget sessions and threads of the process that this one was forked from: they do not work here.

        A forked process uses one thread: there are several of them.
        """
        if self._process == os.getpid():
            return
        is_forked = self._process != -1
        self._sessions, self._workers, self._tokenizer = {}, None, None
        self._n_threads = 1 if is_forked else count_threads(self.threads)
        self._process = os.getpid()

    def _session(self, n_threads: int) -> Any:
        if n_threads not in self._sessions:
            self._sessions[n_threads] = start_session(self.file.onnx, n_threads)
        return self._sessions[n_threads]

    def _pool(self) -> ThreadPoolExecutor:
        if self._workers is None:
            self._workers = ThreadPoolExecutor(self._n_threads, thread_name_prefix="domain_ner-encoder")
        return self._workers


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
