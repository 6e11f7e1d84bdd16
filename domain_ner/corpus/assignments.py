"""Keeps the split of each group from run to run (`assets/splits.json`), and reports changes of the test set.

A group is identified by its texts, and by its name if they do not help: tools assign their own ids to documents.
"""

import hashlib
import re
from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any
from unicodedata import normalize

from domain_ner.corpus.grouping import canonical_key
from domain_ner.errors import DomainNerError

SPLITS = ("train", "dev", "test")
TRAIN, DEV, TEST = SPLITS
# The key of a passage that forms its own group: the digest of its text.
OWN_KEY = re.compile(r"text=([0-9a-f]{16})")
# How many passages and groups an error names.
MAX_SHOWN = 3

Texts = Mapping[str, Collection[str]]
"""The digests of the texts of each key."""


def digest(text: str) -> str:
    """Compute the digest of a text, 64 bits in hexadecimal, which ignores the variants of line ends, white space and
    accents that tools write.
    """
    plain = normalize("NFC", " ".join(text.split()))
    return hashlib.sha256(plain.encode("utf-8", "surrogatepass")).hexdigest()[:16]


@dataclass(frozen=True)
class TestChanges:
    """The differences from the frozen test set.

    missing: keys whose texts are all gone from the exports. changed: keys whose texts are partly gone: (digests of
    those, number of all its texts). moved: keys with texts that now belong to a group of another split: how many.
    n_groups: number of groups in the frozen test set.
    """

    __test__ = False  # not a pytest class

    missing: Texts = field(default_factory=dict)
    changed: Mapping[str, tuple[Collection[str], int]] = field(default_factory=dict)
    moved: Mapping[str, int] = field(default_factory=dict)
    n_groups: int = 0

    def __bool__(self) -> bool:
        return bool(self.missing or self.changed or self.moved)

    def lines(self, seen: Mapping[str, str] = MappingProxyType({})) -> list[str]:
        """Describe the changes, a line for each kind. seen: by digest, the excerpt of a text to show."""
        described = [*self._missing(seen), *self._changed(seen)]
        if self.moved:
            keys = ", ".join(list(self.moved)[:MAX_SHOWN]) + " …" * (len(self.moved) > MAX_SHOWN)
            described.append(f"{sum(self.moved.values())} of its passages ({keys}) now belong to train or dev groups")
        return described

    def _missing(self, seen: Mapping[str, str]) -> Iterable[str]:
        alone = [key for key in self.missing if OWN_KEY.fullmatch(key)]
        named = [key for key in self.missing if not OWN_KEY.fullmatch(key)]
        if alone:
            excerpts = _shown((text for key in alone for text in self.missing[key]), seen)
            yield f"{len(alone)} of its {self.n_groups} passages are missing or have changed{excerpts}"
        if named:
            listed = [f"{key}{_n_passages(len(self.missing[key]))}" for key in named[:MAX_SHOWN]]
            more = f" and {len(named) - MAX_SHOWN} more" if len(named) > MAX_SHOWN else ""
            yield f"{len(named)} of its {self.n_groups} groups are missing: {', '.join(listed)}{more}"

    def _changed(self, seen: Mapping[str, str]) -> Iterable[str]:
        for key, (gone, n_known) in list(self.changed.items())[:MAX_SHOWN]:
            excerpts = _shown(gone, seen)
            yield f"{len(gone)} of the {n_known} passages of {key} are missing or have changed{excerpts}"
        if len(self.changed) > MAX_SHOWN:
            yield f"… and some of {len(self.changed) - MAX_SHOWN} more groups"


