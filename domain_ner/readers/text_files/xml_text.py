"""Reads untrusted XML: detects its root element, and yields its elements one at a time, without a DTD.

A document type declaration can define entities that read other files or grow without end. It can only precede the root
element. So the parser gets only the root element and what follows. A declaration that only names its DTD (as BioC's
files do) is skipped; one that declares anything itself is refused.
"""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TextIO

from domain_ner.annotations.records import FileLog
from domain_ner.errors import DomainNerError
from domain_ner.readers.text_files.decoding import SAMPLE_CHARS, find_encoding
from domain_ner.readers.text_files.libraries import library

# Harmless parts before the root element: white space, the XML declaration and other processing instructions, comments,
# and a document type declaration that names a DTD without declaring anything itself.
PASSED_OVER = re.compile(
    r"""\ufeff?+(?:\s++|<\?.*?\?>|<!--.*?-->|<!DOCTYPE(?:[^<>\[\]"']|"[^"]*+"|'[^']*+')*+>)*+""", re.DOTALL
)
DECLARATION = "<!DOCTYPE"
DECLARED_ROOT = re.compile(r"<!DOCTYPE\s+([A-Za-z_][\w.:-]*+)")
ROOT = re.compile(r"<([A-Za-z_][\w.:-]*+)")
DECLARED_ENCODING = re.compile(r"""<\?xml[^>]*?\sencoding\s*=\s*["']([A-Za-z][\w.-]*)["']""")
LINE_ENDS = re.compile(r"\r\n|\n|\r")
UNICODE = ("utf-8", "utf-8-sig", "utf-16", "utf-32")


class XmlError(ValueError):
    """Text that is not XML; the message says what came.

    line: from 1; 0 if unknown. is_cut: the end of the root element is missing.
    n_chars: of the file.
    """

    def __init__(self, message: str, line: int, *, is_cut: bool, n_chars: int) -> None:
        super().__init__(message)
        self.line, self.is_cut, self.n_chars = line, is_cut, n_chars


@dataclass(frozen=True)
class Root:
    """The root element of XML. name: without its prefix. rest: the text from its start tag on."""

    name: str
    rest: str


def find_root(text: str) -> Root | None:
    """Find the root element of a text that begins like XML; None if it does not."""
    start = _end_of_prolog(text)
    match = ROOT.match(text, start) or DECLARED_ROOT.match(text, start)
    return Root(match[1].rpartition(":")[2], text[start:]) if match else None


@contextmanager
def open_xml(path: Path, log: FileLog) -> Iterator["Utf8"]:
    """Open a file for an XML parser: UTF-8 from the root element on, with the line numbers of the file.

    Raises DomainNerError if there is no root element, and for a document type declaration that declares entities.
    """
    with path.open(encoding=_encoding(path, log), newline="") as stream:
        start = stream.read(SAMPLE_CHARS)
        at = _end_of_prolog(start)
        if start.startswith(DECLARATION, at):
            raise DomainNerError(
                f"{path} has a document type declaration with declarations of its own (<!DOCTYPE … [ … ]>): entities"
                " declared there can read other files or grow without end. Nothing of it is read.",
                "Remove the declaration, and write the content of its entities into the text.",
            )
        root = ROOT.match(start, at)
        if not root:
            raise DomainNerError(f"{path} is not XML: there is no element where one should begin.", "Export it again.")
        lines = "\n" * len(LINE_ENDS.findall(start, 0, at))
        yield Utf8(lines + start[at:], stream, root[1])


def read_elements(path: Path, tag: str, log: FileLog) -> Iterator[Any]:
    """Yield each element of a name, with all its content, as lxml elements; each is emptied when the next is read.

    Raises XmlError where the file stops being XML, and the errors of `open_xml`.
    """
    etree = library("lxml.etree")
    with open_xml(path, log) as stream:
        events = etree.iterparse(stream, tag=tag, resolve_entities=False, load_dtd=False, no_network=True)
        try:
            for _, element in events:
                yield element
                _forget(element)
        except etree.XMLSyntaxError as err:
            first = next(iter(events.error_log), None)
            message, line = (first.message, first.line) if first else (str(err.msg), 0)
            raise XmlError(message, line, is_cut=not stream.has_end(), n_chars=stream.n_chars) from err


class Utf8:
    """Text as UTF-8 bytes for an XML parser. start: what precedes the rest of the stream.

    root: the name of its root element. n_chars: number of characters read.
    """

    def __init__(self, start: str, stream: TextIO, root: str) -> None:
        self._start, self._stream, self._end, self._last = start, stream, f"</{root}>", ""
        self.n_chars = 0

    def read(self, size: int = -1) -> bytes:
        """Return the next bytes, more than `size` if the text is not ASCII; empty at the end."""
        text = self._start or self._stream.read(size)
        self._start = ""
        self._last = (self._last + text)[-SAMPLE_CHARS:]
        self.n_chars += len(text)
        return text.encode("utf-8", "replace")

    def has_end(self) -> bool:
        """Whether the root element's end tag is the last thing in it. Reads the rest."""
        while self.read(SAMPLE_CHARS):
            pass
        return self._last.rstrip().endswith(self._end)


def _end_of_prolog(text: str, start: int = 0) -> int:
    match = PASSED_OVER.match(text, start)
    return match.end() if match else start


def _encoding(path: Path, log: FileLog) -> str:
    """Find the encoding as for other texts; a declared encoding takes precedence over a guess."""
    of_text = FileLog(log.file)
    encoding = find_encoding(path, of_text)
    declared = "" if encoding in UNICODE else _declared_encoding(path)
    for note in [f"not UTF-8: read as {declared}, as it declares"] if declared else of_text.notes:
        log.note(note)
    return declared or encoding


def _declared_encoding(path: Path) -> str:
    """Return the encoding in the XML declaration; empty if there is none, or the file does not decode in it."""
    with path.open("rb") as stream:
        declared = DECLARED_ENCODING.match(stream.read(200).decode("latin-1"))
    if not declared:
        return ""
    try:
        with path.open(encoding=declared[1], newline="") as text:
            while text.read(SAMPLE_CHARS):
                pass
    except (LookupError, UnicodeError):
        return ""
    return declared[1]


def _forget(element: Any) -> None:
    """Empty an element, and remove those before it from the tree, so that memory does not grow."""
    element.clear()
    while element.getprevious() is not None:
        del element.getparent()[0]
