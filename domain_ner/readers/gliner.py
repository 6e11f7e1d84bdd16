"""Reads GLiNER's training data: `tokenized_text` and `ner`, spans in tokens with an inclusive end."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from domain_ner.annotations.records import FileLog, ReaderOptions, Record, Sample, SourceSpan, as_offset
from domain_ner.readers.json_files.jsonl import Row, RowError, read_rows, sample_rows
from domain_ner.readers.tokens.offsets import join_tokens, token_span
from domain_ner.readers.tokens.spacing import Spacing

NAME = "gliner"
TITLE = "GLiNER JSON (tokenized_text and ner)"
EXTENSIONS = (".json", ".jsonl")
WORDS, SPANS = "tokenized_text", "ner"


def recognises(sample: Sample) -> bool:
    """Whether rows have `tokenized_text` and `ner`."""
    return any({WORDS, SPANS} <= row.keys() for row in sample_rows(sample))


def read(path: Path, options: ReaderOptions, log: FileLog) -> Iterator[Record]:
    """Yield a record for each row. Raises DomainNerError if there are none."""
    spacing = Spacing()
    for _, row in read_rows(path, FileLog(path.name)):
        words = row.get(WORDS)
        spacing.add(word for word in (words if isinstance(words, list) else ()) if isinstance(word, str))
    for line, row in read_rows(path, log):
        try:
            yield _record(row, line, log.file, spacing)
        except RowError as err:
            log.problem(line, str(err))
    spacing.report(log)
    log.note("token ends are inclusive (GLiNER): converted")


def _record(row: Row, line: int, file: str, spacing: Spacing) -> Record:
    """Make a record. Raises RowError if there are no words or no list of spans."""
    words, entries = row.get(WORDS), row.get(SPANS)
    if not isinstance(words, list) or not isinstance(entries, list):
        raise RowError(f"a row with {', '.join(row) or 'no keys'}; expected lists `{WORDS}` and `{SPANS}`")
    if bad := [word for word in words if not isinstance(word, str) or not word]:
        raise RowError(f"a token is {bad[0]!r}; expected words")
    spaces = spacing.spaces(words)
    text, starts = join_tokens(words, spaces)
    spans = tuple(_span(entry, words, starts) for entry in entries)
    document = "" if row.get("id") is None else str(row["id"])
    return Record(text, spans, file, line, document, words=tuple(words), spaces=spaces)


def _span(entry: Any, words: list[str], starts: list[int]) -> SourceSpan:
    if not isinstance(entry, list) or len(entry) < 3:
        return SourceSpan(None, None, None, fault=f"{entry!r}; expected [first token, last token, label]")
    first, last, label = as_offset(entry[0]), as_offset(entry[1]), entry[2]
    if not all(isinstance(n, int) and 0 <= n < len(words) for n in (first, last)) or first > last:
        fault = f"tokens {first} to {last}; expected first <= last < {len(words)}, the number of tokens"
        return SourceSpan(first, last, label, fault=fault)
    return token_span(first, last + 1, label, words, starts)
