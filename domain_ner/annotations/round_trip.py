"""What an export carries through an annotation tool, which gives texts ids of its own and changes types on the way.

One string of JSON under one key: as a string it comes back from JSON, CSV and TSV as it was, whatever is in it.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from domain_ner.annotations.passages import Passage

KEY = "domain_ner"
# What the text itself is called, be there meta of that name or not.
TEXT = "text"
# Where texts are files: a file beside them with a line of JSON for each, which names it without its suffix.
SIDECAR, FILE = "domain_ner.conf", "file"


@dataclass(frozen=True)
class Carried:
    """What is known of a passage beside its text and spans; each as `Passage` has it."""

    document: str = ""
    annotator: str = ""
    meta: Mapping[str, Any] = field(default_factory=dict)

    def pack(self) -> str:
        """The string that is carried."""
        told: dict[str, Any] = {"document": self.document}
        told |= {"annotator": self.annotator} if self.annotator else {}
        told |= {"meta": dict(self.meta)} if self.meta else {}
        return json.dumps(told, ensure_ascii=False, default=str)


def pack(passage: Passage) -> str:
    """The string that carries a passage's document, annotator and meta."""
    return Carried(passage.document, passage.annotator, passage.meta).pack()


def unpack(given: Mapping[str, Any]) -> Carried | None:
    """What was carried under KEY of a row; None where nothing was."""
    try:
        told = json.loads(given[KEY]) if isinstance(given.get(KEY), str) else None
    except (ValueError, RecursionError):
        return None
    if not isinstance(told, dict) or not isinstance(told.get("document"), str):
        return None
    meta = told.get("meta")
    return Carried(told["document"], str(told.get("annotator") or ""), meta if isinstance(meta, dict) else {})


def without_carried(given: Mapping[str, Any], carried: Carried | None) -> dict[str, Any]:
    """A row without what was carried, and without the keys of it that stand beside it for people to see."""
    if carried is None:
        return dict(given)
    beside = (carried.meta.keys() | {KEY}) - {TEXT}
    return {key: value for key, value in given.items() if key not in beside}


def with_carried(meta: Mapping[str, Any], carried: Carried | None) -> dict[str, Any]:
    """The meta of a row, with what was carried in the place of what stood beside it."""
    others = without_carried(meta, carried)
    known = carried.meta if carried else {}
    return {**known, **{key: value for key, value in others.items() if key not in known}}
