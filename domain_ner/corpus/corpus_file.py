"""Writes a DocBin document by document, so that even a large corpus needs little memory.

spaCy's `DocBin` keeps every document in memory. This class keeps them on disk and writes the same file: a MessagePack
map, compressed by zlib (spacy/tokens/_serialize.py, format 0.1). `DocBin().from_disk` reads it.
"""

import struct
import tempfile
import zlib
from array import array
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

import srsly
from spacy.tokens import Doc

from domain_ner.corpus.docs import to_docbin
from domain_ner.errors import DomainNerError

CHUNK_BYTES = 1 << 20
# The parts that DocBin concatenates to one run of bytes, and the lists with an item for each document.
RUNS = ("tokens", "spaces")
LISTS = ("cats", "flags", "span_groups", "user_data")
EMPTY = to_docbin()


def require_corpus_name(path: Path) -> None:
    """Raise DomainNerError if no corpus can be written to a path: it has another suffix, or a folder is there."""
    if path.suffix != ".spacy":
        raise DomainNerError(f"The output is {path}; expected a file that ends with .spacy.", "Name one.")
    if path.is_dir():
        raise DomainNerError(f"{path} is a folder; expected a file, or none.", "Name another file.")


class CorpusFile:
    """Collects documents for a `.spacy` file."""

    def __init__(self) -> None:
        self._parts: dict[str, IO[bytes]] = {name: tempfile.TemporaryFile() for name in (*RUNS, *LISTS)}  # noqa: SIM115
        self._lengths = array("i")
        self._strings: set[str] = set()

    def __len__(self) -> int:
        return len(self._lengths)

    def add(self, doc: Doc) -> None:
        """Add a document; the caller need not keep it."""
        serialized = to_docbin([doc])
        self._lengths.append(len(doc))
        self._strings |= serialized.strings
        for name in RUNS:
            self._parts[name].write(getattr(serialized, name)[0].tobytes("C"))
        for name in LISTS:
            self._parts[name].write(srsly.msgpack_dumps(getattr(serialized, name)[0]))

    def write(self, path: Path) -> None:
        """Write the file."""
        packer = zlib.compressobj()
        with path.open("wb") as stream:
            for piece in self._pieces():
                stream.write(packer.compress(piece))
            stream.write(packer.flush())

    def _pieces(self) -> Iterator[bytes]:
        """Yield the MessagePack map in pieces, its keys in DocBin's order."""
        lengths = self._lengths.tobytes()
        whole: dict[str, Any] = {"version": EMPTY.version, "attrs": EMPTY.attrs}
        yield bytes([0x80 | 10])  # a map of ten entries
        for key, value in whole.items():
            yield srsly.msgpack_dumps(key) + srsly.msgpack_dumps(value)
        for name in RUNS:
            yield srsly.msgpack_dumps(name) + struct.pack(">BI", 0xC6, self._parts[name].tell())
            yield from self._stored(name)
        yield srsly.msgpack_dumps("lengths") + srsly.msgpack_dumps(lengths)
        yield srsly.msgpack_dumps("strings") + srsly.msgpack_dumps(sorted(self._strings))
        for name in LISTS:
            yield srsly.msgpack_dumps(name) + struct.pack(">BI", 0xDD, len(self))
            yield from self._stored(name)

    def _stored(self, name: str) -> Iterator[bytes]:
        part = self._parts[name]
        end = part.tell()
        part.seek(0)
        while chunk := part.read(CHUNK_BYTES):
            yield chunk
        part.seek(end)
