"""Annotates batches of documents. A shard always has the same batches, so that a resumed run gives equal bytes."""

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from spacy.language import Language
from spacy.tokens import Doc, Span

from domain_ner import __version__
from domain_ner.annotating.jobs import BELOW, ENTITIES, Settings
from domain_ner.annotating.reading import Document
from domain_ner.annotations.doc_keys import SPANS_KEY
from domain_ner.corpus.docs import span_scores
from domain_ner.crf_ner.pipe import BELOW_KEY
from domain_ner.files import sha256_of_folder
from domain_ner.monitoring.observations import OBSERVED, to_row
from domain_ner.monitoring.observing import Observer, Scored, observer_of

# Documents in a batch, and their characters.
BATCH, CHARACTERS = 64, 100_000
# Digits of a confidence. The last of float32 depends on the other documents in a batch.
DIGITS = 4
# The longest message of an error.
LONGEST = 300

# Entities, spans below their threshold, and numbers for `monitor`; or, for a document that failed, the error.
Result = dict[str, Any]


def identity_of(nlp: Language) -> dict[str, str]:
    """Name, version and hash of a loaded pipeline, and the version of this package."""
    return {
        "name": f"{nlp.meta['lang']}_{nlp.meta['name']}",
        "version": str(nlp.meta["version"]),
        "sha256": sha256_of_folder(Path(str(nlp.path))),
        "domain_ner": __version__,
    }


def batches(documents: Iterable[Document]) -> Iterator[list[Document]]:
    """Group documents, in order."""
    batch: list[Document] = []
    n_characters = 0
    for document in documents:
        if batch and (len(batch) == BATCH or n_characters + len(document.text) > CHARACTERS):
            yield batch
            batch, n_characters = [], 0
        batch.append(document)
        n_characters += len(document.text)
    if batch:
        yield batch


def annotate_batch(nlp: Language, batch: Sequence[Document], settings: Settings) -> list[Result]:
    """Annotate together; if that fails, each document alone. Returns a result for each."""
    readable = [document for document in batch if not document.problem]
    observer = observer_of(nlp, settings.baseline) if settings.observe else None  # before: the recogniser takes notes
    try:
        with nlp.memory_zone():  # new words are forgotten after the batch
            docs = list(nlp.pipe([document.text for document in readable], batch_size=BATCH))
            if len(docs) == len(readable):
                found = iter(_results(docs, observer, settings))
                return [failure(document.problem) if document.problem else next(found) for document in batch]
    except Exception:  # of any component: found below
        pass
    return [annotate_one(nlp, document, settings) for document in batch]


def annotate_one(nlp: Language, document: Document, settings: Settings) -> Result:
    """Annotate a document alone."""
    if document.problem:
        return failure(document.problem)
    observer = observer_of(nlp, settings.baseline) if settings.observe else None
    try:
        with nlp.memory_zone():
            return _results([nlp(document.text)], observer, settings)[0]
    except Exception as err:
        # What another component says may quote the text, which is only written where that is asked for.
        return failure(
            f"{type(err).__name__}: {err}" if settings.with_text else f"{type(err).__name__} in the pipeline"
        )


def failure(message: str) -> Result:
    """The result of a document that could not be annotated."""
    return {"error": message[:LONGEST].encode("utf8", "replace").decode("utf8")}


def _results(docs: Sequence[Doc], observer: Observer | None, settings: Settings) -> list[Result]:
    found, below = [found_spans(doc) for doc in docs], [spans_below(doc) for doc in docs]
    results: list[Result] = [{ENTITIES: [_row(span, settings) for span in spans]} for spans in found]
    if settings.with_below:
        for result, spans in zip(results, below, strict=True):
            result[BELOW] = [_row(span, settings) for span in spans]
    if observer is not None:
        observed = observer(docs, list(map(scored, found)), list(map(scored, below)))
        for result, observation in zip(results, observed, strict=True):
            result[OBSERVED] = to_row(observation)
    return results


def scored(spans: Sequence[tuple[Span, float | None]]) -> Scored:
    """The labels and confidences of spans."""
    return [(span.label_, confidence) for span, confidence in spans]


def found_spans(doc: Doc) -> list[tuple[Span, float | None]]:
    """The entities of a document, and the spans that may nest, with confidences; None where a component gives none."""
    found: dict[tuple[int, int, str], tuple[Span, float | None]] = {}
    unscored = [(span, None) for span in doc.spans.get(SPANS_KEY, ())]
    given: list[tuple[Span, float | None]] = [
        *unscored,
        *span_scores(doc),
        *((ent, ent._.confidence) for ent in doc.ents),
    ]
    for span, confidence in given:
        place = (span.start_char, -span.end_char, span.label_)
        known = None if confidence is None else round(float(confidence), DIGITS)
        found[place] = (span, found[place][1] if known is None and place in found else known)
    return [found[place] for place in sorted(found)]


def spans_below(doc: Doc) -> list[tuple[Span, float | None]]:
    """The spans below their threshold, with confidences."""
    group = doc.spans.get(BELOW_KEY, [])
    scores = getattr(group, "attrs", {}).get("scores", [])
    return [(span, round(float(score), DIGITS)) for span, score in zip(group, scores, strict=True)]


def _row(found: tuple[Span, float | None], settings: Settings) -> dict[str, Any]:
    """Offsets are in code points."""
    span, confidence = found
    row = {"start": span.start_char, "end": span.end_char, "label": span.label_, "confidence": confidence}
    return {**row, "text": span.text} if settings.with_text else row
