"""Guards the JSON library against untrusted input, so that nothing is lost silently.

JSON libraries keep only the last value of a duplicate key, and accept half a surrogate pair, which cannot be written.
Unlimited nesting exhausts the stack, and a number of a million digits takes minutes. This module handles whole texts;
`json_stream` handles streams.
"""

import json
import re
from collections.abc import Iterator
from reprlib import repr as short
from typing import Any, NamedTuple

# No tool nests annotations deeper than some ten levels, or writes numbers of more than some 25 characters.
MAX_DEPTH = 100
MAX_NUMBER_CHARS = 1000
# Maximum of one row. The longest known document in an export has 819,616 characters.
MAX_VALUE_CHARS = 1 << 26
STRING = r'"[^"\\]*+(?:\\.[^"\\]*+)*+"'
TOKEN = re.compile(rf'{STRING}|[\[\]{{}}:,"]|[^\s\[\]{{}}:,"]++', re.DOTALL)
STRUCTURE = b'{}[]"'
NOT_STRUCTURE = bytes(set(range(256)) - set(STRUCTURE))
N_PROBES = 8
IN_NUMBER = re.compile(rf"[-+.0-9eE]{{{N_PROBES}}}")
SURROGATE = re.compile("[\ud800-\udfff]")
HALF_ESCAPE = re.compile(r"\\u[dD]")
HALVES = "half of a character (a lone surrogate) read as U+FFFD"
TWICE = "a duplicate key with the same value is read once"
CLOSING = {"{": "}", "[": "]"}
OBJECTS = {dict}


class JsonError(ValueError):
    """Text that is not JSON, or exceeds a limit.

    message: what came. position: of the error in the text. is_cut: the text ends before the value does.
    """

    def __init__(self, message: str, position: int = 0, *, is_cut: bool = False) -> None:
        super().__init__(message)
        self.message, self.position, self.is_cut = message, position, is_cut


class Loaded(NamedTuple):
    """A JSON value.

    fault: why it must not be used; `value` then only serves to detect a format. notes: repairs.
    """

    value: Any
    fault: str = ""
    notes: tuple[str, ...] = ()


def load(text: str) -> Loaded:
    """Load a whole JSON text. Raises JsonError if it is not JSON, or exceeds a limit."""
    if len(text) > MAX_VALUE_CHARS:
        raise too_long()
    if is_suspect(text, 0):
        end, fault = scan_value(text, len(text) - len(text.lstrip()))
        if fault:
            raise JsonError(fault, end or 0)
    try:
        value = json.loads(text)
    except json.JSONDecodeError as err:
        where = f"invalid JSON at column {err.pos + 1} ({err.msg})"
        raise JsonError(where, err.pos, is_cut=is_cut(text, err.msg, err.pos)) from err
    except (ValueError, RecursionError, MemoryError) as err:
        raise JsonError(f"invalid JSON ({err})") from err
    return checked(value, text)


def is_cut(text: str, message: str, position: int) -> bool:
    """Whether a text begins like JSON but is truncated. message, position: the error of the library."""
    text = text.rstrip()
    has_end = text.endswith(("}", "]")) and not message.startswith("Unterminated") and position < len(text)
    return text.lstrip().startswith(("{", "[")) and not has_end


def too_long() -> JsonError:
    """Make the error for a value that exceeds the size limit."""
    return JsonError(f"JSON with a value of more than {MAX_VALUE_CHARS:,} characters")


def checked(value: Any, text: str) -> Loaded:
    """Check a parsed value: replace lone surrogates, and report duplicate keys."""
    loaded = Loaded(value)
    if isinstance(value, dict | list) and not _has_each_key(value, text):
        loaded = _with_each_key(value, text)
    if "\\" in text and HALF_ESCAPE.search(text):
        plain = json.dumps(value, ensure_ascii=False)
        if SURROGATE.search(plain):
            whole = json.loads(SURROGATE.sub("\ufffd", plain))
            return loaded._replace(value=whole, notes=(*loaded.notes, HALVES))
    return loaded


