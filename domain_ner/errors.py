"""The one error that is meant for users: what came, what was expected, what to do next."""

import difflib
import re
from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Generic, TypeVar

MAX_LISTED = 20
# What differs between two cases of one fault: words of the text, and numbers.
DETAIL = re.compile(r"'[^']*'|\"[^\"]*\"|\d+")
SHORTEST_STEM = 3
# Of cases that are told together.
MAX_PLACES = 4

T = TypeVar("T")


class DomainNerError(Exception):
    """A problem that the user can mend.

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
class Folded(Generic[T]):
    """Cases of one kind: the first ones, and how many there are."""

    cases: list[T]
    n: int = 0

    @property
    def first(self) -> T:
        """The first case."""
        return self.cases[0]

    def more(self, place: Callable[[T], str]) -> str:
        """What to put behind the first case: how many more there are, and where the next ones stand."""
        if self.n == 1:
            return ""
        places = ", ".join(map(place, self.cases[1:]))
        return f" (and {self.n - 1:,} more like it: {places}{' …' * (self.n > len(self.cases))})"


def fold(cases: Iterable[T], key: Callable[[T], Hashable]) -> list[Folded[T]]:
    """Cases that have one key together, in the order of the first ones."""
    found: dict[Hashable, Folded[T]] = {}
    for case in cases:
        folded = found.setdefault(key(case), Folded([]))
        folded.n += 1
        if len(folded.cases) < MAX_PLACES:
            folded.cases.append(case)
    return list(found.values())


def without_details(message: str) -> str:
    """A message without what is in quotes, and without its numbers: the same for all cases of a fault."""
    return DETAIL.sub("…", message)


def did_you_mean(name: str, names: Iterable[str]) -> str:
    """A question that names the nearest of `names`; empty where none is near."""
    near = nearest(name, names)
    return f"did you mean {near!r}?" if near else ""


def nearest(name: str, names: Iterable[str]) -> str:
    """The nearest of `names`, by case, beginning and spelling; empty where none is near."""
    return _nearest(name, tuple(names))


@lru_cache(maxsize=1000)  # for it is asked about one label a thousand times
def _nearest(name: str, names: tuple[str, ...]) -> str:
    plain = {one.strip().casefold(): one for one in names}
    wanted = name.strip().casefold()
    near = difflib.get_close_matches(wanted, plain, n=1)
    if not near and len(wanted) >= SHORTEST_STEM:  # PER for PERSON
        stems = [one for one in plain if len(one) >= SHORTEST_STEM]
        near = [one for one in stems if one.startswith(wanted) or wanted.startswith(one)]
    return plain[near[0]] if near else ""
