"""Writes a pipeline to disk, without the words of the texts that it has read.

spaCy's vocabulary keeps every string that it has met, and writes them all into `vocab/strings.json`: those of every
text that was trained or evaluated on. Predicting needs none of them: the features of a word are hashes of its letters.
"""

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import srsly
from spacy.language import Language
from spacy.strings import get_string_id

from domain_ner.files import atomic_path

STRINGS = Path("vocab", "strings.json")
VECTOR_KEYS = Path("vocab", "key2row")
# Weights hold no strings, and are large; the tokenizer's own are in its file.
WITHOUT_STRINGS = {"model", "vectors", "lookups.bin"}


def save(nlp: Language, folder: Path) -> None:
    """Write a pipeline, whole or not at all, in the place of one that is there."""
    with atomic_path(folder) as new:
        nlp.to_disk(new)
        forget_texts(new)


def save_copy(saved: Path, folder: Path) -> None:
    """Write a saved pipeline once more, whole or not at all, in the place of one that is there. saved: its folder."""
    with atomic_path(folder) as new:
        shutil.copytree(saved, new)
        forget_texts(new)


def forget_texts(folder: Path) -> None:
    """Keep in a saved pipeline's vocabulary only the strings that its parts name, or refer to by their hash.

    Those are the labels, what patterns and rules hold, and the keys of static vectors. A pipeline for which that is
    done already stays as it is.
    """
    path = folder / STRINGS
    if not path.is_file():
        return
    named = set(_named(folder))
    strings = srsly.read_json(path)
    kept = [string for string in strings if string in named or get_string_id(string) in named]
    if kept != strings:
        srsly.write_json(path, kept)


def _named(folder: Path) -> Iterator[str | int]:
    """Every string and every number in the files of a pipeline's components and in the keys of its vectors."""
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder)
        is_part = len(name.parts) > 1 and name.parts[0] != "vocab" and name.name not in WITHOUT_STRINGS
        if path.is_file() and (is_part or name == VECTOR_KEYS):
            yield from _leaves(_read(path))


def _read(path: Path) -> Any:
    """What a file holds: JSON, rows of JSON or MessagePack, as spaCy's components write them; else nothing."""
    for read in (srsly.read_json, srsly.read_msgpack, lambda path: list(srsly.read_jsonl(path))):
        try:
            return read(path)
        except Exception:  # each raises errors of its own; what is none of the three names no string of the vocabulary
            continue
    return None


def _leaves(held: Any) -> Iterator[str | int]:
    if isinstance(held, dict):
        for key, value in held.items():
            yield from _leaves(key)
            yield from _leaves(value)
    elif isinstance(held, list | tuple):
        for one in held:
            yield from _leaves(one)
    elif isinstance(held, bytes):
        yield from _leaves(_unpacked(held))
    elif isinstance(held, np.ndarray) and held.dtype.kind in "iu":
        yield from held.ravel().tolist()
    elif isinstance(held, str | int):
        yield held
        if isinstance(held, str) and held.startswith(("{", "[")):  # `ner` keeps its labels as JSON
            yield from _leaves(_parsed(held))


def _parsed(held: str) -> Any:
    try:
        return srsly.json_loads(held)
    except ValueError:
        return None


def _unpacked(held: bytes) -> Any:
    """MessagePack within MessagePack, as spaCy nests it; else nothing."""
    try:
        return srsly.msgpack_loads(held)
    except Exception:
        return None
