"""Saves a pipeline without the words of the texts that it has processed.

spaCy's vocabulary keeps every string of every text in training and evaluation, and writes them all into
`vocab/strings.json`. Prediction needs none of them: the features of a word are hashes of its letters.
"""

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import srsly
from spacy.language import Language
from spacy.strings import get_string_id

from domain_ner.files import atomic_path, require_replaceable

STRINGS = Path("vocab", "strings.json")
VECTOR_KEYS = Path("vocab", "key2row")
# Weights have no strings, and are large; the tokenizer's strings are in its file.
WITHOUT_STRINGS = {"model", "vectors", "lookups.bin"}


def save(nlp: Language, folder: Path) -> None:
    """Save a pipeline, whole or not at all, replacing an existing one.

    Raises DomainNerError if something else is there.
    """
    require_pipeline_or_nothing(folder)
    with atomic_path(folder) as new:
        nlp.to_disk(new)
        forget_texts(new)


def require_pipeline_or_nothing(folder: Path) -> None:
    """Raise DomainNerError if something lies in a pipeline's place that is no pipeline."""
    require_replaceable(folder, "meta.json", "a pipeline's folder")


def save_copy(saved: Path, folder: Path) -> None:
    """Write a saved pipeline once more, whole or not at all, in the place of one that is there. saved: its folder.

    Raises DomainNerError if something else is there.
    """
    require_pipeline_or_nothing(folder)
    with atomic_path(folder) as new:
        shutil.copytree(saved, new)
        forget_texts(new)


def forget_texts(folder: Path) -> None:
    """Keep only the strings of a saved pipeline's vocabulary that its parts name, or refer to by their hash.

    These are labels, the content of patterns and rules, and the keys of static vectors. Doing this twice changes
    nothing.
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
    """Yield every string and number in the files of a pipeline's components and in the keys of its vectors."""
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder)
        is_part = len(name.parts) > 1 and name.parts[0] != "vocab" and name.name not in WITHOUT_STRINGS
        if path.is_file() and (is_part or name == VECTOR_KEYS):
            yield from _leaves(_read(path))


def _read(path: Path) -> Any:
    """Read a file as JSON, JSON lines or MessagePack, the formats of spaCy's components; else None."""
    for read in (srsly.read_json, srsly.read_msgpack, lambda path: list(srsly.read_jsonl(path))):
        try:
            return read(path)
        except Exception:  # each raises its own errors; other formats name no string of the vocabulary
            continue
    return None


def _leaves(content: Any) -> Iterator[str | int]:
    if isinstance(content, dict):
        for key, value in content.items():
            yield from _leaves(key)
            yield from _leaves(value)
    elif isinstance(content, list | tuple):
        for item in content:
            yield from _leaves(item)
    elif isinstance(content, bytes):
        yield from _leaves(_unpacked(content))
    elif isinstance(content, np.ndarray) and content.dtype.kind in "iu":
        yield from content.ravel().tolist()
    elif isinstance(content, str | int):
        yield content
        if isinstance(content, str) and content.startswith(("{", "[")):  # `ner` stores its labels as JSON
            yield from _leaves(_parsed(content))


def _parsed(content: str) -> Any:
    try:
        return srsly.json_loads(content)
    except ValueError:
        return None


def _unpacked(content: bytes) -> Any:
    """Read MessagePack within MessagePack, as spaCy nests it; else None."""
    try:
        return srsly.msgpack_loads(content)
    except Exception:
        return None
