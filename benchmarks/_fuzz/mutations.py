"""How a file is damaged at random: in its bytes, lines, numbers, or JSON values; what is packed, inside too."""

import json
import random
import zipfile
import zlib
from collections.abc import Callable, Sequence
from io import BytesIO
from typing import Any

MAX_CHANGES = 4
MAX_NESTED = 20
# How often what is packed is damaged before it is packed.
INSIDE = 0.7
BYTES = (
    b"",
    b"\0",
    b"\xff",
    b"\xef\xbb\xbf",
    b"\r",
    b"\n",
    b"\t",
    b'"',
    b"[",
    b"}",
    b",",
    b"\\u",
    "𝒳".encode(),
    b"O",
    b"_",
)
NUMBERS = (b"-1", b"0", b"1.0", b"4.5", b"1e9", b"99999999999999999999", b"null", b'"7"', b"true", b"NaN")
VALUES: tuple[Any, ...] = (
    None, True, False, 0, -1, 3, 2.0, 2.5, 10**20, "", " ", "Redis", "3", "\ud83d", "x" * 500, [], {}, [[]], [None],
    {"": None}, {"start": 0, "end": 3, "label": "X"},
)  # fmt: skip

Mutation = Callable[[bytes, bytes, random.Random], bytes]


def mutate(data: bytes, other: bytes, rng: random.Random) -> bytes:
    """A damaged copy. other: another export, from which pieces may come."""
    if rng.random() < INSIDE:
        if data.startswith(b"PK"):
            return _in_zip(data, other, rng)
        if data.startswith(b"\x78"):  # a DocBin
            return zlib.compress(mutate(zlib.decompress(data), other, rng))
    for _ in range(rng.randint(1, MAX_CHANGES)):
        data = rng.choice(MUTATIONS)(data, other, rng)
    return data


def _in_zip(data: bytes, other: bytes, rng: random.Random) -> bytes:
    with zipfile.ZipFile(BytesIO(data)) as archive:
        members = [(name, archive.read(name)) for name in archive.namelist()]
    number = rng.randrange(len(members))
    name, content = members[number]
    members[number] = rng.choice((name, name, "x.txt", f"folder/{name}")), mutate(content, other, rng)
    packed = BytesIO()
    with zipfile.ZipFile(packed, "w", rng.choice((zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED))) as archive:
        for name, content in members:
            archive.writestr(zipfile.ZipInfo(name), content)  # its date is always the same
    return packed.getvalue()


def _cut(data: bytes, rng: random.Random) -> tuple[int, int]:
    """A stretch of it, most often a short one."""
    start = rng.randint(0, len(data))
    return start, min(len(data), start + rng.choice((1, 3, 20, 200, len(data))))


def _flip(data: bytes, _: bytes, rng: random.Random) -> bytes:
    if not data:
        return data
    place = rng.randrange(len(data))
    return data[:place] + bytes([data[place] ^ 1 << rng.randrange(8)]) + data[place + 1 :]


def _leave_out(data: bytes, _: bytes, rng: random.Random) -> bytes:
    start, end = _cut(data, rng)
    return data[:start] + data[end:]


def _cut_off(data: bytes, _: bytes, rng: random.Random) -> bytes:
    return data[: rng.randint(0, len(data))]


def _repeat(data: bytes, _: bytes, rng: random.Random) -> bytes:
    start, end = _cut(data, rng)
    return data[:end] + data[start:end] * rng.choice((1, 1, 5)) + data[end:]


def _put_in(data: bytes, _: bytes, rng: random.Random) -> bytes:
    place = rng.randint(0, len(data))
    return data[:place] + rng.choice(BYTES) * rng.choice((1, 1, 50)) + data[place:]


def _splice(data: bytes, other: bytes, rng: random.Random) -> bytes:
    (start, end), place = _cut(other, rng), rng.randint(0, len(data))
    return data[:place] + other[start:end] + data[place:]


def _change_lines(data: bytes, _: bytes, rng: random.Random) -> bytes:
    lines = data.split(b"\n")
    one, two = rng.randrange(len(lines)), rng.randrange(len(lines))
    how = rng.randrange(4)
    if how == 0:
        lines[one], lines[two] = lines[two], lines[one]
    elif how == 1:
        del lines[one]
    elif how == 2:
        lines.insert(two, lines[one])
    else:
        lines[one] = b""
    return rng.choice((b"\n", b"\n", b"\r\n", b"\r")).join(lines)


def _change_number(data: bytes, _: bytes, rng: random.Random) -> bytes:
    places = [n for n, char in enumerate(data) if 48 <= char <= 57]
    if not places:
        return data
    start = end = rng.choice(places)
    while end < len(data) and 48 <= data[end] <= 57:
        end += 1
    return data[:start] + rng.choice(NUMBERS) + data[end:]


def _recode(data: bytes, _: bytes, rng: random.Random) -> bytes:
    encoding = rng.choice(("utf-16", "latin-1", "utf-8-sig"))
    return data.decode("utf-8", "replace").encode(encoding, "replace")


def _change_json(data: bytes, _: bytes, rng: random.Random) -> bytes:
    """Change a value of a JSON file, or of one of its lines; the bytes where there is no JSON."""
    text = data.decode("utf-8", "replace")
    lines = text.split("\n")
    whole = _loaded(text)
    if whole is not None:
        return _dumped(_changed(whole, rng), rng)
    number = rng.randrange(len(lines))
    row = _loaded(lines[number])
    if row is None:
        return _leave_out(data, b"", rng)
    lines[number] = _dumped(_changed(row, rng), rng).decode()
    return "\n".join(lines).encode("utf-8", "replace")


def _loaded(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


def _dumped(value: Any, rng: random.Random) -> bytes:
    return json.dumps(value, ensure_ascii=rng.random() < 0.5).encode("utf-8", "backslashreplace")


def _changed(value: Any, rng: random.Random) -> Any:
    """A copy in which one value, found by chance, is another, is gone, has another key, or stands deeper."""
    if isinstance(value, dict) and value and rng.random() < 0.9:
        key, how = rng.choice(list(value)), rng.randrange(8)
        if how == 0:
            return {name: one for name, one in value.items() if name != key}
        new = rng.choice(("text", "x", "", key.upper())) if how == 1 else key
        return {(new if name == key else name): one for name, one in value.items()} | {new: _changed(value[key], rng)}
    if isinstance(value, list) and value and rng.random() < 0.9:
        place, how = rng.randrange(len(value)), rng.randrange(8)
        some = [] if how == 0 else [value[place]] * 2 if how == 1 else [_changed(value[place], rng)]
        return [*value[:place], *some, *value[place + 1 :]]
    found = rng.choice((*VALUES, value))
    for _ in range(rng.choice((0, 0, 0, 1, MAX_NESTED))):
        found = [found]
    return found


MUTATIONS: Sequence[Mutation] = (
    _flip, _leave_out, _cut_off, _repeat, _put_in, _splice, _change_lines, _change_number, _recode,
    _change_json, _change_json, _change_json,
)  # fmt: skip
