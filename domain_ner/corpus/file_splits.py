"""Exports that are divided already: the split of a file by its name, or by that of its folder."""

import re
from collections.abc import Iterable, Sequence

from domain_ner.annotations.passages import Passage
from domain_ner.corpus.assignments import DEV, SPLITS, TEST, TRAIN
from domain_ner.corpus.grouping import file_of
from domain_ner.corpus.splits import Division
from domain_ner.errors import DomainNerError
from domain_ner.files import DiskSelection

# In the place of shares: the exports are divided already, and their files named so.
FILES = "files"
NAMES = {
    "train": TRAIN, "training": TRAIN, "dev": DEV, "devel": DEV, "development": DEV, "valid": DEV, "validation": DEV,
    "val": DEV, "testa": DEV, "test": TEST, "testing": TEST, "testb": TEST,
}  # fmt: skip
WORD = re.compile(r"[a-z]+")


def divide_by_files(passages: Sequence[Passage]) -> Division:
    """Divide passages as their files are named: `train.conll`, `my-dev-set.jsonl`, `test/part1.json`.

    Raises DomainNerError for a file whose name tells no split or two, and when a split would be empty.
    """
    splits = {name: DiskSelection(passages) for name in SPLITS}
    of_file: dict[str, str] = {}
    for place, passage in enumerate(passages):
        file = file_of(passage.source)
        splits[of_file.setdefault(file, _split_of(file))].add(place)
    empty, told = [name for name in SPLITS if not splits[name]], ", ".join(sorted(of_file))
    if empty:
        raise DomainNerError(
            f"vars.splits is {FILES!r}, and no file is named after {' and '.join(empty)}: {told}.",
            "Add one, or give shares such as 0.7,0.1,0.2.",
        )
    return Division(splits)


def pooled(files: Iterable[str]) -> str:
    """A hint that files look divided already and are pooled; empty when their names do not tell two splits.

    files: their names, with the folders below that of the exports.
    """
    of_split: dict[str, list[str]] = {name: [] for name in SPLITS}
    others: list[str] = []
    for file in files:
        found = _named_splits(file)
        (of_split[found.pop()] if len(found) == 1 else others).append(file)
    told = [(name, found) for name, found in of_split.items() if found]
    if len(told) < 2:  # one file named "test" says nothing
        return ""
    listed = ", ".join(f"{found[0]}{f' and {len(found) - 1} more' if len(found) > 1 else ''}" for _, found in told)
    lacking = [f"a file named after {name}" for name in SPLITS if not of_split[name]]
    lacking += [f"a name that tells its split for {others[0]}"] if others else []
    needs = f" That needs {' and '.join(lacking)}." if lacking else ""
    return (
        f"{listed} look divided already, and are put together and divided anew, as vars.splits says. To keep them as"
        f' they are, set splits: "{FILES}" in project.yml.{needs}'
    )


def _named_splits(file: str) -> set[str]:
    return {NAMES[word] for word in WORD.findall(file.lower()) if word in NAMES}


def _split_of(file: str) -> str:
    found = _named_splits(file)
    if len(found) != 1:
        raise DomainNerError(
            f"vars.splits is {FILES!r}, and the name of {file} tells {'two splits' if found else 'no split'}.",
            "Name files or their folders after train, dev and test, or give shares such as 0.7,0.1,0.2.",
        )
    return found.pop()
