"""Runs an exported encoder over wordpiece sequences of any number and length."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from domain_ner.onnx_encoder.encoder_file import EncoderFile
from domain_ner.onnx_encoder.sessions import Floats, Sessions
from domain_ner.onnx_encoder.wordpieces import WordpieceTokenizer
from domain_ner.transformer.batches import PassLimits, Rows, batches
from domain_ner.transformer.tokenizing import Special

# Batches that fit the processor's caches are faster, and a pass costs little.
LIMITS = PassLimits(512, 16)
IDS, MASK, STATES = "input_ids", "attention_mask", "last_hidden_state"


class OnnxEncoder:
    """An encoder and its tokenizer. file: as exported. threads: see `Sessions`."""

    def __init__(self, file: EncoderFile, threads: int = 0) -> None:
        self.file, self.threads = file, threads
        self._sessions = Sessions(file.onnx, threads)
        self._tokenizers: dict[int, WordpieceTokenizer] = {}

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle what it was made from: the tokenizer belongs to a process."""
        return OnnxEncoder, (self.file, self.threads)

    @property
    def special(self) -> Special:
        """The ids of the special wordpieces around a text."""
        return Special(self.file.facts.before, self.file.facts.after)

    @property
    def tokenizer(self) -> WordpieceTokenizer:
        """The tokenizer of this process."""
        process = self._sessions.enter_process()
        if process not in self._tokenizers:
            self._tokenizers = {process: WordpieceTokenizer(self.file.tokenizer, self._sessions.n_threads)}
        return self._tokenizers[process]

    def encode(self, rows: Rows) -> list[Floats]:
        """Compute the last hidden states of each row: (length, width). rows: wordpiece ids, special ones included."""
        groups = batches(rows, LIMITS)
        outputs = self._sessions.run([self._padded(rows, group) for group in groups], STATES)
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
