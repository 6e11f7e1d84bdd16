"""Records what a version learned from and was tested on, without any text, and compares two such records."""

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from unicodedata import normalize

from spacy.tokens import Doc
from spacy.vocab import Vocab

from domain_ner.corpus.assignments import DEV, SPLITS, TRAIN, digest
from domain_ner.corpus.docs import spans_or_entities
from domain_ner.evaluation.predicting import read_docs
from domain_ner.files import sha256
from domain_ner.releasing.records import DataSummary

Annotation = tuple[int, int, str]


@dataclass(frozen=True)
class PassageRecord:
    """A passage without its text. digest: of its text. annotations: start, end and type.

    Offsets count the characters that are not white space, so that they stay where a tool writes other spaces.
    """

    split: str
    digest: str
    annotations: frozenset[Annotation]


@dataclass(frozen=True)
class TypeChanges:
    """Annotations of a type: before + added - removed = now."""

    before: int = 0
    added: int = 0
    removed: int = 0
    now: int = 0


@dataclass(frozen=True)
class DataChanges:
    """What changed from one record to another.

    by_split: passages before, added, removed and now; one that moved is removed from a split and added to another.
    n_moved: of these. by_type: annotations in all splits. n_boundaries, n_types: annotations of passages that stayed
    that have other boundaries, or another type.
    """

    by_split: Mapping[str, TypeChanges] = field(default_factory=dict)
    n_moved: int = 0
    by_type: Mapping[str, TypeChanges] = field(default_factory=dict)
    n_boundaries: int = 0
    n_types: int = 0

    def __bool__(self) -> bool:
        return any(row.added or row.removed for row in (*self.by_split.values(), *self.by_type.values()))


def read_data(corpus: Path) -> list[PassageRecord]:
    """Read the records of a corpus. corpus: the folder with train.spacy, dev.spacy and test.spacy.

    Raises DomainNerError if a file is missing or damaged.
    """
    vocab = Vocab()
    return [
        PassageRecord(split, digest(doc.text), frozenset(_annotations(doc)))
        for split in SPLITS
        for doc in read_docs(corpus / f"{split}.spacy", vocab)
    ]


def summary(data: Iterable[PassageRecord], corpus: Path) -> DataSummary:
    """Count passages and annotations. corpus: the folder that the records were read from."""
    passages, annotations = Counter[str](), Counter[tuple[str, str]]()
    for passage in data:
        passages[passage.split] += 1
        annotations.update((label, passage.split) for _, _, label in passage.annotations)
    labels = sorted({label for label, _ in annotations})
    return DataSummary(
        passages={split: passages[split] for split in SPLITS},
        annotations={label: {split: annotations[label, split] for split in SPLITS} for label in labels},
        sha256={split: sha256(corpus / f"{split}.spacy") for split in SPLITS},
    )


def to_lines(data: Iterable[PassageRecord]) -> str:
    """Write records as lines of JSON."""
    rows = ([one.split, one.digest, sorted(map(list, one.annotations))] for one in data)
    return "".join(json.dumps(row, ensure_ascii=False, separators=(",", ":")) + "\n" for row in rows)


def from_lines(text: str) -> list[PassageRecord]:
    """Read what `to_lines` wrote."""
    rows = map(json.loads, text.splitlines())
    return [PassageRecord(split, key, frozenset(map(tuple, found))) for split, key, found in rows]


def learned(data: Iterable[PassageRecord]) -> set[str]:
    """The digests of the passages that a pipeline has seen in training."""
    return {passage.digest for passage in data if passage.split in (TRAIN, DEV)}


def compare_data(before: Sequence[PassageRecord], now: Sequence[PassageRecord]) -> DataChanges:
    """Compare two records by passage and annotation."""
    placed = [Counter((one.split, one.digest) for one in data) for data in (before, now)]
    known = [{one.digest: one for one in data} for data in (before, now)]
    kept = known[0].keys() & known[1].keys()
    boundaries, types = 0, 0
    for key in kept:
        changed = _changed(known[0][key].annotations, known[1][key].annotations)
        boundaries, types = boundaries + changed[0], types + changed[1]
    return DataChanges(
        by_split={split: _changes(*(_of_split(keys, split) for keys in placed)) for split in SPLITS},
        n_moved=sum(known[0][key].split != known[1][key].split for key in kept),
        by_type=_by_type(before, now),
        n_boundaries=boundaries,
        n_types=types,
    )


def _annotations(doc: Doc) -> Iterator[Annotation]:
    for start, end, label in spans_or_entities(doc):
        yield _place(doc.text[:start]), _place(doc.text[:end]), label


def _place(before: str) -> int:
    return len(normalize("NFC", "".join(before.split())))


def _of_split(placed: Counter[tuple[str, str]], split: str) -> Counter[str]:
    return Counter({key: n for (of, key), n in placed.items() if of == split})


def _by_type(before: Iterable[PassageRecord], now: Iterable[PassageRecord]) -> dict[str, TypeChanges]:
    counted: list[dict[str, Counter[tuple[str, int, int]]]] = []
    for data in (before, now):
        by_label: dict[str, Counter[tuple[str, int, int]]] = {}
        for passage in data:
            for start, end, label in passage.annotations:
                by_label.setdefault(label, Counter())[passage.digest, start, end] += 1
        counted.append(by_label)
    labels = sorted(counted[0].keys() | counted[1].keys())
    return {label: _changes(*(by_label.get(label, Counter()) for by_label in counted)) for label in labels}


def _changes(before: Counter[Any], now: Counter[Any]) -> TypeChanges:
    return TypeChanges(before.total(), (now - before).total(), (before - now).total(), now.total())


def _changed(before: frozenset[Annotation], now: frozenset[Annotation]) -> tuple[int, int]:
    """Count the new annotations that overlap one that is gone: with other boundaries; and at the same place, with
    another type.
    """
    gone, new = before - now, now - before
    places = {(start, end) for start, end, _ in gone}
    n_types = sum((start, end) in places for start, end, _ in new)
    n_boundaries = sum(
        (start, end) not in places
        and any(start < other_end and other_start < end for other_start, other_end, _ in gone)
        for start, end, _ in new
    )
    return n_boundaries, n_types
