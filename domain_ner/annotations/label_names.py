"""Labels under other names than the exports give them (`vars.labels`): renamed, put together, or left out."""

import re
import shlex
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from domain_ner.errors import DomainNerError, did_you_mean, nearest

SETTING = "vars.labels"
# What a shell-like word may hold without quotes.
PLAIN = re.compile(r"[^\s'\"\\]+")


@dataclass(frozen=True)
class LabelNames:
    """The name of each label of the exports that is to have another one; "" for one that is left out."""

    names: Mapping[str, str] = field(default_factory=dict)

    def of(self, label: object) -> object:
        """The name that a label of the exports is to have; what is no label stays as it is."""
        return self.names.get(label, label) if isinstance(label, str) else label

    def unused(self, labels: Counter[str]) -> str:
        """A warning that some names are no labels of the exports; empty when all are. labels: how often each occurs."""
        unknown = [name for name in self.names if name not in labels]
        if not unknown:
            return ""
        near = {name: did_you_mean(name, labels) for name in unknown}
        told = ", ".join(f"{name!r}{near[name] and f' ({near[name]})'}" for name in unknown)
        there = ", ".join(f"{label!r} ({n:,})" for label, n in labels.most_common()) or "no label"
        return f"{SETTING} names {told}: no annotation has that label. The exports have {there}."


def parse_label_names(text: str) -> LabelNames:
    """Read `SVC=SERVICE "first name=NAME" MISC=`: what exports call a label, and the name it is to have.

    Apart by spaces; a label with a space stands in quotes with its new name. Several may get one name; without a new
    name annotations of the label are left out. Where a label itself holds `=`, the last one counts.
    Raises DomainNerError for a part without `=`, a label that is named twice, and quotes that are not closed.
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
                "Put nothing but a space between two labels: SVC=SERVICE MISC=",
            )
        if names.setdefault(old, new) != new:
            raise DomainNerError(f"{SETTING} names {old!r} twice: {names[old]!r} and {new!r}.", "Keep one of them.")
    return LabelNames(names)


def as_setting(names: Mapping[str, str]) -> str:
    """The setting that gives labels other names, as a line of project.yml.

    In the commands there it stands between single quotes.
    """
    parts = [part if PLAIN.fullmatch(part) else _quoted(part) for part in map("=".join, names.items())]
    return f"labels: '{' '.join(parts)}'"


def suggest(label: str, labels: Iterable[str]) -> str:
    """The setting that gives an unknown label the name of the nearest one that is known."""
    return as_setting({label: nearest(label, labels) or "…"})


def _quoted(part: str) -> str:
    escaped = part.replace("\\", r"\\").replace('"', r"\"")
    return f'"{escaped}"'
