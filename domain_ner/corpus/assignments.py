"""Which group is in which split, kept from run to run (`assets/splits.json`), and how the test set has changed since.

A group is known by its texts, and by its name where they say nothing: tools give documents ids of their own.
"""

import hashlib
import re
from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any
from unicodedata import normalize

from domain_ner.corpus.grouping import same_key
from domain_ner.errors import DomainNerError

SPLITS = ("train", "dev", "test")
TRAIN, DEV, TEST = SPLITS
# The key of a passage that is a group of its own: its text's digest.
OWN_KEY = re.compile(r"text=([0-9a-f]{16})")
# Of passages and groups, in an error.
MAX_SHOWN = 3

Texts = Mapping[str, Collection[str]]
"""The digests of the texts of each key."""


def digest(text: str) -> str:
    """What is kept of a text: 64 bits in hexadecimal digits. Tools write line ends, white space and accents in several
    ways: the text is the same.
    """
    plain = normalize("NFC", " ".join(text.split()))
    return hashlib.sha256(plain.encode("utf-8", "surrogatepass")).hexdigest()[:16]


@dataclass(frozen=True)
class TestChanges:
    """What differs from the test set that was frozen.

    missing: keys of which nothing is left in the exports. changed: keys of which some texts are left and others are
    not: (digests of these, number of all its texts). moved: keys whose texts stand under another name now that belongs
    to another split: how many texts. n_groups: of the test set as it was frozen.
    """

    __test__ = False  # is no test of pytest's

    missing: Texts = field(default_factory=dict)
    changed: Mapping[str, tuple[Collection[str], int]] = field(default_factory=dict)
    moved: Mapping[str, int] = field(default_factory=dict)
    n_groups: int = 0

    def __bool__(self) -> bool:
        return bool(self.missing or self.changed or self.moved)

    def lines(self, seen: Mapping[str, str] = MappingProxyType({})) -> list[str]:
        """What has changed, a line for each kind. seen: what to show of the texts, by their digest."""
        told = [*self._missing(seen), *self._changed(seen)]
        if self.moved:
            keys = ", ".join(list(self.moved)[:MAX_SHOWN]) + " …" * (len(self.moved) > MAX_SHOWN)
            told.append(f"{sum(self.moved.values())} of its passages ({keys}) belong to groups of train or dev now")
        return told

    def _missing(self, seen: Mapping[str, str]) -> Iterable[str]:
        alone = [key for key in self.missing if OWN_KEY.fullmatch(key)]
        named = [key for key in self.missing if not OWN_KEY.fullmatch(key)]
        if alone:
            shown = _shown((one for key in alone for one in self.missing[key]), seen)
            yield f"{len(alone)} of its {self.n_groups} passages are missing, or have another text{shown}"
        if named:
            told = [f"{key}{_n_passages(len(self.missing[key]))}" for key in named[:MAX_SHOWN]]
            more = f" and {len(named) - MAX_SHOWN} more" if len(named) > MAX_SHOWN else ""
            yield f"{len(named)} of its {self.n_groups} groups are missing: {', '.join(told)}{more}"

    def _changed(self, seen: Mapping[str, str]) -> Iterable[str]:
        for key, (gone, n_known) in list(self.changed.items())[:MAX_SHOWN]:
            shown = _shown(gone, seen)
            yield f"{len(gone)} of the {n_known} passages of {key} are missing, or have another text{shown}"
        if len(self.changed) > MAX_SHOWN:
            yield f"… and some of {len(self.changed) - MAX_SHOWN} groups more"


