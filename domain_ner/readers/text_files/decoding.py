"""Decodes text files of any encoding, streams them, and splits lines at `\\n`, `\\r\\n` and `\\r` only."""

import codecs
import re
from collections.abc import Iterator
from encodings import utf_8_sig
from functools import partial
from pathlib import Path

from charset_normalizer import from_bytes

from domain_ner.annotations.records import FileLog
from domain_ner.errors import DomainNerError

# A megabyte buffer for each small file of a folder takes longer than reading it.
CHUNK_BYTES = 1 << 16
SAMPLE_CHARS = 1 << 16
# Maximum of one line: a longer line is not annotated text, and would have to be in memory.
MAX_LINE_CHARS = 1 << 26
EVIDENCE_BYTES = 1 << 16
# UTF-32 first: its mark begins with that of UTF-16.
BOMS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
# cp1252, not latin-1: for its quotes, dashes and ellipsis, latin-1 has control characters that Python takes for line
# ends and white space.
LATIN = "cp1252"
OTHER_LATIN = ("cp1250", "cp1254")
OTHER_SCRIPTS = (
    "cp1251", "koi8_r", "cp1253", "cp1255", "cp1256", "cp932", "euc_jp", "gb18030", "big5", "cp949",
)  # fmt: skip
HIGH = re.compile(rb"[\x80-\xff]")
# Includes adjacent bytes of one word: a Chinese character, in a file with one per row.
HIGH_RUN = re.compile(rb"[\x80-\xff]{3,}|(?<![^\s])[\x80-\xff]{2}(?![^\s])")
# The codec for UTF-8 with some invalid bytes: truncated inside a character, or concatenated from two encodings. A
# one-byte encoding for the whole file would garble all other characters.
MIXED = "utf-8-with-cp1252"


def find_encoding(path: Path, log: FileLog) -> str:
    """Find the encoding of a text file: by its byte-order mark, else UTF-8 if all of it is valid, else by its bytes.

    The whole file decodes in it. Raises DomainNerError for an empty file, and for one that is not text.
    """
    start = _first_bytes(path)
    marked = next((encoding for mark, encoding in BOMS if start.startswith(mark)), "")
    if marked:
        log.note(f"byte-order mark removed ({marked.removesuffix('-sig')})")
    if marked and (_decodes(path, marked) or marked != "utf-8-sig"):
        return _require_decodes(path, marked)
    if b"\0" in start:
        raise DomainNerError(
            f"{path} is not a text file: it has null bytes.", "Export as JSON, JSONL, CSV or text, or move it away."
        )
    position = _first_invalid(path)
    if position is None:
        return "utf-8"
    byte = _bytes_at(path, position)[0]
    n_valid, n_stray = _count_characters(path)
    # Bytes of other encodings rarely form UTF-8 characters by chance, so the majority decides.
    if marked or n_valid >= n_stray:
        log.note(f"{n_stray} places are not UTF-8 (the first: byte 0x{byte:02x} at {position}): read there as {LATIN}")
        return MIXED
    guessed = _guess_encoding(_bytes_at(path, position))
    encoding = next((encoding for encoding in (guessed, LATIN) if _decodes(path, encoding)), "latin-1")
    log.note(f"not UTF-8 (byte 0x{byte:02x} at {position}): read as {encoding}")
    return encoding


def read_text(path: Path, log: FileLog) -> str:
    """Read a whole file with its own line ends. For formats whose offsets count them, and for small files."""
    with path.open(encoding=find_encoding(path, log), newline="") as stream:
        return stream.read()


def read_lines(path: Path, log: FileLog) -> Iterator[tuple[int, str]]:
    """Yield (line number from 1, line without its end), streamed.

    U+2028, U+0085 and the like stay in the line: they may occur in a JSON string or a token.
    Raises DomainNerError for a line that is too long.
    """
    # newline="" makes Python split at \n, \r\n and \r only.
    with path.open(encoding=find_encoding(path, log), newline="") as stream:
        for n_line, line in enumerate(iter(partial(stream.readline, MAX_LINE_CHARS), ""), start=1):
            if len(line) == MAX_LINE_CHARS:
                raise DomainNerError(
                    f"{path}:{n_line} has more than {MAX_LINE_CHARS:,} characters; expected lines of text.",
                    "Export it again, or split the file.",
                )
            yield n_line, line.rstrip("\r\n")


def read_sample(path: Path) -> tuple[str, bool]:
    """Return the first 64 K characters of a file without longer leading white space, and whether that is all of it."""
    with path.open(encoding=find_encoding(path, FileLog(path.name)), newline="") as stream:
        text = chunk = stream.read(SAMPLE_CHARS)
        while chunk and chunk.isspace():
            chunk = stream.read(SAMPLE_CHARS)
            text = chunk.lstrip()
        return text + stream.read(SAMPLE_CHARS - len(text)), not stream.read(1)


