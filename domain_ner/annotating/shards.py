"""Cuts sources into shards of so many documents, each with the place in the file where it starts."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import groupby
from typing import IO, NamedTuple

from domain_ner.annotating.csv_records import Records
from domain_ner.annotating.jobs import Shard
from domain_ner.annotating.parquet import count_rows
from domain_ner.annotating.sources import CSV, JSONL, LINES, PARQUET, TEXT, TSV, Source, open_source

# Small enough that processes end at about the same time.
MAX_DOCUMENTS, MAX_BYTES = 1000, 32_000_000


class _Cut(NamedTuple):
    start: int
    first_row: int
    n_documents: int


@dataclass(frozen=True)
class Limits:
    """The largest shard. n_bytes: of a file of lines or records."""

    n_documents: int = MAX_DOCUMENTS
    n_bytes: int = MAX_BYTES


# A shard without its number.
_Part = tuple[str, tuple[str, ...], tuple[str, ...], int, int, int]


def plan_shards(sources: Iterable[Source], limits: Limits, first: int = 0) -> Iterator[Shard]:
    """Yield the shards of all sources in order. Reads each file of lines or records once.

    first: the number of the first shard.
    Raises DomainNerError for a file that has no header, or is not what its name says.
    """
    number = first
    for is_text, group in groupby(sources, lambda source: source.kind == TEXT):
        for part in _of_texts(list(group), limits) if is_text else _of_files(group, limits):
            yield Shard(number, *part)
            number += 1


def _of_texts(sources: list[Source], limits: Limits) -> Iterator[_Part]:
    for begin in range(0, len(sources), limits.n_documents):
        some = sources[begin : begin + limits.n_documents]
        yield TEXT, tuple(one.url for one in some), tuple(one.stamp for one in some), 0, 1, len(some)


def _of_files(sources: Iterable[Source], limits: Limits) -> Iterator[_Part]:
    for source in sources:
        for cut in _cuts(source, limits):
            yield source.kind, (source.url,), (source.stamp,), *cut


def _cuts(source: Source, limits: Limits) -> Iterator[_Cut]:
    if source.kind == PARQUET:
        yield from _by_rows(count_rows(source.url), limits)
        return
    with open_source(source.url) as stream:
        if source.kind in (JSONL, LINES):
            yield from _by_lines(stream, limits)
        elif source.kind in (CSV, TSV):
            yield from _by_records(Records(stream, source), limits)


def _by_rows(n_rows: int, limits: Limits) -> Iterator[_Cut]:
    for start in range(0, n_rows, limits.n_documents):
        yield _Cut(start, start + 1, min(limits.n_documents, n_rows - start))


def _by_lines(stream: IO[bytes], limits: Limits) -> Iterator[_Cut]:
    """Blank lines are no documents."""
    start = position = n_documents = 0
    first_row = 1
    for row, line in enumerate(stream, 1):
        if n_documents == limits.n_documents or (n_documents and position - start + len(line) > limits.n_bytes):
            yield _Cut(start, first_row, n_documents)
            start, first_row, n_documents = position, row, 0
        position += len(line)
        n_documents += bool(line.strip())
    if n_documents:
        yield _Cut(start, first_row, n_documents)


def _by_records(records: Records, limits: Limits) -> Iterator[_Cut]:
    start, first_row, n_documents = records.position, 1, 0
    before = start
    for row, _ in enumerate(records, 1):
        if n_documents == limits.n_documents or (n_documents and records.position - start > limits.n_bytes):
            yield _Cut(start, first_row, n_documents)
            start, first_row, n_documents = before, row, 0
        before = records.position
        n_documents += 1
    if n_documents:
        yield _Cut(start, first_row, n_documents)
