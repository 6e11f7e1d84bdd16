"""Reads F1 on reviewed samples of a window, which checks the estimate without labels."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from domain_ner.errors import DomainNerError

# Where the result may hold F1 of all types together.
OVERALL = ("overall", "micro", "all")


@dataclass(frozen=True)
class ReviewedF1:
    """F1 on reviewed passages, 0..1, with its interval, if it is known."""

    value: float
    low: float | None = None
    high: float | None = None


def read_reviews(path: Path) -> dict[str, ReviewedF1]:
    """Read the result of a review: F1 by type, and as "" over all types.

    Expects `{"by_type": {LABEL: {"f1": {"value", "low", "high"}}}, "overall": {"f1": …}}`. Raises DomainNerError for a
    file without any F1.
    """
    try:
        data = json.loads(path.read_text(encoding="utf8"))
    except (OSError, ValueError) as err:
        raise DomainNerError(f"Cannot read {path}: {err}.", "Give the result of a reviewed sample.") from err
    data = data if isinstance(data, dict) else {}
    parts = data.get("by_type")
    found = {str(label): _f1(part) for label, part in parts.items()} if isinstance(parts, Mapping) else {}
    found |= {"": next((f1 for name in OVERALL if (f1 := _f1(data.get(name)))), None)}
    known = {label: f1 for label, f1 in found.items() if f1 is not None}
    if not known:
        raise DomainNerError(f"{path} holds no F1 by type.", 'Expected {"by_type": {"LABEL": {"f1": {"value": 0.9}}}}.')
    return known


def _f1(part: Any) -> ReviewedF1 | None:
    f1 = part.get("f1") if isinstance(part, Mapping) else None
    f1 = {"value": f1} if isinstance(f1, int | float) else f1
    if not isinstance(f1, Mapping) or not _is_share(f1.get("value")):
        return None
    low, high = (f1.get(name) if _is_share(f1.get(name)) else None for name in ("low", "high"))
    return ReviewedF1(float(f1["value"]), low, high)


def _is_share(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value <= 1
