"""Reads passages from the documents of a DocBin: a corpus, or predictions of a pipeline."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from textwrap import shorten
from typing import Any

from spacy.tokens import Doc, DocBin, Span, Token
from spacy.vocab import Vocab

from domain_ner.annotations.doc_keys import META_KEY, ORIGINAL_KEY, REJECTED_KEY, SOURCE_KEY, SPANS_KEY
from domain_ner.annotations.passages import LabelledSpan, Passage
from domain_ner.corpus.assignments import digest
from domain_ner.corpus.docs import span_scores, unknown_tokens
from domain_ner.corpus.normalization import normalize_whitespace
from domain_ner.corpus.registries import find_codecs_once
from domain_ner.errors import DomainNerError

SCORE = "score"
# Maximum of characters in an excerpt.
MAX_CHARS = 60


def read_docbin(path: Path) -> Iterator[Passage]:
    """Yield the passage of each document, one at a time.

    Raises DomainNerError for a file that is missing or not a DocBin.
    """
    if not path.is_file():
        raise DomainNerError(f"{path} does not exist.", "Give a corpus (.spacy), or a folder of annotation exports.")
    find_codecs_once()
    try:
        docs = DocBin().from_disk(path)
    except Exception as err:
        raise DomainNerError(
            f"{path} is not a DocBin, or damaged ({type(err).__name__}).",
            "Create it again, with convert or DocBin.to_disk.",
        ) from err
    for number, doc in enumerate(docs.get_docs(Vocab()), start=1):
        yield to_passage(doc, f"{path.name}:{number}")


def excerpts_by_digest(path: Path) -> dict[str, str]:
    """Map the digest of each text of a corpus to its beginning and source; empty if the file cannot be read."""
    try:
        return {
            digest(passage.text): f"{shorten(passage.text, MAX_CHARS, placeholder=' …')!r} ({passage.source})"
            for passage in read_docbin(path)
        }
    except DomainNerError:
        return {}


def to_passage(doc: Doc, source: str) -> Passage:
    """Convert a document to a passage, with the original text if white space was normalised.

    Its annotations are `doc.ents` and `doc.spans["sc"]`; tokens without a value are unknown, unless the annotations
    are only in `doc.spans["sc"]`.
    source: for documents that do not have one.
    """
    annotated = [*doc.ents, *doc.spans.get(SPANS_KEY, ())]
    covered = {n_token for span in annotated for n_token in range(span.start, span.end)}
    unknown = [token for token in unknown_tokens(doc) if token.i not in covered]
    is_partial = 0 < len(unknown) == len(doc) - len(covered)
    data = doc.user_data
    meta = data.get(META_KEY)
    known = not doc.has_unknown_spaces
    passage = Passage(
        text=doc.text if known else doc.text.removesuffix(" "),
        spans=tuple(_labelled(annotated, doc)),
        source=str(data.get(SOURCE_KEY) or source),
        meta={**(meta if isinstance(meta, Mapping) else {}), **_score(doc)},
        annotator=str(data.get("annotator") or ""),
        document=str(data.get("document") or ""),
        rejected=tuple(_labelled(doc.spans.get(REJECTED_KEY, ()), doc)),
        partial=is_partial,
        unknown=() if is_partial else tuple(_ranges(unknown)),
        words=tuple(token.text for token in doc),
        spaces=tuple(bool(token.whitespace_) for token in doc) if known else None,
    )
    return _with_original(passage, data.get(ORIGINAL_KEY))


def _labelled(spans: Iterable[Span], doc: Doc) -> list[LabelledSpan]:
    """Convert spans to characters, without white space at their edges."""
    labelled = set()
    for span in spans:
        words = doc.text[span.start_char : span.end_char]
        start = span.start_char + len(words) - len(words.lstrip())
        labelled.add(LabelledSpan(start, start + len(words.strip()), span.label_))
    return sorted(labelled)


def _ranges(tokens: Iterable[Token]) -> list[tuple[int, int]]:
    """Join tokens to (start, end) ranges in characters, with the spaces between adjacent ones."""
    runs: list[tuple[int, int, int]] = []  # with the index of the token that would continue the run
    for token in tokens:
        continues = bool(runs) and runs[-1][2] == token.i
        start = runs.pop()[0] if continues else token.idx
        runs.append((start, token.idx + len(token), token.i + 1))
    return [(start, end) for start, end, _ in runs]


def _score(doc: Doc) -> dict[str, Any]:
    """Compute the mean score of a document's spans if the pipeline scores each span (as `spancat` does)."""
    scores = [score for _, score in span_scores(doc)]
    return {SCORE: sum(scores) / len(scores)} if scores else {}


def _with_original(passage: Passage, original: object) -> Passage:
    """Restore the original text before white space was normalised; its tokens are then dropped."""
    if not isinstance(original, str):
        return passage
    text, offsets = normalize_whitespace(original)
    if text != passage.text:
        return passage

    def moved(start: int, end: int) -> tuple[int, int]:
        return (offsets[start], offsets[end - 1] + 1) if start < end else (offsets[start], offsets[start])

    def moved_spans(spans: Iterable[LabelledSpan]) -> tuple[LabelledSpan, ...]:
        return tuple(LabelledSpan(*moved(span.start, span.end), span.label) for span in spans)

    return replace(
        passage,
        text=original,
        spans=moved_spans(passage.spans),
        rejected=moved_spans(passage.rejected),
        unknown=tuple(moved(start, end) for start, end in passage.unknown),
        words=None,
        spaces=None,
    )
