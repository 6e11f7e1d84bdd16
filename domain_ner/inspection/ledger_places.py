"""Locates each row of the ledger in the corpus: its document, and the span that it became."""

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from spacy.tokens import Doc, Span

from domain_ner.annotations.doc_keys import SOURCE_KEY, SPANS_KEY
from domain_ner.annotations.outcomes import KEPT
from domain_ner.conversion.ledger_rows import Row
from domain_ner.corpus.grouping import file_of

# The fate of spans that are not in the ledger.
UNACCOUNTED = "not in the ledger"


@dataclass(frozen=True)
class Annotation:
    """A row of the ledger, and its position in `doc.text` (None if it has none)."""

    row: Row
    start: int | None = None
    end: int | None = None


# A passage's `file:line` and the export's id: several documents of a file may share a line.
Key = tuple[str, str]
MENTION = re.compile(
    r"(?:the same (?:span|answer) elsewhere|kept instead|the text is annotated in full elsewhere): (.+)", re.DOTALL
)


def locate_rows(docs: Sequence[Doc], rows: Iterable[Row]) -> tuple[list[list[Annotation]], list[Row]]:
    """Return the annotations of each document, and the rows that belong to none.

    A row belongs to the document of its source, else to the one it was merged with or lost against.
    """
    numbers: dict[Key, list[int]] = defaultdict(list)
    for n, doc in enumerate(docs):
        numbers[doc.user_data.get(SOURCE_KEY, ""), doc.user_data.get("document", "")].append(n)
    by_home: dict[Key, list[Row]] = {key: [] for key in numbers}
    rows, unplaced = list(rows), list[Row]()
    homes = _homes(numbers, rows)
    for row in rows:
        home = homes.get((row.source, row.document))
        (unplaced if home is None else by_home[home]).append(row)
    placed: list[list[Annotation]] = [[] for _ in docs]
    for key, of_key in numbers.items():
        spans = [(n, span) for n in of_key for span in spans_of(docs[n])]
        for number, annotation in _match(spans, by_home[key], of_key[0]):
            placed[number].append(annotation)
    return placed, unplaced


def _homes(known: Iterable[Key], rows: Sequence[Row]) -> dict[Key, Key]:
    """Find the document of each record: itself, the one its rows name, or the only one with its id in the file."""
    documents = set(known)
    pointers = _pointers(documents, rows)
    of_ids: dict[Key, list[Key]] = defaultdict(list)
    for source, document in documents:
        of_ids[file_of(source), document].append((source, document))
    homes = {key: key for key in documents}
    for key in {(row.source, row.document) for row in rows} - documents:
        target, seen = key, {key}
        while target in pointers and target not in documents and pointers[target] not in seen:
            target = pointers[target]
            seen.add(target)
        same_id = of_ids[file_of(key[0]), key[1]] if key[1] else []
        if target in documents or len(same_id) == 1:
            homes[key] = target if target in documents else same_id[0]
    return homes


def _pointers(documents: Iterable[Key], rows: Sequence[Row]) -> dict[Key, Key]:
    """Map a record to the record that its rows' reasons name: one with the same span, or the one that was kept."""
    of_source = {row.source: (row.source, row.document) for row in rows} | {key[0]: key for key in documents}
    pointers: dict[Key, Key] = {}
    for row in rows:
        for mention in filter(None, map(MENTION.fullmatch, row.reasons)):
            target = of_source.get(mention[1])
            if target is not None and target[0] != row.source:
                pointers[row.source, row.document] = target
    return pointers


def _match(spans: Sequence[tuple[int, Span]], rows: Iterable[Row], first: int) -> Iterator[tuple[int, Annotation]]:
    """Yield (document, annotation): each span with the row of its label and words, else with a row of similar words.

    Rows without a span, whatever their outcome, go to the document `first`.
    """
    free: dict[tuple[Any, str], list[Row]] = defaultdict(list)
    for row in rows:
        if row.outcome in KEPT and row.split:
            free[str(row.label), _words(row.text)].append(row)
        else:
            yield first, Annotation(row)
    unmatched = []
    for n, span in spans:
        matching = free[span.label_, _words(span.text)]
        if matching:
            row = next((row for row in matching if row.start == span.start_char), matching[0])
            matching.remove(row)
            yield n, Annotation(row, span.start_char, span.end_char)
        else:
            unmatched.append((n, span))
    remaining = [row for rows_of_key in free.values() for row in rows_of_key]
    for n, span in unmatched:
        similar = next((row for row in remaining if row.label == span.label_ and _contained(row.text, span.text)), None)
        if similar is not None:
            remaining.remove(similar)
        unknown = Row("", "", "", span.start_char, span.end_char, span.label_, span.text, UNACCOUNTED)
        yield n, Annotation(similar or unknown, span.start_char, span.end_char)
    yield from ((first, Annotation(row)) for row in remaining)


def spans_of(doc: Doc) -> list[Span]:
    """List every span of a document, in order."""
    return sorted(doc.spans.get(SPANS_KEY, doc.ents))


def _words(text: Any) -> str:
    return " ".join(str(text).split())


def _contained(first: Any, second: Any) -> bool:
    """Whether the words of one text are part of the other's, as after `expand` and `contract`."""
    return bool(_words(first)) and (_words(first) in _words(second) or _words(second) in _words(first))
