"""The error for users (what came, what was expected, what to do next), and how messages list and shorten cases."""

import difflib
import re
from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Generic, TypeVar

MAX_LISTED = 20
# What differs between two cases of one fault: quoted words, and numbers.
DETAIL = re.compile(r"'[^']*'|\"[^\"]*\"|\d+")
SHORTEST_STEM = 3
# How many cases of one kind a message names.
MAX_PLACES = 4

T = TypeVar("T")


class DomainNerError(Exception):
    """A problem that the user can fix.

    message: what came and what was expected.
    fix: what to do next; empty when the message says it.
    """

    def __init__(self, message: str, fix: str = "") -> None:
        super().__init__(f"{message}\n{fix}" if fix else message)
        self.message = message
        self.fix = fix


def raise_for(problems: Sequence[str], *, summary: str, fix: str) -> None:
    """Raise one error that lists `problems`, or return when there are none.

    problems: one line each, `file:line: what came, what was expected`.
    summary: the first line; `{n}` is replaced by the number of problems.
    fix: what to do next.
    Raises DomainNerError naming the first 20 problems and counting the rest.
    """
    if not problems:
        return
    listed = [f"  {problem}" for problem in problems[:MAX_LISTED]]
    if len(problems) > MAX_LISTED:
        listed.append(f"  … and {len(problems) - MAX_LISTED} more")
    raise DomainNerError("\n".join([summary.format(n=len(problems)), *listed]), fix)


@dataclass
class CaseGroup(Generic[T]):
    """Cases of one kind: the first ones, and `n`, how many there are."""

    cases: list[T]
    n: int = 0

    @property
    def first(self) -> T:
        """The first case."""
        return self.cases[0]

    def more(self, place: Callable[[T], str]) -> str:
        """The text to append to the first case: how many more there are, and where the next ones are."""
        if self.n == 1:
            return ""
        places = ", ".join(map(place, self.cases[1:]))
        return f" (and {self.n - 1:,} more like it: {places}{' …' * (self.n > len(self.cases))})"


def group_cases(cases: Iterable[T], key: Callable[[T], Hashable]) -> list[CaseGroup[T]]:
    """Group cases by key, in the order in which each key first occurs."""
    by_key: dict[Hashable, CaseGroup[T]] = {}
    for case in cases:
        group = by_key.setdefault(key(case), CaseGroup([]))
        group.n += 1
        if len(group.cases) < MAX_PLACES:
            group.cases.append(case)
    return list(by_key.values())


def without_details(message: str) -> str:
    """Replace quoted text and numbers in a message, so that all cases of one fault read the same."""
    return DETAIL.sub("…", message)


def did_you_mean(name: str, names: Iterable[str]) -> str:
    """Ask for the nearest of `names` (`did you mean 'X'?`); empty if none is near."""
    near = nearest(name, names)
    return f"did you mean {near!r}?" if near else ""


def nearest(name: str, names: Iterable[str]) -> str:
    """Find the nearest of `names` by case, beginning and spelling; empty if none is near."""
    return _nearest(name, tuple(names))


@lru_cache(maxsize=1000)  # readers ask for the same label a thousand times
def _nearest(name: str, names: tuple[str, ...]) -> str:
    by_folded = {known.strip().casefold(): known for known in names}
    wanted = name.strip().casefold()
    matches = difflib.get_close_matches(wanted, by_folded, n=1)
    if not matches and len(wanted) >= SHORTEST_STEM:  # PER for PERSON
        stems = [known for known in by_folded if len(known) >= SHORTEST_STEM]
        matches = [known for known in stems if known.startswith(wanted) or wanted.startswith(known)]
    return by_folded[matches[0]] if matches else ""
