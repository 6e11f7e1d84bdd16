"""Converts an annotated spaCy Example to what the loss needs: known tags, or another model's marginals."""

from collections.abc import Iterator, Sequence

from spacy.training import Example

from domain_ner.annotations.doc_keys import MARGINALS_KEY, REJECTED_KEY, WEIGHT_KEY
from domain_ner.crf_ner.lattice import KINDS
from domain_ner.crf_ner.loss import Known, KnownTags
from domain_ner.crf_ner.soft_labels import soft_tags
from domain_ner.errors import DomainNerError


def targets(example: Example, labels: Sequence[str]) -> Known:
    """Collect what is known of an example: its marginals if another model left any, else its tags.

    Raises DomainNerError if marginals are of other tokens or other types.
    """
    gold = example.reference
    weight = float(gold.user_data.get(WEIGHT_KEY, 1.0))
    if MARGINALS_KEY not in gold.user_data:
        return known_tags(example, labels, weight)
    if [token.idx for token in gold] != [token.idx for token in example.predicted]:
        raise DomainNerError(
            f"The marginals of {gold.text[:40]!r} are of other tokens than the pipeline's tokenizer makes.",
            "Let a pipeline with the same tokenizer write them anew.",
        )
    return soft_tags(gold, labels, weight)


def known_tags(example: Example, labels: Sequence[str], weight: float = 1.0) -> KnownTags:
    """Collect the tags of the predicted document's tokens, None if unknown, and the rejected spans."""
    numbers = tag_numbers(labels)
    tags = [numbers.get(tag) if tag is not None else None for tag in example.get_aligned_ner()]
    return KnownTags(tags, list(_rejected(example, labels)), weight)


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
