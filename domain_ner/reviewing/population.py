"""Predicts on all documents, and keeps of each distinct text only what a sample is drawn by: no text."""

import sys
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from spacy.language import Language
from spacy.tokens import Doc

from domain_ner.annotating.predicting import BATCH, batches, found_spans
from domain_ner.annotating.reading import Document
from domain_ner.corpus.assignments import digest
from domain_ner.crf_ner.pipe import BELOW_KEY, CANDIDATES_KEY, CRFRecognizer
from domain_ner.errors import DomainNerError
from domain_ner.metrics.scores import Entity
from domain_ner.metrics.stratified import Floats
from domain_ner.reviewing.places import place
from domain_ner.reviewing.strata import Frame

N_CANDIDATES = 1
# The confidence of an entity whose component gives none.
UNSCORED = 0.8


@dataclass(frozen=True, slots=True)
class Passage:
    """A distinct text. digest: of its text. id, number: of its first document, number from 0 in the input.

    found: entities with confidences, None where the component gives none. places: of the entities, from `place`.
    missed: type to the sum of p (1 - p) of spans that are not reported. candidate: the largest p of these.
    """

    digest: str
    id: str
    number: int
    found: tuple[tuple[Entity, float | None], ...]
    places: tuple[Entity, ...]
    missed: tuple[tuple[str, float], ...]
    candidate: float


@dataclass
class Scanned:
    """All distinct texts with a word. n_failed: documents in which the pipeline failed, which are left out.

    n_documents: all. n_wordless: without a word, left out. n_repeated: whose text came before.
    labels: the pipeline's types, and those it found.
    """

    passages: list[Passage] = field(default_factory=list)
    n_documents: int = 0
    n_wordless: int = 0
    n_repeated: int = 0
    n_failed: int = 0
    labels: list[str] = field(default_factory=list)

    def frame(self, labels: Sequence[str]) -> Frame:
        """Arrange what was found, by type, as arrays in the order of the passages."""
        column = {label: n for n, label in enumerate(labels)}
        shape = (len(self.passages), len(labels))
        counts, spurious, missed = np.zeros(shape, np.int64), np.zeros(shape), np.zeros(shape)
        least = np.ones(shape[0])
        for row, passage in enumerate(self.passages):
            for (_, _, label), confidence in passage.found:
                if label in column:
                    p = UNSCORED if confidence is None else confidence
                    counts[row, column[label]] += 1
                    spurious[row, column[label]] += p * (1 - p)
                    least[row] = least[row] if confidence is None else min(least[row], confidence)
            for label, doubt in passage.missed:
                if label in column:
                    missed[row, column[label]] += doubt
        candidate: Floats = np.array([passage.candidate for passage in self.passages])
        return Frame(counts, spurious, missed, least, candidate)


def scan(nlp: Language, documents: Iterable[Document], *, on_document: Callable[[], None] = lambda: None) -> Scanned:
    """Predict on documents, one batch in memory at a time.

    Raises DomainNerError if no document has a text that the pipeline can process.
    """
    _show_candidates(nlp)
    scanned, seen = Scanned(), set[str]()
    for batch in batches(_distinct(documents, scanned, seen, on_document)):
        numbered = [(document.columns["number"], document) for document in batch]
        with nlp.memory_zone():  # new words are forgotten after the batch
            for (number, document), doc in zip(numbered, _predict(nlp, batch), strict=True):
                scanned.n_failed += doc is None
                if doc is not None:
                    scanned.passages.append(_passage(document, number, doc))
    if not scanned.passages:
        raise DomainNerError(
            f"None of the {scanned.n_documents:,} documents has a text that the pipeline can process.",
            "Give documents with words.",
        )
    found = Counter(label for passage in scanned.passages for (_, _, label), _ in passage.found)
    known = {str(label) for name in nlp.pipe_names for label in nlp.pipe_labels.get(name, ()) if _finds(name, nlp)}
    scanned.labels = sorted(known | set(found))
    return scanned


def _finds(name: str, nlp: Language) -> bool:
    return any(assigned in ("doc.ents", "doc.spans") for assigned in nlp.get_pipe_meta(name).assigns)


def _show_candidates(nlp: Language) -> None:
    """Let the recogniser list the spans it did not report, which show where it may have missed something."""
    for _, pipe in nlp.pipeline:
        if isinstance(pipe, CRFRecognizer) and not pipe.settings.n_candidates:
            pipe.settings = replace(pipe.settings, n_candidates=N_CANDIDATES)


def _distinct(
    documents: Iterable[Document], scanned: Scanned, seen: set[str], on_document: Callable[[], None]
) -> Iterator[Document]:
    """Yield the first document of each text that has a word, with its number and digest as columns."""
    for number, document in enumerate(documents):
        scanned.n_documents += 1
        key = digest(document.text)
        is_wordless = not document.text.strip()
        scanned.n_wordless += is_wordless
        scanned.n_repeated += key in seen and not is_wordless
        if not is_wordless and key not in seen:
            seen.add(key)
            yield replace(document, columns={"number": number, "digest": key})
        on_document()


def _predict(nlp: Language, batch: Sequence[Document]) -> list[Doc | None]:
    """Predict together; if that fails, each document alone, with None where that fails too."""
    texts = [document.text for document in batch]
    try:
        docs: list[Doc | None] = list(nlp.pipe(texts, batch_size=BATCH))
        if len(docs) == len(batch):
            return docs
    except Exception:  # of any component: found below
        pass
    return [_predict_one(nlp, text) for text in texts]


def _predict_one(nlp: Language, text: str) -> Doc | None:
    try:
        return nlp(text)
    except Exception:  # counted by the caller; the message may quote the text
        return None


def _passage(document: Document, number: int, doc: Doc) -> Passage:
    # Entities whose edges differ in white space alone are one.
    found = {
        place(document.text, span.start_char, span.end_char, span.label_): (span, confidence)
        for span, confidence in found_spans(doc)
    }
    reported = {(span.start_char, span.end_char, span.label_) for span, _ in found.values()}
    missed, candidate = Counter[str](), 0.0
    for key in (BELOW_KEY, CANDIDATES_KEY):
        group = doc.spans.get(key, [])
        for span, p in zip(group, getattr(group, "attrs", {}).get("scores", ()), strict=False):
            if (span.start_char, span.end_char, span.label_) not in reported:
                missed[sys.intern(span.label_)] += p * (1 - p)
                candidate = max(candidate, p)
    return Passage(
        digest=document.columns["digest"],
        id=document.id,
        number=number,
        found=tuple(
            ((span.start_char, span.end_char, sys.intern(span.label_)), confidence)
            for span, confidence in found.values()
        ),
        places=tuple(found),
        missed=tuple(missed.items()),
        candidate=candidate,
    )
