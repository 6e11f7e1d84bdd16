"""Reads a folder of exports and merges what was annotated twice."""

from collections import Counter
from collections.abc import Callable, Collection
from dataclasses import dataclass
from pathlib import Path

from domain_ner.errors import DomainNerError, raise_for
from domain_ner.passages import Passage
from domain_ner.readers.prodigy import read_prodigy

READERS = {".jsonl": read_prodigy}


@dataclass(frozen=True)
class ReadResult:
    """The passages of a folder, and what became of every row.

    counts: rows by fate; `rows` is the sum of all others except `trimmed spans`.
    """

    passages: tuple[Passage, ...]
    counts: Counter[str]


def read_folder(
    folder: Path, *, labels: Collection[str], on_file: Callable[[Path], None] = lambda path: None
) -> ReadResult:
    """Read every export in `folder`, in the order of the file names.

    folder: searched one level deep; hidden files and folders are left alone.
    labels: the entity types that may occur.
    on_file: called before each file, to show progress.
    Raises DomainNerError when there is nothing to read, a file has no reader, or rows are invalid.
    """
    counts: Counter[str] = Counter()
    passages: list[Passage] = []
    problems: list[str] = []
    for path in _export_files(folder):
        on_file(path)
        rows = READERS[path.suffix](path, labels=labels, counts=counts, problems=problems)
        passages.extend(rows)
    merged = _merge(passages, counts, problems)
    raise_for(
        problems,
        summary="{n} annotations cannot be used:",
        fix="Correct them in the annotation tool and export again; nothing was written.",
    )
    if not merged:
        raise DomainNerError(
            f"No accepted passage in {folder}: {_told(counts)}.",
            "Accept at least one passage for each of train, dev and test, and export again.",
        )
    return ReadResult(tuple(merged), counts)


def _export_files(folder: Path) -> list[Path]:
    files = sorted(path for path in folder.glob("*") if path.is_file() and not path.name.startswith("."))
    files = [path for path in files if path.suffix != ".md"]
    unknown = [path.name for path in files if path.suffix not in READERS]
    if unknown:
        raise DomainNerError(
            f"No reader for {', '.join(unknown)} in {folder}; expected {', '.join(sorted(READERS))} (Prodigy JSONL).",
            "Export as Prodigy JSONL, or move the file elsewhere.",
        )
    if not files:
        raise DomainNerError(
            f"No annotations: {folder} {'holds no file' if folder.is_dir() else 'does not exist'}.",
            f"Put the export of the annotation tool (Prodigy JSONL) into {folder}.",
        )
    return files


def _merge(passages: list[Passage], counts: Counter[str], problems: list[str]) -> list[Passage]:
    """Keep one of each text. Annotations that differ are a problem for the user to decide, not for us to guess."""
    first: dict[str, Passage] = {}
    for passage in passages:
        kept = first.setdefault(passage.text, passage)
        if kept is passage:
            counts["kept"] += 1
        elif kept.spans == passage.spans:
            counts["merged duplicates"] += 1
        else:
            problems.append(
                f"{passage.source}: same text as {kept.source} with other spans"
                f" ({_difference(kept, passage)}); expected one annotation a text: reject or ignore one of the two"
            )
    return list(first.values())


def _difference(one: Passage, other: Passage) -> str:
    span = sorted(set(one.spans) ^ set(other.spans))[0]
    return f"{one.text[span.start : span.end]!r} as {span.label} is in only one of them"


def _told(counts: Counter[str]) -> str:
    return ", ".join(f"{n} {fate}" for fate, n in counts.items()) or "0 rows"
