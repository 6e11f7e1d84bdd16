"""Labels raw texts by a pipeline and by other sources, such as drafts: what all evidence makes sure of is an entity.

What stays unsure is unknown, and training learns nothing there; everything else is no entity. The pipeline's calibrated
confidence is known before the votes of the others; `metrics.label_model` finds out how far each can be trusted.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray
from spacy.language import Language
from spacy.tokens import Doc
from spacy.util import minibatch

from domain_ner.annotations.passages import LabelledSpan, Passage
from domain_ner.crf_ner.pipe import CRFRecognizer
from domain_ner.crf_ner.probing import BATCH, forget_vectors, process_before, recogniser, span_confidences
from domain_ner.metrics.label_model import LabelModel, fit
from domain_ner.pseudo_labels.completing import Limits, join_ranges

# Of a span, in tokens.
Place = tuple[int, int, str]


@dataclass(frozen=True)
class Source:
    """Annotations of raw texts, such as drafts. passages: by text. labels: the types it looks for."""

    name: str
    passages: Mapping[str, Passage]
    labels: frozenset[str]


@dataclass(frozen=True)
class Candidate:
    """A span that may be an entity. text: number of its text. start, end: in characters. prior: the pipeline's."""

    text: int
    start: int
    end: int
    label: str
    prior: float
    votes: tuple[float, ...]


@dataclass
class Labelled:
    """What became of the texts. entities: by type. n_unknown: unknown ranges. n_outside: entities of the sources whose
    edges are not those of tokens. named, misnamed: by source and type, the probabilities of `LabelModel`.
    """

    n_passages: int = 0
    entities: Counter[str] = field(default_factory=Counter)
    n_unknown: int = 0
    n_outside: int = 0
    named: dict[str, dict[str, float]] = field(default_factory=dict)
    misnamed: dict[str, dict[str, float]] = field(default_factory=dict)


def label_texts(
    nlp: Language,
    texts: Sequence[str],
    sources: Sequence[Source],
    limits: Limits,
    on_text: Callable[[], None] = lambda: None,
) -> tuple[Iterator[Passage], Labelled]:
    """Label texts: yields a passage for each, in order.

    sources: beside the pipeline; a type that the pipeline does not know is left out. on_text: called after each.
    Returns the passages, and counts that are complete once all passages were read.
    """
    done = Labelled()
    candidates = list(_candidates(nlp, texts, sources, done, on_text))
    labels = recogniser(nlp).labels
    numbers = {label: n for n, label in enumerate(labels)}
    model = fit(
        np.array([one.prior for one in candidates]),
        np.array([one.votes for one in candidates]).reshape(len(candidates), len(sources)),
        np.array([numbers[one.label] for one in candidates], dtype=np.intp),
        len(labels),
    )
    _describe(model, labels, sources, done)
    return _passages(texts, candidates, model.probability, limits, done), done


def _candidates(
    nlp: Language, texts: Sequence[str], sources: Sequence[Source], done: Labelled, on_text: Callable[[], None]
) -> Iterator[Candidate]:
    pipe = recogniser(nlp)
    pipe.settings = replace(pipe.settings, n_candidates=max(1, pipe.settings.n_candidates))
    for numbers in minibatch(range(len(texts)), BATCH):
        with nlp.memory_zone():
            docs = process_before(nlp, pipe, [nlp.make_doc(texts[n]) for n in numbers])
            for number, doc, probable in zip(numbers, docs, _probable(pipe, docs, sources, done), strict=True):
                for (start, end, label), prior in probable.items():
                    span = doc[start:end]
                    place = LabelledSpan(span.start_char, span.end_char, label)
                    votes = tuple(_vote(source, doc.text, place) for source in sources)
                    yield Candidate(number, place.start, place.end, label, prior, votes)
                on_text()


def _probable(
    pipe: CRFRecognizer, docs: Sequence[Doc], sources: Sequence[Source], done: Labelled
) -> Iterator[dict[Place, float]]:
    """Yield, for each document, the spans that the pipeline finds possible and those of the sources, with the
    pipeline's confidence in each.
    """
    scores = pipe.tag_scores(docs)
    forget_vectors(docs)
    wanted: list[list[Place]] = []
    for doc, decoded in zip(docs, pipe.decode(scores), strict=True):
        own = {(span.start, span.end, pipe.labels[span.label]) for span in (*decoded.entities, *decoded.probable)}
        wanted.append(sorted(own | set(_named(doc, sources, pipe.labels, done))))
    for places, confidences in zip(wanted, span_confidences(pipe, scores, wanted), strict=True):
        yield dict(zip(places, confidences, strict=True))


def _named(doc: Doc, sources: Sequence[Source], labels: Iterable[str], done: Labelled) -> Iterator[Place]:
    known = set(labels)
    for source in sources:
        passage = source.passages.get(doc.text)
        for one in passage.spans if passage else ():
            if one.label not in known:
                continue
            span = doc.char_span(one.start, one.end)
            if span is None:
                done.n_outside += 1
            else:
                yield span.start, span.end, one.label


def _vote(source: Source, text: str, place: LabelledSpan) -> float:
    """1: the source names the span. 0: it saw the text and does not. NaN: it says nothing of it."""
    passage = source.passages.get(text)
    if passage is None or place.label not in source.labels:
        return float("nan")
    if place in passage.spans:
        return 1.0
    is_silent = passage.partial and not any(_overlap(place, one) for one in passage.spans)
    is_unknown = any(start < place.end and place.start < end for start, end in passage.unknown)
    return float("nan") if is_silent or is_unknown else 0.0


def _overlap(one: LabelledSpan, other: LabelledSpan) -> bool:
    return one.start < other.end and other.start < one.end


def _passages(
    texts: Sequence[str],
    candidates: Sequence[Candidate],
    probability: NDArray[np.float64],
    limits: Limits,
    done: Labelled,
) -> Iterator[Passage]:
    of_text: dict[int, list[tuple[float, LabelledSpan]]] = {}
    for one, sure in zip(candidates, probability.tolist(), strict=True):
        if sure >= limits.possible:
            of_text.setdefault(one.text, []).append((sure, LabelledSpan(one.start, one.end, one.label)))
    for number, text in enumerate(texts):
        taken: list[LabelledSpan] = []
        unsure: list[tuple[int, int]] = []
        for sure, span in sorted(of_text.get(number, ()), key=lambda pair: (-pair[0], pair[1])):
            if any(_overlap(span, other) for other in taken):
                continue
            if sure >= limits.sure:
                taken.append(span)
            else:
                unsure.append((span.start, span.end))
        unknown = join_ranges(unsure, [(span.start, span.end) for span in taken])
        done.n_passages += 1
        done.entities.update(span.label for span in taken)
        done.n_unknown += len(unknown)
        yield Passage(text, tuple(sorted(taken)), f"pseudo-label:{number + 1}", unknown=tuple(unknown))


def _describe(model: LabelModel, labels: Sequence[str], sources: Sequence[Source], done: Labelled) -> None:
    for n, source in enumerate(sources):
        done.named[source.name] = dict(zip(labels, model.named[:, n].tolist(), strict=True))
        done.misnamed[source.name] = dict(zip(labels, model.misnamed[:, n].tolist(), strict=True))
