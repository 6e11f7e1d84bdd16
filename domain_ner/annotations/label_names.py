"""Renames, merges or leaves out the labels of the exports (`vars.labels`)."""

import re
import shlex
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from domain_ner.errors import DomainNerError, did_you_mean, nearest

SETTING = "vars.labels"
# A word that needs no quotes.
PLAIN = re.compile(r"[^\s'\"\\]+")


@dataclass(frozen=True)
class LabelNames:
    """Maps labels of the exports to their new names; "" leaves the label out. names: the changed ones only."""

    names: Mapping[str, str] = field(default_factory=dict)

    def of(self, label: object) -> object:
        """Return the new name of a label; a value that is not a string stays as it is."""
        return self.names.get(label, label) if isinstance(label, str) else label

    def unused(self, labels: Counter[str]) -> str:
        """Warn of names that are not labels of the exports; empty if all are. labels: how often each occurs."""
        unknown = [name for name in self.names if name not in labels]
        if not unknown:
            return ""
        near = {name: did_you_mean(name, labels) for name in unknown}
        listed = ", ".join(f"{name!r}{near[name] and f' ({near[name]})'}" for name in unknown)
        existing = ", ".join(f"{label!r} ({n:,})" for label, n in labels.most_common()) or "no label"
        return f"{SETTING} names {listed}: no annotation has that label. The exports have {existing}."


def parse_label_names(text: str) -> LabelNames:
    """Read `SVC=SERVICE "first name=NAME" MISC=`: labels of the exports, and their new names.

    Spaces separate the pairs; a pair with a space in it is quoted. Several labels may get the same name. An empty name
    leaves the label's annotations out. If a label contains `=`, the last one separates.
    Raises DomainNerError for a part without `=`, a label that is named twice, and unclosed quotes.
    """
    try:
        parts = shlex.split(text)
    except ValueError as err:
        raise DomainNerError(f"{SETTING} is {text!r}: {err}.", "Close every quote.") from err
    names: dict[str, str] = {}
    for part in parts:
        old, equals, new = part.rpartition("=")
        if not equals or not old:
            raise DomainNerError(
                f"{SETTING} has {part!r}; expected old=new, or old= to leave a label out.",
                'Put a label with a space into quotes, with its new name: "first name=NAME".',
            )
        if new.endswith(",") and part is not parts[-1]:
            raise DomainNerError(
                f"{SETTING} has {part!r}, with a comma at its end.",
                "Separate two labels by a space only: SVC=SERVICE MISC=",
            )
        if names.setdefault(old, new) != new:
            raise DomainNerError(f"{SETTING} names {old!r} twice: {names[old]!r} and {new!r}.", "Keep one of them.")
    return LabelNames(names)


def as_setting(names: Mapping[str, str]) -> str:
    """Write the setting that renames labels, as a line of project.yml.

    It stands between single quotes, as the commands there need it.
    """
    parts = [part if PLAIN.fullmatch(part) else _quoted(part) for part in map("=".join, names.items())]
    return f"labels: '{' '.join(parts)}'"


def suggest(label: str, labels: Iterable[str]) -> str:
    """Write the setting that renames an unknown label to the nearest known one."""
    return as_setting({label: nearest(label, labels) or "…"})


def _quoted(part: str) -> str:
    escaped = part.replace("\\", r"\\").replace('"', r"\"")
    return f'"{escaped}"'
