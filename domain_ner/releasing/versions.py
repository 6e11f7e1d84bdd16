"""Versions X.Y.Z: their order, and the number of the next one. Knows no files."""

import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass

from domain_ner.errors import DomainNerError

VERSION = r"(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)"
AUTO, MAJOR, MINOR, PATCH = BUMPS = ("auto", "major", "minor", "patch")


@dataclass(frozen=True)
class Bump:
    """A version number. reason: why it is this one."""

    version: str
    reason: str


@dataclass(frozen=True)
class Differences:
    """What distinguishes a candidate from its parent. gone, new: types. is_data_changed: passages or annotations."""

    gone: Collection[str] = ()
    new: Collection[str] = ()
    is_data_changed: bool = False


def parts_of(version: str) -> tuple[int, int, int]:
    """Return the numbers of a version. Raises DomainNerError unless it is X.Y.Z."""
    found = re.fullmatch(VERSION, version)
    if not found:
        raise DomainNerError(f"The version is {version!r}; expected X.Y.Z, such as 0.1.0.")
    return int(found[1]), int(found[2]), int(found[3])


def next_version(released: Iterable[str], wanted: str, differences: Differences, bump: str = AUTO) -> Bump:
    """Choose the number of a new version.

    released: all versions of the registry. wanted: vars.version, taken if it is higher than those. bump: the number to
    raise; auto: major if types are gone, minor if there are new types or other data, else patch.
    Raises DomainNerError for an unknown bump, or an invalid version.
    """
    if bump not in BUMPS:
        raise DomainNerError(f"--bump is {bump!r}; expected one of {', '.join(BUMPS)}.")
    highest = max(map(parts_of, released), default=None)
    if highest is None:
        parts_of(wanted)
        return Bump(wanted, "the first version (vars.version)")
    if bump == AUTO and parts_of(wanted) > highest:
        return Bump(wanted, "vars.version")
    kind, reason = _kind(differences) if bump == AUTO else (bump, "asked for")
    major, minor, patch = highest
    raised = {
        MAJOR: (major + 1, 0, 0),
        MINOR: (major, minor + 1, 0),
        PATCH: (major, minor, patch + 1),
    }[kind]
    return Bump(".".join(map(str, raised)), f"{kind}: {reason}")


def _kind(differences: Differences) -> tuple[str, str]:
    if differences.gone:
        return MAJOR, f"types were removed or renamed ({', '.join(sorted(differences.gone))})"
    if differences.new:
        return MINOR, f"new types ({', '.join(sorted(differences.new))})"
    if differences.is_data_changed:
        return MINOR, "the data changed"
    return PATCH, "the same types and data"
