"""Reads the records of a CSV or TSV file, and counts the bytes that were read."""

import csv
import sys
from collections.abc import Iterator
from typing import IO

from domain_ner.annotating.sources import TSV, Source
from domain_ner.errors import DomainNerError

BOM = b"\xef\xbb\xbf"


class Records:
    """The records below the header. A quoted field may hold line ends.

    header: the names of the columns. position: the byte after the last record that was read.
    Raises DomainNerError for a file without a header, or with the same name twice in it.
    """

    def __init__(self, stream: IO[bytes], source: Source) -> None:
        csv.field_size_limit(sys.maxsize)  # a text may be longer than 131,072 characters
        self._stream, self._source = stream, source
        self.position = 0
        first = next(self, [])
        self.header = [name.strip() for name in first]
        if not first and not self.position:  # an empty file has no documents
            return
        if not any(self.header):
            raise DomainNerError(f"{source.url}: no header; expected the names of the columns in the first line.")
        twice = sorted({name for name in self.header if self.header.count(name) > 1})
        if twice:
            raise DomainNerError(f"{source.url}:1: column {twice[0]!r} occurs more than once in the header.")

    def seek(self, position: int) -> None:
        """Go on with the record that begins at this byte."""
        self._stream.seek(position)
        self.position = position

    def __iter__(self) -> Iterator[list[str]]:
        return self

    def __next__(self) -> list[str]:
        """The next record that is not empty. Bytes that are not UTF-8 become surrogates."""
        while True:
            begin = self.position
            # Strict: a quote that nothing closes would make one document of the rest of the file.
            reader = csv.reader(self._lines(), delimiter="\t" if self._source.kind == TSV else ",", strict=True)
            try:
                record = next(reader)
            except csv.Error as err:
                raise DomainNerError(
                    f"{self._source.url}: the record at byte {begin} is no CSV: {err}.",
                    "Quote fields that hold a quote, the separator or a line end, and double the quotes in them.",
                ) from err
            if record:
                return record

    def _lines(self) -> Iterator[str]:
        while line := self._stream.readline():
            if self.position == 0:
                self.position += len(line) - len(line.removeprefix(BOM))
                line = line.removeprefix(BOM)
            self.position += len(line)
            yield line.decode("utf8", "surrogateescape")
