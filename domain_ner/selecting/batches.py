"""The folder of the batches that annotators got: what is out there is not chosen again."""

import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from domain_ner.annotations.passages import Passage
from domain_ner.corpus.assignments import digest
from domain_ner.errors import DomainNerError
from domain_ner.files import atomic_path
from domain_ner.writers.queues import write_queue

BATCH, TASKS = "batch.json", "tasks"
NUMBERED = re.compile(r"\d{3,}")


def given_out(folder: Path) -> frozenset[str]:
    """Digests of the texts in all batches of a folder. Raises DomainNerError for a damaged record."""
    found: set[str] = set()
    for path in _batches(folder):
        try:
            found.update(row["digest"] for row in json.loads((path / BATCH).read_text(encoding="utf8"))["passages"])
        except (OSError, ValueError, KeyError, TypeError) as err:
            raise DomainNerError(
                f"{path / BATCH} is damaged ({type(err).__name__}: {err}).", f"Remove {path} if nobody annotates it."
            ) from err
    return frozenset(found)


def write_batch(  # noqa: PLR0913
    tasks: Sequence[Passage], folder: Path, *, facts: dict[str, Any], lang: str, model_version: str, is_blind: bool
) -> Path:
    """Write the tasks for each tool, and the record, into a new numbered folder; returns it. It is whole, or not there.

    facts: about the choice, for the record. The record holds no text. is_blind: the tasks
    have no suggestions.
    """
    numbers = [int(path.name) for path in _batches(folder)]
    target = folder / f"{max(numbers, default=0) + 1:03d}"
    rows = [
        {"digest": digest(task.text), "id": task.document, "place": task.source, **_public(task.meta)} for task in tasks
    ]
    with atomic_path(target) as new:
        new.mkdir()
        write_queue(tasks, new / TASKS, lang=lang, model_version=model_version, is_blind=is_blind)
        record = json.dumps({**facts, "passages": rows}, ensure_ascii=False, indent=1)
        (new / BATCH).write_text(record + "\n", encoding="utf8")
    return target


def _batches(folder: Path) -> list[Path]:
    found = folder.iterdir() if folder.is_dir() else ()
    return sorted((path for path in found if NUMBERED.fullmatch(path.name)), key=lambda path: int(path.name))


def _public(meta: Any) -> dict[str, Any]:
    return {key: value for key, value in meta.items() if isinstance(value, int | float | bool)}
