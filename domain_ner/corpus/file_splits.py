"""Splits of exports that are already divided: by the names of their files or folders."""

import re
from collections.abc import Iterable, Sequence

from domain_ner.annotations.passages import Passage
from domain_ner.corpus.assignments import DEV, SPLITS, TEST, TRAIN
from domain_ner.corpus.grouping import file_of
from domain_ner.corpus.splits import Division
from domain_ner.errors import DomainNerError
from domain_ner.files import DiskSelection

# The value of vars.splits that takes the splits from the names of the files.
FILES = "files"
NAMES = {
    "train": TRAIN, "training": TRAIN, "dev": DEV, "devel": DEV, "development": DEV, "valid": DEV, "validation": DEV,
    "val": DEV, "testa": DEV, "test": TEST, "testing": TEST, "testb": TEST,
}  # fmt: skip
WORD = re.compile(r"[a-z]+")


def divide_by_files(passages: Sequence[Passage]) -> Division:
    """Divide passages by the names of their files: `train.conll`, `my-dev-set.jsonl`, `test/part1.json`.

    Raises DomainNerError for a file whose name matches no split or several, and if a split would be empty.
    """
    splits = {name: DiskSelection(passages) for name in SPLITS}
    of_file: dict[str, str] = {}
    for position, passage in enumerate(passages):
        file = file_of(passage.source)
        splits[of_file.setdefault(file, _split_of(file))].add(position)
    empty = [name for name in SPLITS if not splits[name]]
    if empty:
        raise DomainNerError(
            f"vars.splits is {FILES!r}, no file is named after {' and '.join(empty)}: {', '.join(sorted(of_file))}.",
            "Add one, or give shares such as 0.7,0.1,0.2.",
        )
    return Division(splits)


def pooled(files: Iterable[str]) -> str:
    """Hint that the files look divided but are pooled; empty if their names do not match two splits.

    files: their names, with the folders below the folder of the exports.
    """
    of_split: dict[str, list[str]] = {name: [] for name in SPLITS}
    others: list[str] = []
    for file in files:
        matches = _named_splits(file)
        (of_split[matches.pop()] if len(matches) == 1 else others).append(file)
    divided = [(name, names) for name, names in of_split.items() if names]
    if len(divided) < 2:  # one file named "test" says nothing
        return ""
    listed = ", ".join(f"{of[0]}{f' and {len(of) - 1} more' if len(of) > 1 else ''}" for _, of in divided)
    lacking = [f"a file named after {name}" for name in SPLITS if not of_split[name]]
    lacking += [f"a name with its split for {others[0]}"] if others else []
    needs = f" That needs {' and '.join(lacking)}." if lacking else ""
    return (
        f"{listed} look divided already. They are pooled and divided anew, according to vars.splits. To keep their"
        f' division, set splits: "{FILES}" in project.yml.{needs}'
    )


def _named_splits(file: str) -> set[str]:
    return {NAMES[word] for word in WORD.findall(file.lower()) if word in NAMES}


def _split_of(file: str) -> str:
    matches = _named_splits(file)
    if len(matches) != 1:
        raise DomainNerError(
            f"vars.splits is {FILES!r}, but the name of {file} matches {'two splits' if matches else 'no split'}.",
            "Name files or their folders after train, dev and test, or give shares such as 0.7,0.1,0.2.",
        )
    return matches.pop()