@dataclass(frozen=True)
class SplitAssignment:
    """An assignment of groups to splits.

    groups: the split of each key, `group_by=value` or `text=digest`.
    texts: for `group_by=value` keys, the digests of their texts; none if an older file lacks them.
    away: keys of the test set that are missing from the exports, as accepted by the user.
    group_by: the key that names the groups; None if an older file lacks it.
    """

    groups: Mapping[str, str] = field(default_factory=dict)
    texts: Texts = field(default_factory=dict)
    away: frozenset[str] = frozenset()
    group_by: str | None = None

    @classmethod
    def from_json(cls, content: Any) -> "SplitAssignment":
        """Read the content of a file: of this version, or of the first, which maps groups to splits only.

        Raises ValueError for anything else.
        """
        fields = (
            content if isinstance(content, dict) and isinstance(content.get("groups"), dict) else {"groups": content}
        )
        groups, texts, away = fields["groups"], fields.get("texts", {}), fields.get("away", [])
        whole = isinstance(groups, dict) and isinstance(texts, dict) and isinstance(away, list)
        if not whole or not all(split in SPLITS for split in groups.values()):
            raise ValueError("expected groups and their splits")
        known = {key: str(digests).split() for key, digests in texts.items() if key in groups}
        return cls(groups, known, frozenset(map(str, away)), fields.get("group_by"))

    def to_json(self) -> dict[str, Any]:
        """Return the content of the file."""
        content: dict[str, Any] = {"group_by": self.group_by or "", "groups": dict(sorted(self.groups.items()))}
        content["texts"] = {
            key: " ".join(sorted(self.texts[key])) for key in sorted(self.texts) if not OWN_KEY.fullmatch(key)
        }
        return content | ({"away": sorted(self.away)} if self.away else {})

    def texts_of(self, key: str) -> Collection[str]:
        """Return the digests of a key's texts; empty if unknown."""
        own = OWN_KEY.fullmatch(key)
        return (own[1],) if own else self.texts.get(key, ())

    def as_named(self, keys: Collection[str]) -> "SplitAssignment":
        """Rename groups to their names in the exports: `customer=1.0` becomes `customer=1`, unless both exist there.

        If two groups become one, it is in the test set if one of them is: text seen in training may be tested, but
        test text must not be trained on.
        """
        renamed = {
            key: key if key in keys or canonical_key(key) not in keys else canonical_key(key) for key in self.groups
        }
        groups: dict[str, str] = {}
        texts: dict[str, list[str]] = {}
        for key, split in self.groups.items():
            groups[renamed[key]] = (
                TEST if TEST in (split, groups.get(renamed[key])) else groups.get(renamed[key], split)
            )
            if key in self.texts:
                texts.setdefault(renamed[key], []).extend(self.texts[key])
        return SplitAssignment(groups, texts, frozenset(renamed.get(key, key) for key in self.away), self.group_by)

    def place(self, texts: Texts) -> dict[str, str]:
        """Look up the split of each key that is known by some of its texts or by its name.

        If the texts of a known name all have other names now, that name denotes another group (a tool renumbered its
        documents). texts: those of the exports.
        """
        owners = {text: key for key in self.groups for text in self.texts_of(key)}
        exported = {text for digests in texts.values() for text in digests}
        placed: dict[str, str] = {}
        for key, digests in texts.items():
            known = Counter(owners[text] for text in digests if text in owners)
            is_named = key in self.groups and (key in known or (not known and exported.isdisjoint(self.texts_of(key))))
            if is_named:
                placed[key] = self.groups[key]
            elif known:
                votes = Counter[str]()
                for owner, n in known.items():
                    votes[self.groups[owner]] += n
                placed[key] = max(votes, key=lambda split: (votes[split], split == TEST))
        return placed

    def test_changes(self, texts: Texts, splits: Mapping[str, str]) -> TestChanges:
        """Compare the test set with the exports. texts: those of the exports. splits: the new split of their keys."""
        keys = {text: key for key, digests in texts.items() for text in digests}
        missing: dict[str, Collection[str]] = {}
        changed: dict[str, tuple[Collection[str], int]] = {}
        moved: dict[str, int] = {}
        for key in (key for key, split in self.groups.items() if split == TEST and key not in self.away):
            known = self.texts_of(key)
            gone = [text for text in known if text not in keys]
            if len(gone) == len(known) and key not in texts:
                missing[key] = known
            elif gone:
                changed[key] = gone, len(known)
            if n_moved := sum(text in keys and splits[keys[text]] != TEST for text in known):
                moved[key] = n_moved
        return TestChanges(missing, changed, moved, sum(split == TEST for split in self.groups.values()))

    def n_joined(self, texts: Texts, splits: Mapping[str, str]) -> int:
        """Count the texts that are new to the test set; 0 if an older file does not say what it contained."""
        tested = {text for key, split in self.groups.items() if split == TEST for text in self.texts_of(key)}
        current = (text for key, digests in texts.items() if splits[key] == TEST for text in digests)
        return sum(text not in tested for text in current) if tested else 0

    def after(self, texts: Texts, splits: Mapping[str, str], group_by: str) -> "SplitAssignment":
        """Return the assignment to keep: the groups of the exports, and missing ones that may come back."""
        exported = {text for digests in texts.values() for text in digests}
        left = {
            key: [text for text in self.texts_of(key) if text not in exported]
            for key in self.groups
            if key not in texts
        }
        # A group whose texts all have other names now no longer exists.
        left = {key: digests for key, digests in left.items() if digests or not self.texts_of(key)}
        return SplitAssignment(
            {**{key: self.groups[key] for key in left}, **splits},
            {**{key: digests for key, digests in left.items() if digests}, **texts},
            frozenset(key for key in left if self.groups[key] == TEST),
            group_by,
        )


def frozen_test_error(
    changes: TestChanges, former: SplitAssignment, *, group_by: str, seen: Mapping[str, str]
) -> DomainNerError:
    """Make the error that describes the changes of the frozen test set, and the ways out.

    former: the assignment with which it was frozen. group_by: the key that names the groups now.
    seen: by digest, the excerpt of a text to show.
    """
    drawn = (
        "" if former.group_by in (None, group_by) else f", drawn by vars.group_by {former.group_by!r}, now {group_by!r}"
    )
    first = f"The test set is frozen (assets/splits.json{drawn}), but the exports differ from it:"
    return DomainNerError(
        "\n".join([first, *(f"  {line}" for line in changes.lines(seen))]),
        "Scores on different test sets are not comparable. Restore these passages; or, if the change is intended, run"
        " `python -m spacy project run convert . --vars.test_changes accept`, which keeps the rest of the test set; or"
        " delete assets/splits.json to draw new splits. Nothing was written.",
    )


def _n_passages(n: int) -> str:
    return f" ({n} passages)" if n else ""


def _shown(digests: Iterable[str], seen: Mapping[str, str]) -> str:
    excerpts = [seen[text] for text in digests if text in seen][:MAX_SHOWN]
    return f": {', '.join(excerpts)}" if excerpts else ""
