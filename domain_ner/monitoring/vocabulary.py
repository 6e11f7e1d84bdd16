"""A sketch of the words of the training text, which tells whether a word is new but holds none of them.

A Bloom filter (Bloom 1970, "Space/Time Trade-offs in Hash Coding with Allowable Errors"): a known word is always known;
a new one is taken for known with a small probability. It holds bits of hashes: no word can be read from it, but whoever
has it can try whether a given word was (probably) there.
"""

from math import ceil, exp, log
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict

FALSE_POSITIVES = 0.01
Hashes = NDArray[np.uint64]
Known = NDArray[np.bool_]


class Sketch(BaseModel):
    """A vocabulary as it is stored. bits: hexadecimal, so that nothing looks like a word.

    false_positives: share of new words taken for known.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")
    n_words: int
    n_bits: int
    n_hashes: int
    false_positives: float
    bits: str


class Vocabulary:
    """The words of a text, as a Bloom filter. A word is spaCy's hash of its lower-case form (`token.lower`)."""

    def __init__(self, bits: Known, n_hashes: int, n_words: int) -> None:
        self._bits, self._n_hashes, self.n_words = bits, n_hashes, n_words

    @classmethod
    def of(cls, words: Hashes, false_positives: float = FALSE_POSITIVES) -> "Vocabulary":
        """Make a filter. words: (n,) hashes, repeated or not. false_positives: the share to aim at, 0..1."""
        distinct = np.unique(words)
        n_words = len(distinct)
        n_bits = 8 * ceil(max(1, -n_words * log(false_positives) / log(2) ** 2) / 8)
        vocabulary = cls(np.zeros(n_bits, dtype=bool), max(1, round(n_bits / max(n_words, 1) * log(2))), n_words)
        if n_words:
            vocabulary._bits[vocabulary._places(distinct)] = True
        return vocabulary

    @property
    def false_positives(self) -> float:
        """The expected share of new words that are taken for known."""
        return float((1 - exp(-self._n_hashes * self.n_words / len(self._bits))) ** self._n_hashes)

    def knows(self, words: Hashes) -> Known:
        """Whether each word is (probably) in the text. words: (n,) hashes; returns (n,)."""
        known: Known = self._bits[self._places(words)].all(axis=0)
        return known

    def to_sketch(self) -> Sketch:
        """Pack it for JSON."""
        return Sketch(
            n_words=self.n_words,
            n_bits=len(self._bits),
            n_hashes=self._n_hashes,
            false_positives=round(self.false_positives, 4),
            bits=np.packbits(self._bits).tobytes().hex(),
        )

    @classmethod
    def from_sketch(cls, sketch: Sketch) -> "Vocabulary":
        """Unpack it. Raises ValueError when the bits are damaged."""
        try:
            packed = bytes.fromhex(sketch.bits)
        except ValueError as err:
            raise ValueError(f"the vocabulary is damaged: {err}") from err
        bits = np.unpackbits(np.frombuffer(packed, dtype=np.uint8))
        if len(bits) != sketch.n_bits:
            raise ValueError(f"the vocabulary has {len(bits)} bits; expected {sketch.n_bits}")
        return cls(bits.astype(bool), sketch.n_hashes, sketch.n_words)

    def _places(self, words: Hashes) -> Any:
        """(n_hashes, n) places of the bits, by double hashing (Kirsch & Mitzenmacher 2006)."""
        first, second = words & np.uint64(0xFFFFFFFF), words >> np.uint64(32) | np.uint64(1)
        steps = np.arange(self._n_hashes, dtype=np.uint64)[:, None]
        return (first + steps * second) % np.uint64(len(self._bits))
