"""Reads a folder of exports and merges what was annotated twice."""

from collections import Counter
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from pathlib import Path

from domain_ner.errors import DomainNerError, raise_for
from domain_ner.passages import Passage
from domain_ner.readers.prodigy import read_prodigy

# In the place of an annotator's name: whoever it is, the first annotation that was read.
ANYONE = "*"
READERS = {".jsonl": read_prodigy}


@dataclass(frozen=True)
class Annotations:
    """Everything that was accepted, and what became of every row.

    passages: one for each accepted row, so that a text may stand there several times.
    counts: rows by fate; `rows` is the sum of all others except `trimmed spans`.
    problems: a line for each invalid row, `file:line: …`.
    """

    passages: tuple[Passage, ...]
    counts: Counter[str]
    problems: tuple[str, ...]


@dataclass(frozen=True)
class ReadResult:
    """The passages of a folder, each text once, and what became of every row (as in `Annotations`)."""

    passages: tuple[Passage, ...]
    counts: Counter[str]


def read_annotations(
    folder: Path, *, labels: Collection[str] | None = None, on_file: Callable[[Path], None] = lambda path: None
) -> Annotations:
    """Read every export in `folder`, in the order of the file names.

    folder: searched one level deep; hidden files, folders and Markdown files are left alone.
    labels: the entity types that may occur; None: any.
    on_file: called before each file, to show progress.
    Raises DomainNerError when there is nothing to read, or a file has no reader.
    """
    counts: Counter[str] = Counter()
    passages: list[Passage] = []
    problems: list[str] = []
    for path in _export_files(folder):
        on_file(path)
        passages.extend(READERS[path.suffix](path, labels=labels, counts=counts, problems=problems))
    return Annotations(tuple(passages), counts, tuple(problems))


def read_folder(
    folder: Path,
    *,
    labels: Collection[str],
    prefer: Sequence[str] = (),
    on_file: Callable[[Path], None] = lambda path: None,
) -> ReadResult:
    """Read every export in `folder`, and keep one annotation of each text.

    prefer: annotators, the most trusted first: where annotations of a text differ, theirs is kept; `*` for anyone.
    Other arguments as in `read_annotations`.
    Raises DomainNerError when there is nothing to read, a file has no reader, rows are invalid, or annotations of one
    text differ and none is by a preferred annotator.
    """
    read = read_annotations(folder, labels=labels, on_file=on_file)
    counts, problems = read.counts.copy(), list(read.problems)
    merged = merge(read.passages, counts, problems, prefer=prefer)
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


def merge(
    passages: Sequence[Passage], counts: Counter[str], problems: list[str], *, prefer: Sequence[str] = ()
) -> list[Passage]:
    """Keep one annotation of each text: the first, or that of the most trusted annotator.

    counts: is added to: `kept`, `merged duplicates`, `other annotators`.
    problems: is added to where annotations differ and nobody is preferred: that is for the user to decide, not for us.
    """
    versions: dict[str, list[Passage]] = {}
    for passage in passages:
        versions.setdefault(passage.text, []).append(passage)
    return [_keep_one(found, counts, problems, prefer) for found in versions.values()]


def _keep_one(found: list[Passage], counts: Counter[str], problems: list[str], prefer: Sequence[str]) -> Passage:
    counts["kept"] += 1
    ranked = [passage for annotator in prefer for passage in found if annotator in (passage.annotator, ANYONE)]
    kept = (ranked or found)[0]
    for passage in found:
        if passage is kept:
            continue
        if passage.spans == kept.spans:
            counts["merged duplicates"] += 1
        elif ranked and (passage.annotator != kept.annotator or ANYONE in prefer):
            counts["other annotators"] += 1
        else:
            counts["conflicting"] += 1
            problems.append(
                f"{passage.source}: same text as {kept.source} with other spans ({_difference(kept, passage)});"
                " expected one annotation a text: reject one of the two, or name whom to trust in vars.prefer"
                " (* for anyone)"
            )
    return kept


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


def _difference(one: Passage, other: Passage) -> str:
    span = sorted(set(one.spans) ^ set(other.spans))[0]
    return f"{one.text[span.start : span.end]!r} as {span.label} is in only one of them"


def _told(counts: Counter[str]) -> str:
    return ", ".join(f"{n} {fate}" for fate, n in counts.items()) or "0 rows"