def is_suspect(text: str, start: int) -> bool:
    """Whether values from `start` on may exceed a limit; cheap, and a False is always correct."""
    if text.count("{", start) + text.count("[", start) > MAX_DEPTH and _depth(text[start:]) > MAX_DEPTH:
        return True
    if len(text) - start <= MAX_NUMBER_CHARS:
        return False
    # A longer number contains eight adjacent characters of this kind, wherever it starts.
    return IN_NUMBER.search(text[start :: MAX_NUMBER_CHARS // N_PROBES]) is not None


def scan_value(text: str, start: int) -> tuple[int | None, str]:
    """Find where a value ends (None if the text ends first) and the limit it exceeds ("" for none), without JSON."""
    depth, fault = 0, ""
    for token in TOKEN.finditer(text, start):
        sign = token[0][0]
        if sign in "[{":
            depth += 1
        elif sign in "]}":
            depth -= 1
        elif token[0] == '"':
            return None, fault
        elif sign not in '":,' and len(token[0]) > MAX_NUMBER_CHARS:
            fault = fault or f"JSON with a number or word of more than {MAX_NUMBER_CHARS:,} characters"
        if depth > MAX_DEPTH:
            fault = fault or f"JSON nested more than {MAX_DEPTH} levels deep"
        if depth <= 0:
            return token.end(), fault
    return None, fault


def beginning(text: str) -> Iterator[Any]:
    """Yield the values at the beginning of a text, the last one possibly incomplete; stops where it is not JSON."""
    text = text.lstrip()
    while text.startswith(("{", "[")):
        for _ in range(2):  # up to its end, else up to the first invalid character
            whole, end = _completed(text)
            try:
                yield load(whole).value
                break
            except JsonError as err:
                text, end = text[: err.position], len(text)
        text = text[end:].lstrip(", \t\r\n")


def _completed(text: str) -> tuple[str, int]:
    """Return the first value of a text, closed if truncated, and how much of the text it spans."""
    closing: list[str] = []
    end, suffix = 0, ""
    for token in TOKEN.finditer(text):
        sign = token[0]
        if sign in CLOSING and len(closing) < MAX_DEPTH:
            closing.append(CLOSING[sign])
            end, suffix = token.end(), ""
        elif closing and sign == closing[-1]:
            closing.pop()
            end, suffix = token.end(), ""
        elif sign == ",":
            end, suffix = token.start(), ""
        elif sign == ":":
            end, suffix = token.end(), "null"
        elif sign in CLOSING or sign in ("]", "}", '"'):
            break
        if not closing:
            return text[:end], end
    return f"{text[:end]}{suffix}{''.join(reversed(closing))}", len(text)


def _depth(text: str) -> int:
    """Compute an upper bound of the nesting depth of objects and lists, ignoring strings."""
    plain = text.encode("utf-8", "surrogatepass").replace(b"\\\\", b"").replace(b'\\"', b"")
    # Text from an odd quote to the next one is a string; two adjacent quotes do not change that.
    signs = plain.translate(None, NOT_STRUCTURE).replace(b'""', b"")
    signs = b"".join(signs.split(b'"')[::2])
    n_levels = 0
    while n_levels <= MAX_DEPTH:
        inner = signs.replace(b"{}", b"").replace(b"[]", b"")
        if inner == signs:
            break
        signs, n_levels = inner, n_levels + 2  # {} in [] goes in one turn
    return n_levels + signs.count(b"{") + signs.count(b"[")


def _has_each_key(value: Any, text: str) -> bool:
    """Whether a value certainly has all keys of its text: cheap; a False may be wrong."""
    n_colons = text.count(":")
    if _n_shallow_keys(value) == n_colons:
        return True
    n_keys = _n_all_keys(value)
    if n_keys == n_colons:
        return True
    has_gap = " :" in text or any(space in text and f"{space}:" in text for space in "\t\n\r")
    if has_gap or ("\\" in text and '\\\\"' in text):
        return False
    # Colons after a quote: all keys, and strings that begin with a colon.
    return n_keys == text.count('":') - (text.count('\\":') if "\\" in text else 0)


def _n_shallow_keys(value: Any) -> int:
    """Count the keys of a row's objects, at the top level or in a list there; deeper ones are ignored."""
    if type(value) is not dict:
        return 0
    n_keys = len(value)
    for inner in value.values():
        if type(inner) is dict:
            n_keys += len(inner)
        elif type(inner) is list and OBJECTS.issuperset(map(type, inner)):
            n_keys += sum(map(len, inner))
    return n_keys


def _n_all_keys(value: Any) -> int:
    n_keys = len(value) if type(value) is dict else 0
    for inner in value.values() if type(value) is dict else value:
        if type(inner) is dict or type(inner) is list:
            n_keys += _n_all_keys(inner)
    return n_keys


def _with_each_key(value: Any, text: str) -> Loaded:
    """Read the text again to detect duplicate keys in objects."""
    faults: list[str] = []
    alike: list[str] = []

    def watch(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        by_key: dict[str, Any] = {}
        for key, inner in pairs:
            if key not in by_key:
                by_key[key] = inner
            elif by_key[key] == inner:
                alike.append(key)
            else:
                faults.append(
                    f"the duplicate key {key!r} has the values {short(by_key[key])} and {short(inner)}: expected it"
                    " once"
                )
        return by_key

    json.loads(text, object_pairs_hook=watch)
    return Loaded(value, faults[0] if faults else "", (TWICE,) if alike else ())
