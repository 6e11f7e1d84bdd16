"""What is in the files of a pipeline or its wheel, however deep: words, and pickles; and the pipeline of a wheel."""

import io
import json
import re
import zipfile
from pathlib import Path

import numpy as np
import spacy
import spacy.cli.package
import srsly
import thinc.api
from conftest import GUIDE, ROOT
from spacy.tokens import DocBin

from domain_ner.packaging.wheels import Release, build_wheels

WORD = re.compile(r"[^\W_]{3,}")


def words(text):
    """The words of three letters or digits and more, in lower case.

    Short numbers are left out: a length or a date has them too.
    """
    return {word for word in WORD.findall(text.lower()) if len(word) > 4 or not word.isdecimal()}


def contents(place):
    """(name, bytes) of every file in a folder or a wheel."""
    if place.is_dir():
        yield from ((str(path.relative_to(place)), path.read_bytes()) for path in place.rglob("*") if path.is_file())
        return
    with zipfile.ZipFile(place) as archive:
        yield from ((name, archive.read(name)) for name in archive.namelist())


def leaves(held):
    """Every text, and every run of bytes, in what a file holds: zip, safetensors, JSON and MessagePack are opened.

    Bytes that are one of these are given too. Arrays of numbers are left out.
    """
    if isinstance(held, dict):
        for key, value in held.items():
            yield from leaves(key)
            yield from leaves(value)
    elif isinstance(held, list | tuple):
        for one in held:
            yield from leaves(one)
    elif isinstance(held, np.ndarray) and held.dtype.kind not in "biufc":
        yield from leaves(held.tolist())
    elif isinstance(held, bytes):
        yield held
        yield from leaves(opened(held))
    elif isinstance(held, str):
        yield held


def opened(held):
    """What is in bytes; None where nothing can be made of them."""
    if held.startswith(b"PK\x03\x04"):
        with zipfile.ZipFile(io.BytesIO(held)) as archive:
            return [part for name in archive.namelist() for part in (name, archive.read(name))]
    size = int.from_bytes(held[:8], "little")
    if held[8:9] == b"{" and size < len(held):
        return json.loads(held[8 : 8 + size])
    for read in (json.loads, srsly.msgpack_loads, lambda held: held.decode("utf-8")):
        try:
            found = read(held)
        except Exception:
            continue
        if not isinstance(found, int | float):
            return found
    return None


def load_wheel(model, folder):
    """The pipeline that is in the wheel made of `model`. The wheel is not installed: that takes a minute."""
    build_wheels(model, ROOT, folder / "wheels", Release("unpacked", "1.0.0"))
    with zipfile.ZipFile(next((folder / "wheels").glob("*_unpacked-*.whl"))) as archive:
        archive.extractall(folder / "unpacked")
    return spacy.load(next((folder / "unpacked").glob("*/*-1.0.0")))


def words_in(place):
    """The words of all files, and of their names."""
    found = set()
    for name, held in contents(place):
        found |= words(name)
        for leaf in leaves(held):
            found |= words(leaf) if isinstance(leaf, str) else set()
    return found


def settings_in(place):
    """The names of sections and settings in the config of a pipeline; not their values."""
    (text,) = [held.decode() for name, held in contents(place) if name.endswith("config.cfg")]
    return words(" ".join(re.findall(r"^(?:\[.*\]|@?\w+(?= = ))", text, re.MULTILINE)))


def pickles_in(place):
    """The files that are or hold a pickle: PyTorch's zip of one, or one by itself (from protocol 2 on)."""
    found = []
    for name, held in contents(place):
        parts = [leaf for leaf in leaves(held) if isinstance(leaf, bytes)]
        is_pickle = any(re.match(rb"\x80[\x02-\x05]", part) and part.endswith(b".") for part in parts)
        is_zip_of_one = any(part.startswith(b"PK\x03\x04") and b"data.pkl" in part for part in parts)
        if (
            is_pickle
            or is_zip_of_one
            or Path(name).suffix
            in {".pkl", ".pickle", ".pt", ".pth", ".bin"} - {".bin" if name.endswith("lookups.bin") else ""}
        ):
            found.append(name)
    return found


def assert_forgotten(wheel, train, *, known=frozenset()):
    """No word of the training text is in a wheel, but those that the guide, our code, spaCy's or `known` names."""
    defaults = spacy.blank("en").Defaults
    code = [path for folder in ("domain_ner", "configs", "scripts") for path in (ROOT / folder).rglob("*.*")]
    own = [GUIDE, ROOT / "project.yml", *(path for path in code if path.suffix in {".py", ".cfg", ".yml"})]
    named = words(" ".join(path.read_text("utf8") for path in [*own, Path(spacy.cli.package.__code__.co_filename)]))
    named |= words(" ".join(dir(thinc.api))) | settings_in(wheel)  # layers and settings have names
    named |= words(f"{defaults.tokenizer_exceptions} {defaults.stop_words}") | known
    texts = [doc.text for doc in DocBin().from_disk(train).get_docs(spacy.blank("en").vocab)]
    read = words(" ".join(texts)) - named
    assert len(read) > 100
    assert sorted(words_in(wheel) & read) == []
