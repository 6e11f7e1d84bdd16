"""Lets mkdocstrings read this project's docstrings: `name: meaning` lines become parameters or attributes.

A Griffe extension that mkdocs.yml names; the package itself does not use it.
"""

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

import griffe

# `start, end: offsets`, at the start of a line or behind a sentence.
NAMED = re.compile(r"(?:^|(?<=[.;] ))(\w+(?:, \w+)*): ")
RETURNED = re.compile(r"^(Returns|Raises) ")
ERROR = re.compile(r"^Raises (\w+) ")


@dataclass
class Entry:
    """What a docstring says of some names; without names, of what is returned."""

    names: Sequence[str]
    text: str


class PlainDocstrings(griffe.Extension):  # type: ignore[misc]
    """Rewrites docstrings in Google's style, once a package is loaded."""

    def on_package(self, *, pkg: griffe.Module, **kwargs: Any) -> None:
        """Rewrite those of a package."""
        _rewrite(pkg)


def _rewrite(obj: griffe.Object) -> None:
    if obj.docstring is not None and (obj.is_function or obj.is_class):
        names = [parameter.name for parameter in obj.parameters] if obj.is_function else list(obj.attributes)
        obj.docstring.value = to_google(obj.docstring.value, names, "Args" if obj.is_function else "Attributes")
    for member in obj.members.values():
        if not member.is_alias:
            _rewrite(member)


def to_google(text: str, names: Collection[str], title: str) -> str:
    """A docstring with its `name: meaning` lines, and what is returned and raised, in sections of Google's style.

    names: of the parameters or attributes. title: of their section.
    """
    prose: list[str] = []
    sections: dict[str, list[Entry]] = {title: [], "Returns": [], "Raises": []}
    current: list[Entry] | None = None
    for line in text.splitlines():
        for named, part in _parts(line, names):
            returned = RETURNED.match(part)
            if named or returned:
                current = sections[returned[1] if returned else title]
                current.append(Entry(*_entry(named, part)))
            elif current and part.strip():
                current[-1].text += f" {part.strip()}"
            else:
                current = None
                prose.append(part)
    written = [_written(name, entries) for name, entries in sections.items() if entries]
    return "\n\n".join(["\n".join(prose).strip(), *written])


def _entry(names: Sequence[str], part: str) -> tuple[Sequence[str], str]:
    error = ERROR.match(part)
    return ([error[1]], part[error.end() :]) if error else (names, part.removeprefix("Returns "))


def _written(title: str, entries: Sequence[Entry]) -> str:
    lines = [f"{name}: {entry.text}" for entry in entries for name in entry.names]
    lines += [entry.text for entry in entries if not entry.names]
    return "\n".join([f"{title}:", *(f"    {line}" for line in lines)])


def _parts(line: str, names: Collection[str]) -> list[tuple[list[str], str]]:
    """A line cut where names begin: (names, what follows), without names what stands before the first."""
    cuts = [found for found in NAMED.finditer(line) if set(found[1].split(", ")) <= set(names)]
    if not cuts:
        return [([], line)]
    starts = [found.start() for found in cuts]
    ends = [*starts[1:], len(line)]
    parts = [(found[1].split(", "), line[found.end() : end].strip()) for found, end in zip(cuts, ends, strict=True)]
    before = line[: starts[0]].rstrip()
    return [([], before), *parts] if before else parts
