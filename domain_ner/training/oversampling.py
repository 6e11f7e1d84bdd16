"""`domain_ner.Oversample.v1`, a corpus reader: passages with rare types come more than once.

Repeat-factor sampling, Gupta, Dollár & Girshick (2019), "LVIS", section 5. Imports nothing but spaCy: it is found by
its entry point.
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

Corpus = Callable[[Language], Iterable[Example]]


@registry.readers("domain_ner.Oversample.v1")
def create_oversampled(corpus: Corpus, threshold: float, seed: int) -> Corpus:
    """Repeat the passages of another reader.

    threshold: a type that fewer than this share of the passages have is brought nearer to it; 0 repeats nothing.
    seed: of the fractions of a repetition.
    """
    if not 0 <= threshold < 1:
        raise DomainNerError(f"threshold is {threshold} in domain_ner.Oversample.v1; expected 0 to below 1.")

    def read(nlp: Language) -> Iterator[Example]:
        factors = repetitions([eg.reference for eg in corpus(nlp)], threshold=threshold, seed=seed) if threshold else []
        # Read once for each repetition: an example of its own is what a batch expects.
        for repetition in range(max(factors, default=1)):
            for n, example in enumerate(corpus(nlp)):
                if not factors or factors[n] > repetition:
                    yield example

    return read


def repetitions(docs: Sequence[Doc], *, threshold: float, seed: int) -> list[int]:
    """How often each document comes, at least once: the root of how much rarer than `threshold` its rarest type is."""
    types = [{ent.label_ for ent in (*doc.ents, *doc.spans.get("sc", ()))} for doc in docs]
    n_with = Counter(label for labels in types for label in labels)
    factor = {label: max(1.0, sqrt(threshold * len(docs) / n)) for label, n in n_with.items()}
    rng = random.Random(seed)
    wanted = [max((factor[label] for label in labels), default=1.0) for labels in types]
    return [int(one) + (rng.random() < one % 1) for one in wanted]


def repeated_lengths(docs: Sequence[Doc], *, threshold: float, seed: int) -> list[int]:
    """Tokens of each document, as often as it comes in an epoch."""
    times = repetitions(docs, threshold=threshold, seed=seed)
    return [len(doc) for doc, n in zip(docs, times, strict=True) for _ in range(n)]
