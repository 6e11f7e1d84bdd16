"""From the scores of a lattice to entities: the best path (Viterbi), the exact probability of any span, and all
probable spans.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from domain_ner.crf_ner.lattice import (
    Chart,
    Emissions,
    Transitions,
    backward_chart,
    forward_chart,
    log_partition,
    split_emissions,
    split_transitions,
)
from domain_ner.crf_ner.selection import Found

Floats = NDArray[np.float32]
# Spans less probable than this are not looked for.
MIN_PROBABLE = 0.01


@dataclass(frozen=True)
class Decoded:
    """The entities of the best path of a document, and where asked for all its probable spans, in no order."""

    entities: list[Found] = field(default_factory=list)
    probable: list[Found] = field(default_factory=list)


def decode(scores: Tensor, flat: Tensor, lengths: Tensor, *, with_probable: bool = False) -> list[Decoded]:
    """Viterbi, and of each span found its exact marginal probability.

    scores: (n_docs, n_tokens, n_tags); flat: transitions as one vector; lengths: (n_docs,).
    """
    transitions = split_transitions(flat, (scores.shape[2] - 1) // 4)
    emissions = split_emissions(scores)
    best = _Best(forward_chart(emissions, transitions, best=True), transitions)
    paths = [best.path(doc, length) for doc, length in enumerate(lengths.tolist())]
    if not with_probable and not any(paths):
        return [Decoded() for _ in paths]
    prober = SpanProbabilities(scores, flat, lengths)
    found = []
    for doc, path in enumerate(paths):
        entities = [Found(*span, prober(doc, *span)) for span in path]
        found.append(Decoded(entities, list(prober.probable(doc, MIN_PROBABLE)) if with_probable else []))
    return found


class SpanProbabilities:
    """The exact log-probability that a span is an entity of a type: of all paths that hold it, over all paths."""

    def __init__(self, scores: Tensor, flat: Tensor, lengths: Tensor) -> None:
        transitions = split_transitions(flat, (scores.shape[2] - 1) // 4)
        emissions = split_emissions(scores)
        chart = forward_chart(emissions, transitions)
        suffixes = backward_chart(emissions, transitions, lengths)
        self._lengths: list[int] = lengths.tolist()
        self._log_z = _numpy(log_partition(chart, lengths))
        self._before = _numpy(torch.stack([chart.outside, chart.entity]))
        self._after, self._within = _numpy(suffixes.entity), _numpy(suffixes.within)
        self._emissions = Emissions(*map(_numpy, emissions))
        self._transitions = Transitions(*map(_numpy, transitions))

    def __call__(self, doc: int, start: int, end: int, label: int) -> float:
        """start, end: in tokens, end exclusive. label: the type's number."""
        kind = 1 if end - start == 1 else 0
        total = self._opened(doc, kind)[start, label] + self._after[end, doc]
        for position in range(start + 1, end):
            total += self._step(doc, position, int(position > start + 1), int(position == end - 1))[label]
        return min(0.0, float(total))

    def probable(self, doc: int, floor: float) -> Iterator[Found]:
        """All spans of a document with a probability of at least `floor`, in no order.

        Spans grow token by token from all starts at once; one is given up when even all that may come of it together
        is less probable.
        """
        length, least = self._lengths[doc], np.log(floor)
        closed = self._opened(doc, 1)[:length] + self._after[1 : length + 1, doc, None]
        for start, label in np.argwhere(closed >= least):
            yield Found(int(start), int(start) + 1, int(label), min(0.0, float(closed[start, label])))
        opened = self._opened(doc, 0)[:length]
        likely = np.argwhere(opened + self._within[1 : length + 1, doc, 0] >= least)
        growing = [(int(start), int(label), opened[start, label]) for start, label in likely]
        n_grown = 0
        while growing:
            kept = []
            for start, label, total in growing:
                position = start + 1 + n_grown
                if position >= length or total + self._within[position, doc, int(n_grown > 0), label] < least:
                    continue
                last = total + self._step(doc, position, int(n_grown > 0), 1)[label] + self._after[position + 1, doc]
                if last >= least:
                    yield Found(start, position + 1, label, min(0.0, float(last)))
                kept.append((start, label, total + self._step(doc, position, int(n_grown > 0), 0)[label]))
            growing, n_grown = kept, n_grown + 1

    def _opened(self, doc: int, kind: int) -> Floats:
        """(n_tokens, n_types) log-weight of all ways to a token that is B (kind 0) or U (1) of a type, over all ways
        there are.
        """
        before = self._before[:, :-1, doc, None] + self._transitions.opening[:, None, kind]
        summed: Floats = np.logaddexp(before[0], before[1]) + self._emissions.opening[:, doc, kind] - self._log_z[doc]
        return summed

    def _step(self, doc: int, position: int, source: int, target: int) -> Floats:
        """(n_types,) log-weight of a token after B (source 0) or I (1) that is I (target 0) or L (1)."""
        summed: Floats = self._transitions.inner[source, target] + self._emissions.inner[position, doc, target]
        return summed


class _Best:
    """Follows the best paths of a chart of maxima backwards."""

    def __init__(self, chart: Chart, transitions: Transitions) -> None:
        self._outside, self._entity = chart.outside.tolist(), chart.entity.tolist()
        # What an entity may end with: U, or L, of every type.
        self._closing = _numpy(torch.stack([chart.opening[:, :, 1], chart.inner[:, :, 1]], dim=2))
        self._within = _numpy(chart.within)
        self._transitions = Transitions(*map(_numpy, transitions))

    def path(self, doc: int, length: int) -> list[tuple[int, int, int]]:
        """The spans of the best path of one document."""
        spans: list[tuple[int, int, int]] = []
        t, is_entity = length, length > 0 and self._entity[length][doc] > self._outside[length][doc]
        while t > 0:
            if not is_entity:
                t -= 1
                is_entity = self._came_from_entity(doc, t, self._transitions.outside)
                continue
            closing = self._closing[t - 1, doc]
            is_long, label = divmod(int(closing.argmax()), closing.shape[1])
            start = self._find_start(doc, t - 1, label) if is_long else t - 1
            spans.append((start, t, label))
            t, is_entity = start, self._came_from_entity(doc, start, self._transitions.opening[:, 1 - is_long, label])
        return spans[::-1]

    def _came_from_entity(self, doc: int, t: int, transition: Any) -> bool:
        return bool(self._entity[t][doc] + transition[1] > self._outside[t][doc] + transition[0])

    def _find_start(self, doc: int, last: int, label: int) -> int:
        """The token where the best entity of a type that ends with L at token `last` begins."""
        t, target = last, 1
        while True:
            after_begin, after_inside = self._within[t, doc, :, label] + self._transitions.inner[:, target, label]
            if after_begin >= after_inside:
                return t - 1
            t, target = t - 1, 0


def _numpy(tensor: Tensor) -> Floats:
    array: Floats = tensor.cpu().numpy()
    return array
