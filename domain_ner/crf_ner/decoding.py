"""Decodes lattice scores: the best path (Viterbi), the exact probability of any span, and all probable spans.

With NumPy alone: a packaged pipeline needs no PyTorch to decode.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from domain_ner.crf_ner.charts import (
    AFTER_ENTITY,
    AFTER_OUTSIDE,
    N_CLOSED,
    best_paths,
    sum_paths,
)
from domain_ner.crf_ner.probabilities import Floats, Ints, transition_table
from domain_ner.crf_ner.selection import ProbableSpan

Numbers = Any  # an int, or an array of them
BEGIN, UNIT, INSIDE, LAST = range(4)  # the kinds of tags, in the lattice's order
MAX_LOG = 700.0  # float64 holds its exponential


@dataclass(frozen=True)
class Decoded:
    """The entities of a document's best path and, on request, all its probable spans, in no order, and the expected
    number of entities of each type.
    """

    entities: list[ProbableSpan] = field(default_factory=list)
    probable: list[ProbableSpan] = field(default_factory=list)
    expected: list[float] = field(default_factory=list)


def decode(
    scores: Floats,
    transitions: Floats,
    lengths: Ints,
    *,
    floors: Sequence[float] = (),
    with_expected: bool = False,
) -> list[Decoded]:
    """Decode by Viterbi, with the exact marginal probability of each entity.

    scores: (n_docs, n_tokens, n_tags); transitions: as one vector; lengths: (n_docs,).
    floors: by type, the minimum log-probability of additional spans; empty: only the best path.
    with_expected: also compute the expected number of entities.
    """
    best = _BestPaths(scores, transitions)
    paths = [best.path(doc, length) for doc, length in enumerate(lengths.tolist())]
    if not floors and not with_expected and not any(paths):
        return [Decoded() for _ in paths]
    prober = SpanProbabilities(scores, transitions, lengths)
    expected = prober.expected().tolist() if with_expected else [[] for _ in paths]
    decoded = []
    for doc, path in enumerate(paths):
        entities = [ProbableSpan(*span, prober(doc, *span)) for span in path]
        decoded.append(Decoded(entities, list(prober.probable(doc, floors)) if floors else [], expected[doc]))
    return decoded


class SpanProbabilities:
    """The exact log-probability of a span as an entity of a type: the paths with it, relative to all paths."""

    def __init__(self, scores: Floats, transitions: Floats, lengths: Ints) -> None:
        sums = sum_paths(scores, transitions, lengths)
        self._n_types = (scores.shape[2] - 1) // 4
        self._lengths: list[int] = lengths.tolist()
        self._log_z, self._states, self._suffixes = sums.log_z, sums.states, sums.suffixes
        self._emissions = sums.emissions
        self._table = transition_table(transitions)

    def __call__(self, doc: int, start: int, end: int, label: int) -> float:
        """start, end: in tokens, end exclusive. label: the index of the type."""
        kinds = [UNIT] if end - start == 1 else [BEGIN, *[INSIDE] * (end - start - 2), LAST]
        first, *others = (_tag(kind, label, self._n_types) for kind in kinds)
        total = self._opened(doc, start, first) + self._suffixes[end, doc, AFTER_ENTITY]
        for n, tag in enumerate(others):
            total += self._step(doc, start + 1 + n, int(n > 0), tag)
        return float(total)

    def expected(self) -> Floats:
        """(n_docs, n_types) the expected number of entities: the sum over tokens of the probability of B or U there."""
        n_tokens, n_docs = self._emissions.shape[:2]
        after = {
            UNIT: self._suffixes[1:, :, AFTER_ENTITY, None],
            BEGIN: self._suffixes[1:, :, N_CLOSED : N_CLOSED + self._n_types],
        }
        # Sums of exponentials, scaled by the larger state: many times as fast as logaddexp.
        before = self._states[:-1, :, [AFTER_OUTSIDE, AFTER_ENTITY]]
        highest = before.max(axis=2, keepdims=True)
        weights = np.exp(before - np.where(np.isfinite(highest), highest, 0.0))
        weights *= (np.arange(n_tokens)[:, None] < np.asarray(self._lengths))[..., None]
        highest -= self._log_z[:, None]
        expected = np.zeros((n_docs, self._n_types))
        for kind, suffixes in after.items():
            tags = slice(_tag(kind, 0, self._n_types), _tag(kind, self._n_types, self._n_types))
            starts = self._emissions[:, :, tags] + suffixes
            starts += highest
            np.exp(np.minimum(starts, MAX_LOG, out=starts), out=starts)
            expected += np.einsum("tdk,tdk->dk", weights @ np.exp(self._table[:, tags]), starts)
        return expected

    def probable(self, doc: int, floors: Sequence[float]) -> Iterator[ProbableSpan]:
        """Yield all spans of a document whose log-probability reaches their type's floor, in no order.

        Spans grow token by token from all starts at once; a span is pruned when all its continuations together are
        less probable than the floor.
        """
        length, least, types = self._lengths[doc], np.asarray(floors), np.arange(self._n_types)
        positions = np.arange(length)[:, None]
        closed = self._opened(doc, positions, _tag(UNIT, types, self._n_types))
        closed += self._suffixes[1 : length + 1, doc, AFTER_ENTITY, None]
        starts, labels = np.nonzero(closed >= least)
        yield from _spans(starts, starts + 1, labels, closed[starts, labels])
        opened = self._opened(doc, positions, _tag(BEGIN, types, self._n_types))
        starts, labels = np.nonzero(opened + self._suffix(doc, positions + 1, 0, types) >= least)
        totals, n_grown = opened[starts, labels], 0
        while len(starts):
            source, ends = int(n_grown > 0), starts + 1 + n_grown
            kept = (ends < length) & (totals + self._suffix(doc, ends, source, labels) >= least[labels])
            starts, labels, totals, ends = starts[kept], labels[kept], totals[kept], ends[kept]
            closed = totals + self._step(doc, ends, source, _tag(LAST, labels, self._n_types))
            closed += self._suffixes[ends + 1, doc, AFTER_ENTITY]
            kept = closed >= least[labels]
            yield from _spans(starts[kept], ends[kept] + 1, labels[kept], closed[kept])
            totals = totals + self._step(doc, ends, source, _tag(INSIDE, labels, self._n_types))
            n_grown += 1

    def _opened(self, doc: int, positions: Numbers, tags: Numbers) -> Floats:
        """Log-weight of all paths up to tokens that are B or U of a type, relative to all paths."""
        states = self._states[positions, doc]
        outside = states[..., AFTER_OUTSIDE] + self._table[0, tags]
        entity = states[..., AFTER_ENTITY] + self._table[1, tags]
        summed: Floats = np.logaddexp(outside, entity) + self._emissions[positions, doc, tags] - self._log_z[doc]
        return summed

    def _step(self, doc: int, positions: Numbers, source: int, tags: Numbers) -> Floats:
        """Log-weight of a step from B (source 0) or I (1) to tokens that are I or L."""
        summed: Floats = self._table[source, tags] + self._emissions[positions, doc, tags]
        return summed

    def _suffix(self, doc: int, ends: Numbers, source: int, labels: Numbers) -> Floats:
        """Log-weight of all continuations after B (source 0) or I (1), the last token before `ends`."""
        suffixes: Floats = self._suffixes[ends, doc, N_CLOSED + source * self._n_types + labels]
        return suffixes


class _BestPaths:
    """Traces the best paths of a Viterbi chart backwards. What may be asked of any token is computed for all first."""

    def __init__(self, scores: Floats, transitions: Floats) -> None:
        states, emissions = best_paths(scores, transitions)
        self._table = transition_table(transitions)
        self._n_types = (self._table.shape[1] - 1) // 4
        # As lists: indexing arrays number by number is slow.
        self._closed: list[list[list[float]]] = states[:, :, :N_CLOSED].tolist()
        last, unit = self._within(states, LAST), _tag(UNIT, np.arange(self._n_types), self._n_types)
        outside, entity = states[:-1, :, AFTER_OUTSIDE, None], states[:-1, :, AFTER_ENTITY, None]
        units = np.maximum(outside + self._table[0, unit], entity + self._table[1, unit])
        ended = np.concatenate([units, last.scores], axis=2)
        ended += np.concatenate([emissions[:, :, unit], emissions[:, :, last.tags]], axis=2)
        # Of an entity that ends with a token: its type, plus the number of types if it has several tokens.
        self._ended: list[list[int]] = ended.argmax(axis=2).tolist()
        self._after_begin = {LAST: last.is_begin, INSIDE: self._within(states, INSIDE).is_begin}

    def path(self, doc: int, length: int) -> list[tuple[int, int, int]]:
        """Return the spans of the best path of one document."""
        spans: list[tuple[int, int, int]] = []
        t, is_entity = length, length > 0 and self._came_from_entity(doc, length, (0.0, 0.0))
        after_outside, after_entity = self._table[:, 0].tolist()
        while t > 0:
            if not is_entity:
                t -= 1
                is_entity = self._came_from_entity(doc, t, (after_outside, after_entity))
                continue
            is_long, label = divmod(self._ended[t - 1][doc], self._n_types)
            start = self._find_start(doc, t - 1, label) if is_long else t - 1
            kind = UNIT if t - start == 1 else BEGIN
            spans.append((start, t, label))
            t, is_entity = start, self._came_from_entity(doc, start, self._table[:, _tag(kind, label, self._n_types)])
        return spans[::-1]

    def _came_from_entity(self, doc: int, t: int, transition: Sequence[float] | Floats) -> bool:
        entity, outside = self._closed[t][doc]
        return bool(entity + transition[1] > outside + transition[0])

    def _find_start(self, doc: int, last: int, label: int) -> int:
        """Find the start of the best entity of a type that ends with L at token `last`."""
        t, kind = last, LAST
        while not self._after_begin[kind][t, doc, label]:
            t, kind = t - 1, INSIDE
        return t - 1

    def _within(self, states: Floats, kind: int) -> "_Within":
        """The best ways to tokens that are I or L."""
        tags = _tag(kind, np.arange(self._n_types), self._n_types)
        after_begin = states[:-1, :, N_CLOSED : N_CLOSED + self._n_types] + self._table[0, tags]
        after_inside = states[:-1, :, N_CLOSED + self._n_types :] + self._table[1, tags]
        return _Within(tags, np.maximum(after_begin, after_inside), after_begin >= after_inside)


class _Within(NamedTuple):
    """tags: (n_types,) I or L of each type. scores: (n_tokens, n_docs, n_types) of the best path to it, without its
    emission. is_begin: whether that comes from B, not from I.
    """

    tags: Ints
    scores: Floats
    is_begin: NDArray[np.bool_]


def _tag(kind: int, labels: Any, n_types: int) -> Any:
    """Return the index of a tag, or of several."""
    return 1 + kind * n_types + labels


def _spans(starts: Numbers, ends: Numbers, labels: Numbers, log_probs: Floats) -> Iterator[ProbableSpan]:
    arrays = starts, ends, labels, log_probs
    return (ProbableSpan(*values) for values in zip(*(values.tolist() for values in arrays), strict=True))
