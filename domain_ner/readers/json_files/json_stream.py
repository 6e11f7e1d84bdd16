"""Reads JSON values one at a time from a text stream of any size."""

import json
import re
from collections.abc import Collection, Iterator
from typing import TextIO

from domain_ner.readers.json_files import guarded_json
from domain_ner.readers.json_files.guarded_json import (
    JsonError,
    Loaded,
    checked,
    is_cut,
    is_suspect,
    scan_value,
    too_long,
)

CHUNK_CHARS = 1 << 18
BETWEEN_VALUES = re.compile(r"[\s,]*+")
DECODER = json.JSONDecoder()
# Near the end of the buffer, a word (-Infinity), number or escape may be incomplete.
LONGEST_WORD = 12


class JsonStream:
    """A cursor in a stream of JSON."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._text, self._at, self._is_end, self._is_suspect = "", 0, False, False
        self._n_before, self._counted, self._line, self._start = 0, 0, 1, 0

    @property
    def n_read(self) -> int:
        """Characters before the cursor."""
        return self._n_before + self._at

    @property
    def n_line(self) -> int:
        """The line, from 1, of the value that was read last, or is being read."""
        self._line, self._counted = self._line_of(self._start), self._start
        return self._line

    def n_left(self) -> int:
        """Count the characters after the cursor. Reads the stream to its end."""
        n_here = len(self._text) - self._at
        return n_here + sum(map(len, iter(lambda: self._stream.read(CHUNK_CHARS), "")))

    def peek(self) -> str:
        """Return the next character after white space and commas; empty at the end."""
        while True:
            self._at = BETWEEN_VALUES.match(self._text, self._at).end()  # type: ignore[union-attr]
            if self._at < len(self._text):
                return self._text[self._at]
            if not self._fill():
                return ""

    def skip(self) -> None:
        """Skip the character that `peek` returned."""
        self._at += 1

    def value(self) -> Loaded:
        """Read the next value. A value that exceeds a limit has a fault; reading can continue after it.

        Raises JsonError if there is none or it does not end; its message says where.
        """
        self.peek()
        while True:
            self._start = self._at
            loaded, end = self._try_value()
            if end is not None:
                self._at = end
                return loaded
            if len(self._text) - self._at > guarded_json.MAX_VALUE_CHARS:
                raise too_long()
            self._fill()

    def _try_value(self) -> tuple[Loaded, int | None]:
        """Return (the value at the cursor, its end); None: more text is needed."""
        if self._is_suspect:
            end, fault = scan_value(self._text, self._at)
            if end is None and self._is_end and fault:
                raise JsonError(fault)
            if end is None and not self._is_end:
                return Loaded(None), None
            if fault:
                return Loaded(None, fault), end
        try:
            value, end = DECODER.raw_decode(self._text, self._at)
        except json.JSONDecodeError as err:
            is_near_end = err.pos >= len(self._text) - LONGEST_WORD or err.msg.startswith("Unterminated")
            if is_near_end and not self._is_end:
                return Loaded(None), None
            raise self._broken(err) from err
        except (ValueError, RecursionError, MemoryError) as err:
            raise JsonError(f"invalid JSON ({err})") from err
        is_near_end = end > len(self._text) - LONGEST_WORD and not self._is_end
        if is_near_end and self._text[end - 1] not in '}]"':
            return Loaded(None), None  # a number may continue
        return checked(value, self._text[self._at : end]), end

    def _broken(self, err: json.JSONDecodeError) -> JsonError:
        ends_here = self._is_end and is_cut(self._text[self._at :], err.msg, err.pos - self._at)
        where = f"in line {self._line_of(err.pos)}, character {self._n_before + err.pos + 1:,} of the file"
        return JsonError(f"invalid JSON {where} ({err.msg})", is_cut=ends_here)

    def _fill(self) -> bool:
        """Read as much text as an incomplete value already has; False at the end."""
        chunk = self._stream.read(max(CHUNK_CHARS, len(self._text) - self._at))
        # Do not split a line end of two characters: it would count twice.
        start = self._at - self._text.endswith("\r", 0, self._at)
        self._line = self._line_of(start)
        self._text, self._n_before = self._text[start:] + chunk, self._n_before + start
        self._at, self._counted, self._is_end = self._at - start, 0, not chunk
        self._is_suspect = is_suspect(self._text, 0)
        return bool(chunk)

    def _line_of(self, at: int) -> int:
        """Compute the line of a position at or after the last requested one."""
        n_lf, n_cr, n_both = (self._text.count(end, self._counted, at) for end in ("\n", "\r", "\r\n"))
        return self._line + n_lf + n_cr - n_both


def stream_rows(stream: JsonStream, inside: Collection[str] = (), *, in_turn: bool = False) -> Iterator[Loaded]:
    """Yield the items of arrays, also of those under the keys `inside` of objects; else the values themselves.

    in_turn: arrays are values themselves. Raises JsonError where the text stops being JSON.
    """
    while sign := stream.peek():
        if sign == "[" and not in_turn:
            yield from _items(stream)
        elif sign == "{" and inside:
            yield from _items_inside(stream, inside)
        else:
            yield stream.value()


def _items(stream: JsonStream) -> Iterator[Loaded]:
    stream.skip()
    while (sign := stream.peek()) != "]":
        if not sign:
            raise JsonError("invalid JSON: the array has no end", is_cut=True)
        yield stream.value()
    stream.skip()


def _items_inside(stream: JsonStream, inside: Collection[str]) -> Iterator[Loaded]:
    """Yield the items of the arrays with rows, under any of the keys."""
    stream.skip()
    while (sign := stream.peek()) != "}":
        if not sign:
            raise JsonError("invalid JSON: the object has no end", is_cut=True)
        key = stream.value().value
        if stream.peek() != ":" or not isinstance(key, str):
            where = f"invalid JSON in line {stream.n_line} (expected a key and a colon)"
            raise JsonError(where, is_cut=not stream.peek())
        stream.skip()
        if stream.peek() != "[":
            stream.value()
            continue
        # A list of words or numbers beside the rows (`classes`) has no rows.
        are_rows = key in inside
        for n_item, row in enumerate(_items(stream)):
            are_rows = are_rows and (n_item > 0 or row.value is None or isinstance(row.value, dict | list))
            if are_rows:
                yield row
    stream.skip()
