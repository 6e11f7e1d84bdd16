"""Lists of names in files, and the names and patterns of the guide, as a source of drafts."""

import csv
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from domain_ner.annotations.passages import LabelledSpan
from domain_ner.drafting.names import Names
from domain_ner.drafting.patterns import guide_names, pattern_spans
from domain_ner.drafting.proposals import Proposals, screened
from domain_ner.errors import DomainNerError, did_you_mean, raise_for
from domain_ner.guide.legality import SpanRules
from domain_ner.guide.schema import Guide

TEXT, TABLES, JSONL = ".txt", {".csv": ",", ".tsv": "\t"}, ".jsonl"
NAME_KEYS = ("name", "text", "surface", "pattern")
LABEL_KEY = "label"
KINDS = "expected .txt, .csv, .tsv or .jsonl"

Row = tuple[str, str, str]
"""`file:line`, a name, its label."""


@dataclass
class Gazetteer:
    """Proposes the names of lists, and of the guide.

    Its score is 1 for a name in its own letter case, 0.5 in another, divided by the number of labels of the name; 1 for
    what matches the patterns of a type.
    """

    rules: SpanRules
    names: Names
    guide: Guide | None = None
    name: str = field(default="gazetteer", init=False)

    def propose(self, texts: Sequence[str]) -> Iterator[Proposals]:
        """Yield the names of each text that the guide allows."""
        for text in texts:
            scores: dict[LabelledSpan, float] = {}
            for found in self.names.find(text):
                scores |= {LabelledSpan(found.start, found.end, label): found.score for label in found.labels}
            if self.guide is not None:
                scores = {**dict.fromkeys(pattern_spans(text, self.guide), 1.0), **scores}
            yield screened(text, scores, self.rules)


def make_gazetteer(guide: Guide, paths: Sequence[Path], *, has_guide: bool) -> Gazetteer:
    """Read lists of names. has_guide: with the names and patterns of the guide, too.

    Raises DomainNerError for a file that cannot be read, and for labels that the guide does not have.
    """
    names = Names()
    problems: list[str] = []
    for path in _files(paths):
        for place, name, label in _rows(path, guide.labels):
            if label in guide.labels:
                names.add(name, label)
            else:
                near = did_you_mean(label, guide.labels)
                expected = f"expected one of {', '.join(guide.labels)}{near and f'; {near}'}"
                problems.append(f"{place}: label {label!r}; {expected}")
    raise_for(
        problems,
        summary="{n} names of the lists have labels that the guide does not have:",
        fix="Correct the column, or the name of the file: INFRA.txt has names of INFRA.",
    )
    if has_guide:
        for name, label in guide_names(guide):
            names.add(name, label)
    return Gazetteer(SpanRules.of(guide), names, guide if has_guide else None)


def _files(paths: Sequence[Path]) -> Iterator[Path]:
    for path in paths:
        if path.is_dir():
            found = [file for file in sorted(path.iterdir()) if file.suffix.lower() in {TEXT, *TABLES, JSONL}]
            if not found:
                raise DomainNerError(f"There is no list in {path}; {KINDS}.", "Put lists of names into it.")
            yield from found
        elif path.suffix.lower() in {TEXT, *TABLES, JSONL}:
            yield path
        else:
            raise DomainNerError(f"{path} is no list of names; {KINDS}.", "Give another file, or a folder.")


def _rows(path: Path, labels: Sequence[str]) -> Iterator[Row]:
    stem = _label_of(path, labels)
    try:
        with path.open(encoding="utf-8-sig", newline="") as stream:
            if path.suffix.lower() == TEXT:
                for number, line in enumerate(stream, start=1):
                    if line.strip():
                        yield f"{path.name}:{number}", line.strip(), stem
            elif path.suffix.lower() == JSONL:
                yield from (_named(path, number, row, stem) for number, row in _objects(path, stream))
            else:
                reader = csv.DictReader(stream, delimiter=TABLES[path.suffix.lower()])
                for row in reader:
                    yield _named(path, reader.line_num, row, stem)
    except (UnicodeDecodeError, csv.Error) as err:
        raise DomainNerError(f"Cannot read {path}: {err}.", "Save it as UTF-8 text.") from err
    except OSError as err:
        raise DomainNerError(f"Cannot read {path}: {err.strerror or err}.", "Give a list that is there.") from err


def _label_of(path: Path, labels: Sequence[str]) -> str:
    """The label in the name of a file, in any letter case: INFRA.txt, infra.clouds.txt."""
    stem = path.name.partition(".")[0]
    return next((label for label in labels if label.casefold() == stem.casefold()), stem)


def _objects(path: Path, stream: Iterator[str]) -> Iterator[tuple[int, Mapping[str, object]]]:
    for number, line in enumerate(stream, start=1):
        if line.strip():
            try:
                row = json.loads(line)
            except (ValueError, RecursionError):
                row = None
            if not isinstance(row, dict):
                raise DomainNerError(f"{path.name}:{number} is no JSON object.", "Correct or remove the line.")
            yield number, row


def _named(path: Path, number: int, row: Mapping[str, object], stem: str) -> Row:
    """Take name and label of a row; without a label, that of the file holds."""
    place = f"{path.name}:{number}"
    name = next((value for key in NAME_KEYS if isinstance(value := row.get(key), str)), None)
    if name is None:
        raise DomainNerError(f"{place} has no name; expected one of {', '.join(NAME_KEYS)}.", "Name the column so.")
    label = row.get(LABEL_KEY)
    return place, name.strip(), label.strip() if isinstance(label, str) and label.strip() else stem
