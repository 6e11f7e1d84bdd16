"""`domain_ner.Oversample.v1`, a corpus reader that repeats passages with rare types.

Repeat-factor sampling, Gupta, Dollár & Girshick (2019), "LVIS", section 5. Imports nothing but spaCy, which loads its
entry point.
"""

import random
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from math import sqrt

from spacy.language import Language
from spacy.tokens import Doc
from spacy.training import Example
from spacy.util import registry

from domain_ner.errors import DomainNerError

NAME = "domain_ner.Oversample.v1"
Corpus = Callable[[Language], Iterable[Example]]


@registry.readers(NAME)
def create_oversampled(corpus: Corpus, threshold: float, seed: int) -> Corpus:
    """Repeat the passages of another reader.

    threshold: types in fewer than this share of the passages are repeated more often; 0 repeats nothing.
    seed: for rounding fractional repetitions.
    """
    if not 0 <= threshold < 1:
        raise DomainNerError(f"threshold is {threshold} in {NAME}; expected 0 to below 1.")

    def read(nlp: Language) -> Iterator[Example]:
        factors = repetitions([eg.reference for eg in corpus(nlp)], threshold=threshold, seed=seed) if threshold else []
        # Read the corpus once per repetition: a batch needs separate Example objects.
        for repetition in range(max(factors, default=1)):
            for n, example in enumerate(corpus(nlp)):
                if not factors or factors[n] > repetition:
                    yield example

    return read


def repetitions(docs: Sequence[Doc], *, threshold: float, seed: int) -> list[int]:
    """Compute how often each document occurs, at least once: sqrt(threshold / share of its rarest type)."""
    types = [{ent.label_ for ent in (*doc.ents, *doc.spans.get("sc", ()))} for doc in docs]
    n_with = Counter(label for labels in types for label in labels)
    factor = {label: max(1.0, sqrt(threshold * len(docs) / n)) for label, n in n_with.items()}
    rng = random.Random(seed)
    expected = [max((factor[label] for label in labels), default=1.0) for labels in types]
    return [int(times) + (rng.random() < times % 1) for times in expected]


def repeated_lengths(docs: Sequence[Doc], *, threshold: float, seed: int) -> list[int]:
    """List the tokens of each document, as often as it occurs in an epoch."""
    times = repetitions(docs, threshold=threshold, seed=seed)
    return [len(doc) for doc, n in zip(docs, times, strict=True) for _ in range(n)]