@dataclass(frozen=True)
class Assigned:
    """An assignment of groups to splits.

    groups: the split of each key, `group_by=value` or `text=digest`.
    texts: of the first kind of key, the digests of its texts; none where an older file does not say.
    away: keys of the test set that are not in the exports, as somebody has accepted.
    group_by: what names the groups; None where an older file does not say.
    """

    groups: Mapping[str, str] = field(default_factory=dict)
    texts: Texts = field(default_factory=dict)
    away: frozenset[str] = frozenset()
    group_by: str | None = None

    @classmethod
    def from_json(cls, read: Any) -> "Assigned":
        """What a file holds: of this version, or of the first, an object of groups and their splits alone.

        Raises ValueError for anything else.
        """
        told = read if isinstance(read, dict) and isinstance(read.get("groups"), dict) else {"groups": read}
        groups, texts, away = told["groups"], told.get("texts", {}), told.get("away", [])
        whole = isinstance(groups, dict) and isinstance(texts, dict) and isinstance(away, list)
        if not whole or not all(split in SPLITS for split in groups.values()):
            raise ValueError("expected groups and their splits")
        known = {key: str(digests).split() for key, digests in texts.items() if key in groups}
        return cls(groups, known, frozenset(map(str, away)), told.get("group_by"))

    def to_json(self) -> dict[str, Any]:
        """What the file holds."""
        told: dict[str, Any] = {"group_by": self.group_by or "", "groups": dict(sorted(self.groups.items()))}
        told["texts"] = {
            key: " ".join(sorted(self.texts[key])) for key in sorted(self.texts) if not OWN_KEY.fullmatch(key)
        }
        return told | ({"away": sorted(self.away)} if self.away else {})

    def texts_of(self, key: str) -> Collection[str]:
        """The digests of a key's texts; none where they are not known."""
        own = OWN_KEY.fullmatch(key)
        return (own[1],) if own else self.texts.get(key, ())

    def as_named(self, keys: Collection[str]) -> "Assigned":
        """With the names that groups have in the exports: `customer=1.0` is `customer=1` there, unless both are.

        Where two are one, it is in the test set if one of them is: what training has seen may be tested, not the other
        way round.
        """
        now = {key: key if key in keys or same_key(key) not in keys else same_key(key) for key in self.groups}
        groups: dict[str, str] = {}
        texts: dict[str, list[str]] = {}
        for key, split in self.groups.items():
            groups[now[key]] = TEST if TEST in (split, groups.get(now[key])) else groups.get(now[key], split)
            if key in self.texts:
                texts.setdefault(now[key], []).extend(self.texts[key])
        return Assigned(groups, texts, frozenset(now.get(key, key) for key in self.away), self.group_by)

    def place(self, texts: Texts) -> dict[str, str]:
        """The split of each key that is known, by some of its texts or by its name.

        A name whose texts all stand under other names is another group's now (a tool counts documents anew).
        texts: those of the exports.
        """
        owners = {one: key for key in self.groups for one in self.texts_of(key)}
        here = {one for digests in texts.values() for one in digests}
        found: dict[str, str] = {}
        for key, digests in texts.items():
            known = Counter(owners[one] for one in digests if one in owners)
            is_named = key in self.groups and (key in known or (not known and here.isdisjoint(self.texts_of(key))))
            if is_named:
                found[key] = self.groups[key]
            elif known:
                votes = Counter[str]()
                for owner, n in known.items():
                    votes[self.groups[owner]] += n
                found[key] = max(votes, key=lambda split: (votes[split], split == TEST))
        return found

    def test_changes(self, texts: Texts, splits: Mapping[str, str]) -> TestChanges:
        """How the test set differs. texts: those of the exports. splits: where each of their keys is now."""
        keys = {one: key for key, digests in texts.items() for one in digests}
        missing: dict[str, Collection[str]] = {}
        changed: dict[str, tuple[Collection[str], int]] = {}
        moved: dict[str, int] = {}
        for key in (key for key, split in self.groups.items() if split == TEST and key not in self.away):
            known = self.texts_of(key)
            gone = [one for one in known if one not in keys]
            if len(gone) == len(known) and key not in texts:
                missing[key] = known
            elif gone:
                changed[key] = gone, len(known)
            if n_moved := sum(one in keys and splits[keys[one]] != TEST for one in known):
                moved[key] = n_moved
        return TestChanges(missing, changed, moved, sum(split == TEST for split in self.groups.values()))

    def n_joined(self, texts: Texts, splits: Mapping[str, str]) -> int:
        """How many texts are new to the test set; 0 where an older file does not say what was in it."""
        tested = {one for key, split in self.groups.items() if split == TEST for one in self.texts_of(key)}
        now = (one for key, digests in texts.items() if splits[key] == TEST for one in digests)
        return sum(one not in tested for one in now) if tested else 0

    def after(self, texts: Texts, splits: Mapping[str, str], group_by: str) -> "Assigned":
        """What is to be kept: the groups of the exports, and those that are not there today and may come back."""
        here = {one for digests in texts.values() for one in digests}
        left = {key: [one for one in self.texts_of(key) if one not in here] for key in self.groups if key not in texts}
        # Whose texts all stand under other names now, is no more.
        left = {key: digests for key, digests in left.items() if digests or not self.texts_of(key)}
        return Assigned(
            {**{key: self.groups[key] for key in left}, **splits},
            {**{key: digests for key, digests in left.items() if digests}, **texts},
            frozenset(key for key in left if self.groups[key] == TEST),
            group_by,
        )


def refuse(changes: TestChanges, former: Assigned, *, group_by: str, seen: Mapping[str, str]) -> DomainNerError:
    """The error that says how the frozen test set has changed, and what to do.

    former: the assignment with which it was frozen. group_by: what names the groups now.
    seen: what to show of its texts, by their digest.
    """
    drawn = (
        "" if former.group_by in (None, group_by) else f", drawn by vars.group_by {former.group_by!r}, now {group_by!r}"
    )
    first = f"The test set is frozen (assets/splits.json{drawn}), and in the exports it is another one:"
    return DomainNerError(
        "\n".join([first, *(f"  {line}" for line in changes.lines(seen))]),
        "Scores on another test set do not compare with earlier ones. Bring these passages back, as they were; or,"
        " where this is meant, run `python -m spacy project run convert . --vars.test_changes accept`, which keeps the"
        " rest of the test set; or delete assets/splits.json, to draw all splits anew. Nothing was written.",
    )


def _n_passages(n: int) -> str:
    return f" ({n} passages)" if n else ""


def _shown(digests: Iterable[str], seen: Mapping[str, str]) -> str:
    told = [seen[one] for one in digests if one in seen][:MAX_SHOWN]
    return f": {', '.join(told)}" if told else ""
