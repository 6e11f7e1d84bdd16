"""Converts an annotated spaCy Example to the known tags that the loss needs."""

from collections.abc import Iterator, Sequence

from spacy.training import Example

from domain_ner.annotations.doc_keys import REJECTED_KEY
from domain_ner.crf_ner.lattice import KINDS
from domain_ner.crf_ner.loss import KnownTags


def known_tags(example: Example, labels: Sequence[str]) -> KnownTags:
    """Collect the tags of the predicted document's tokens, None if unknown, and the rejected spans."""
    numbers = tag_numbers(labels)
    tags = [numbers.get(tag) if tag is not None else None for tag in example.get_aligned_ner()]
    return KnownTags(tags, list(_rejected(example, labels)))


def tag_numbers(labels: Sequence[str]) -> dict[str, int]:
    """Map each tag to its index, in the order of `domain_ner.crf_ner.lattice`."""
    numbers = {"O": 0}
    for position, kind in enumerate(KINDS):
        numbers |= {f"{kind}-{label}": 1 + position * len(labels) + n for n, label in enumerate(labels)}
    return numbers


def _rejected(example: Example, labels: Sequence[str]) -> Iterator[tuple[int, int, int]]:
    if REJECTED_KEY in example.reference.spans:
        spans = list(example.reference.spans[REJECTED_KEY])
        for span in example.get_aligned_spans_y2x(spans, allow_overlap=True):
            if span.label_ in labels:
                yield span.start, span.end, labels.index(span.label_)
