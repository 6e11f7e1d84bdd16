"""What a trained recogniser thinks of documents and of spans of one's own, without writing it into them."""

from collections.abc import Iterable, Iterator, Sequence

from spacy.language import Language
from spacy.tokens import Doc
from spacy.util import minibatch
from thinc.types import Floats2d

from domain_ner.crf_ner.decoding import SpanProbabilities
from domain_ner.crf_ner.model import TRANSITIONS
from domain_ner.crf_ner.padding import padded_groups
from domain_ner.crf_ner.pipe import CRFRecognizer

BATCH = 64
# Where `doc._.trf_data` stands.
ENCODED = ("._.", "trf_data", None, None)


def score(nlp: Language, pipe: CRFRecognizer, docs: Iterable[Doc]) -> Iterator[Floats2d]:
    """The scores of documents as `tag_scores` gives them, after all components before the recogniser have seen them.

    The encoder's vectors do not stay in the documents: a corpus of them would fill the memory.
    """
    for part in minibatch(docs, BATCH):
        seen = list(part)
        for _, before in nlp.pipeline[: nlp.pipe_names.index(pipe.name)]:
            seen = list(before.pipe(seen)) if hasattr(before, "pipe") else [before(doc) for doc in seen]
        yield from pipe.tag_scores(seen)
        for doc in seen:
            doc.user_data.pop(ENCODED, None)


def span_confidences(
    pipe: CRFRecognizer, scores: Sequence[Floats2d], spans: Sequence[Sequence[tuple[int, int, str]]]
) -> list[list[float]]:
    """The calibrated probability of each span, however small; 0 for a label that the recogniser does not know.

    scores: of `score`. spans: for each document (start, end, label), in tokens, end exclusive.
    """
    numbers = {label: number for number, label in enumerate(pipe.labels)}
    found: list[list[float]] = [[] for _ in scores]
    filled = [n for n, array in enumerate(scores) if len(array)]
    transitions, settings = pipe.model.get_param(TRANSITIONS), pipe.settings
    for group in padded_groups([scores[n] for n in filled], transitions, settings.temperature):
        prober = SpanProbabilities(group.scores, group.flat, group.lengths)
        for place, number in enumerate(group.numbers):
            found[filled[number]] = [
                settings.confidence(prober(place, start, end, numbers[label]), label) if label in numbers else 0.0
                for start, end, label in spans[filled[number]]
            ]
    return found
