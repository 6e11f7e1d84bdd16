"""Annotates batches of documents. A shard always has the same batches, so that a resumed run gives equal bytes."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from spacy.language import Language
from spacy.tokens import Doc, Span

from domain_ner.annotating.jobs import Settings
from domain_ner.annotating.reading import Document
from domain_ner.crf_ner.pipe import BELOW_KEY

# Documents in a batch, and their characters.
BATCH, CHARACTERS = 64, 100_000
# Digits of a confidence. The last of float32 depends on the other documents in a batch.
DIGITS = 4
# The longest message of an error.
LONGEST = 300

# Entities, and spans below their threshold; or, for a document that failed, the error.
Result = dict[str, Any]


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
    try:
        with nlp.memory_zone():  # new words are forgotten after the batch
            docs = list(nlp.pipe([document.text for document in readable], batch_size=BATCH))
            if len(docs) == len(readable):
                found = iter([_result(doc, settings) for doc in docs])
                return [failure(document.problem) if document.problem else next(found) for document in batch]
    except Exception:  # of any component: found below
        pass
    return [annotate_one(nlp, document, settings) for document in batch]


def annotate_one(nlp: Language, document: Document, settings: Settings) -> Result:
    """Annotate a document alone."""
    if document.problem:
        return failure(document.problem)
    try:
        with nlp.memory_zone():
            return _result(nlp(document.text), settings)
    except Exception as err:
        # What another component says may quote the text, which is only written where that is asked for.
        return failure(
            f"{type(err).__name__}: {err}" if settings.with_text else f"{type(err).__name__} in the pipeline"
        )


def failure(message: str) -> Result:
    """The result of a document that could not be annotated."""
    return {"error": message[:LONGEST].encode("utf8", "replace").decode("utf8")}


def _result(doc: Doc, settings: Settings) -> Result:
    result: Result = {"entities": [_span(ent, ent._.confidence, settings) for ent in doc.ents]}
    if settings.with_below:
        group = doc.spans.get(BELOW_KEY, [])
        scores = getattr(group, "attrs", {}).get("scores", [])
        result["below_threshold"] = [_span(span, score, settings) for span, score in zip(group, scores, strict=True)]
    return result


def _span(span: Span, confidence: float | None, settings: Settings) -> dict[str, Any]:
    """Offsets are in code points; the confidence of a component that gives none is null."""
    known = None if confidence is None else round(float(confidence), DIGITS)
    row = {"start": span.start_char, "end": span.end_char, "label": span.label_, "confidence": known}
    return {**row, "text": span.text} if settings.with_text else row
