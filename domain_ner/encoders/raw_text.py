"""Reads raw text without annotations, for the pretraining of an encoder."""

from pathlib import Path

import srsly

from domain_ner.errors import DomainNerError

TEXT_KEY = "text"


def read_texts(place: Path) -> list[str]:
    """The texts of a file, or of all files of a folder: a line of .txt, or the `text` of a line of .jsonl, each.

    Raises DomainNerError for what cannot be read, and where there is no text.
    """
    files = (
        sorted(path for path in place.rglob("*") if path.suffix in (".txt", ".jsonl")) if place.is_dir() else [place]
    )
    texts: list[str] = []
    for path in files if place.exists() else []:
        try:
            lines = path.read_text(encoding="utf8").split("\n")
        except (OSError, UnicodeDecodeError) as err:
            raise DomainNerError(f"Cannot read {path}: {err}.", "Expected UTF-8 text.") from err
        for number, line in enumerate(lines, start=1):
            if line.strip():
                texts.append(_text_of(line, f"{path}:{number}") if path.suffix == ".jsonl" else line)
    if not texts:
        raise DomainNerError(f"There is no text in {place}.", "Put .txt files, or .jsonl with the key `text`, there.")
    return texts


def _text_of(line: str, where: str) -> str:
    try:
        return str(srsly.json_loads(line)[TEXT_KEY])
    except (ValueError, KeyError, TypeError) as err:
        raise DomainNerError(f"{where}: expected a JSON object with the key {TEXT_KEY!r}: {err}.") from err