def ends_with_line_end(path: Path) -> bool:
    """Whether the last line of a file is complete."""
    with path.open("rb") as stream:
        stream.seek(-min(2, path.stat().st_size), 2)
        return stream.read().strip(b"\0")[-1:] in (b"\n", b"\r")


def _first_bytes(path: Path) -> bytes:
    with path.open("rb") as stream:
        start = stream.read(EVIDENCE_BYTES)
    if not start:
        raise DomainNerError(f"{path} is empty (0 bytes).", "Export it again, or remove the file.")
    return start


def _bytes_at(path: Path, position: int) -> bytes:
    with path.open("rb") as stream:
        stream.seek(position)
        return stream.read(EVIDENCE_BYTES)


def _first_invalid(path: Path) -> int | None:
    """Find the position where a file stops being UTF-8; None if it never does."""
    decoder, n_read, chunk = codecs.getincrementaldecoder("utf-8")(), 0, b"first"
    with path.open("rb") as stream:
        while chunk:
            chunk = stream.read(CHUNK_BYTES)
            n_pending = len(decoder.getstate()[0])
            try:
                decoder.decode(chunk, final=not chunk)
            except UnicodeDecodeError as err:
                return n_read - n_pending + err.start
            n_read += len(chunk)
    return None


def _count_characters(path: Path) -> tuple[int, int]:
    """Count (valid UTF-8 characters beyond ASCII, invalid positions)."""
    n_valid = n_stray = 0
    with path.open(encoding="utf-8", errors="replace", newline="") as stream:
        while text := stream.read(CHUNK_BYTES):
            n_replaced = text.count("\ufffd")
            n_stray += n_replaced
            n_valid += len(text) - n_replaced - len(text.encode("ascii", "ignore"))
    return n_valid, n_stray


def _guess_encoding(data: bytes) -> str:
    """Guess the encoding of bytes that are not UTF-8.

    In the Latin script bytes beyond ASCII are isolated between letters, in others most are adjacent.
    """
    words = [word for word in data.split() if not word.isascii()]
    evidence = b" ".join(words if len(data) < EVIDENCE_BYTES else words[:-1] or words)  # the last may be truncated
    n_in_runs = sum(map(len, HIGH_RUN.findall(evidence)))
    if n_in_runs > len(HIGH.findall(evidence)) / 2:
        best = from_bytes(evidence, cp_isolation=[*OTHER_SCRIPTS]).best()
        if best is not None:
            return best.encoding
    matches = from_bytes(data, cp_isolation=[LATIN, *OTHER_LATIN])
    best = matches.best()
    coherence = max((match.coherence for match in matches if LATIN in match.could_be_from_charset), default=0.0)
    return best.encoding if best is not None and best.coherence > coherence else LATIN


def _decodes(path: Path, encoding: str) -> bool:
    try:
        with path.open(encoding=encoding, newline="") as stream:
            while stream.read(CHUNK_BYTES):
                pass
    except UnicodeError:
        return False
    return True


def _require_decodes(path: Path, encoding: str) -> str:
    if not _decodes(path, encoding):
        raise DomainNerError(
            f"{path} is marked as {encoding} but does not decode as that: it is damaged or truncated.",
            "Export it again.",
        )
    return encoding


def _stray(err: UnicodeError) -> tuple[str, int]:
    """Handle errors of MIXED: decode each byte that is not UTF-8 as cp1252."""
    if not isinstance(err, UnicodeDecodeError):
        raise err
    stray = err.object[err.start : err.end]
    return "".join(_one_byte(stray[n : n + 1]) for n in range(len(stray))), err.end


def _one_byte(byte: bytes) -> str:
    try:
        return byte.decode(LATIN)
    except UnicodeDecodeError:
        return byte.decode("latin-1")


class _MixedDecoder(utf_8_sig.IncrementalDecoder):
    def __init__(self, errors: str = "strict") -> None:
        super().__init__(MIXED)


def _find_codec(name: str) -> codecs.CodecInfo | None:
    if name.replace("_", "-") != MIXED:
        return None
    return codecs.CodecInfo(
        name=MIXED,
        encode=codecs.utf_8_encode,
        decode=lambda data, errors="strict": (utf_8_sig.decode(data, MIXED)[0], len(data)),
        incrementaldecoder=_MixedDecoder,
    )


codecs.register_error(MIXED, _stray)
codecs.register(_find_codec)
