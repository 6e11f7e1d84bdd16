"""Metadata that an export carries through an annotation tool, which assigns its own ids and changes types.

It is one JSON string under one key: JSON, CSV and TSV return a string unchanged, whatever it contains.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from domain_ner.annotations.passages import Passage

KEY = "domain_ner"
# The key of the text itself, even if the meta has a key of that name.
TEXT = "text"
# For tools that keep texts in files: a file beside them with a JSON line for each text file, named without suffix.
SIDECAR, FILE = "domain_ner.conf", "file"


@dataclass(frozen=True)
class Carried:
    """A passage's metadata beside its text and spans; fields as in `Passage`."""

    document: str = ""
    annotator: str = ""
    meta: Mapping[str, Any] = field(default_factory=dict)

    def pack(self) -> str:
        """Write the JSON string that is carried."""
        fields: dict[str, Any] = {"document": self.document}
        fields |= {"annotator": self.annotator} if self.annotator else {}
        fields |= {"meta": dict(self.meta)} if self.meta else {}
        return json.dumps(fields, ensure_ascii=False, default=str)


def pack(passage: Passage) -> str:
    """Write the JSON string that carries a passage's document, annotator and meta."""
    return Carried(passage.document, passage.annotator, passage.meta).pack()


def unpack(row: Mapping[str, Any]) -> Carried | None:
    """Read what a row carries under KEY; None if it carries nothing."""
    try:
        fields = json.loads(row[KEY]) if isinstance(row.get(KEY), str) else None
    except (ValueError, RecursionError):
        return None
    if not isinstance(fields, dict) or not isinstance(fields.get("document"), str):
        return None
    meta = fields.get("meta")
    return Carried(fields["document"], str(fields.get("annotator") or ""), meta if isinstance(meta, dict) else {})


def without_carried(row: Mapping[str, Any], carried: Carried | None) -> dict[str, Any]:
    """Remove the carried string from a row, and the keys that repeat its meta for human readers."""
    if carried is None:
        return dict(row)
    repeated = (carried.meta.keys() | {KEY}) - {TEXT}
    return {key: value for key, value in row.items() if key not in repeated}


def with_carried(meta: Mapping[str, Any], carried: Carried | None) -> dict[str, Any]:
    """Return the meta of a row, with carried values in place of those that the tool shows."""
    others = without_carried(meta, carried)
    known = carried.meta if carried else {}
    return {**known, **{key: value for key, value in others.items() if key not in known}}
