"""Measures inter-annotator agreement: F1 of spans and Cohen's kappa of tokens, for each pair and each type.

Cohen (1960), "A coefficient of agreement for nominal scales".
"""

import re
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

from domain_ner.annotations.passages import LabelledSpan
from domain_ner.metrics.scores import Score

TOKEN = re.compile(r"\w+|[^\w\s]")
OUTSIDE = "O"

Annotations = Mapping[str, tuple[LabelledSpan, ...]]
"""Annotator to spans, for one text."""


@dataclass(frozen=True)
class Agreement:
    """The agreement of two annotators on the texts that both annotated.

    f1: label to the score of the first's spans against the second's; F1 is symmetric.
    micro: over all labels.
    kappa: label to Cohen's kappa of "this token is of that type", -1..1; 1 if neither used the label.
    """

    annotators: tuple[str, str]
    n_texts: int
    f1: dict[str, Score]
    micro: Score
    kappa: dict[str, float]


def measure_agreement(texts: Sequence[tuple[str, Annotations]]) -> list[Agreement]:
    """Measure the agreement of every pair of annotators that share a text.

    texts: each with the spans of its annotators.
    """
    shared: dict[tuple[str, str], list[tuple[str, Annotations]]] = defaultdict(list)
    for text, annotations in texts:
        for first, second in combinations(sorted(annotations), 2):
            shared[first, second].append((text, annotations))
    return [_agreement(pair, shared_texts) for pair, shared_texts in sorted(shared.items())]


def cohens_kappa(pairs: Sequence[tuple[object, object]]) -> float:
    """Compute the agreement of two raters beyond chance.

    pairs: the answers of the first and the second to each item. Without items, or with one answer throughout: 1.
    """
    n = len(pairs)
    first, second = Counter(a for a, _ in pairs), Counter(b for _, b in pairs)
    expected = sum(first[answer] * second[answer] for answer in first) / n**2 if n else 1.0
    observed = sum(a == b for a, b in pairs) / n if n else 1.0
    return 1.0 if expected == 1.0 else (observed - expected) / (1 - expected)


def _agreement(pair: tuple[str, str], texts: Sequence[tuple[str, Annotations]]) -> Agreement:
    first, second = pair
    both = [(set(annotations[first]), set(annotations[second])) for _, annotations in texts]
    labels = sorted({span.label for spans in both for side in spans for span in side})
    same = Counter(span.label for a, b in both for span in a & b)
    by_first = Counter(span.label for a, _ in both for span in a)
    by_second = Counter(span.label for _, b in both for span in b)
    tokens = [answers for text, annotations in texts for answers in _token_labels(text, annotations, pair)]
    return Agreement(
        annotators=pair,
        n_texts=len(texts),
        f1={label: Score(same[label], by_second[label], by_first[label]) for label in labels},
        micro=Score(same.total(), by_second.total(), by_first.total()),
        kappa={label: cohens_kappa([(a == label, b == label) for a, b in tokens]) for label in labels},
    )


def _token_labels(text: str, annotations: Annotations, pair: tuple[str, str]) -> list[tuple[str, ...]]:
    starts = [match.start() for match in TOKEN.finditer(text)]
    return list(zip(*(_labels_at(starts, annotations[annotator]) for annotator in pair), strict=True))


def _labels_at(starts: Sequence[int], spans: Sequence[LabelledSpan]) -> list[str]:
    label_at = {start: span.label for span in spans for start in starts if span.start <= start < span.end}
    return [label_at.get(start, OUTSIDE) for start in starts]
