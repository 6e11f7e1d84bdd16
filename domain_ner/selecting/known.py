"""Reads what the choice depends on beside the passages: annotated texts, scores by type, what a monitor reported."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from domain_ner.conversion.exports import ImportSettings, read_annotations
from domain_ner.errors import DomainNerError
from domain_ner.evaluation.predicting import TARGET_F1
from domain_ner.evaluation.schema import Report
from domain_ner.selecting.strategies import type_weights
from domain_ner.writers.passages import read_docbin

DOCBIN = ".spacy"


def annotated_texts(places: Sequence[Path], reading: str = "", labels: str = "") -> list[str]:
    """List the texts of exports and corpora (.spacy). reading, labels: the variables of project.yml for exports.

    Raises DomainNerError for what cannot be read.
    """
    texts: list[str] = []
    for place in places:
        if place.suffix == DOCBIN:
            texts += [passage.text for passage in read_docbin(place)]
        else:
            settings = ImportSettings(None, reading, labels, conflicts="unknown")
            texts += [passage.text for passage in read_annotations(place, settings).merged]
    return list(dict.fromkeys(texts))


def weights_of(evaluation: Path | None) -> dict[str, float]:
    """How much an error in each type weighs, by its F1 in `evaluation.json`; empty without the file.

    Raises DomainNerError for a report of another version.
    """
    if evaluation is None or not evaluation.is_file():
        return {}
    try:
        report = Report.model_validate_json(evaluation.read_text(encoding="utf8"))
    except (OSError, ValidationError) as err:
        raise DomainNerError(f"{evaluation} is not a report of this version.", "Run evaluate again.") from err
    return type_weights({label: row.f1.value for label, row in report.headline.by_type.items()}, TARGET_F1)


def reported_ids(monitored: Path | None) -> frozenset[str]:
    """The ids of the passages that `monitor.json` names as evidence."""
    if monitored is None:
        return frozenset()
    try:
        content = json.loads(monitored.read_text(encoding="utf8"))
    except (OSError, ValueError) as err:
        raise DomainNerError(f"Cannot read {monitored}: {err}.", "Give the monitor.json of monitor.") from err
    return frozenset(_ids(content))


def _ids(content: Any) -> set[str]:
    """Every string in a list under the key `passages` or `ids`, anywhere."""
    if isinstance(content, list):
        return set().union(*map(_ids, content)) if content else set()
    if not isinstance(content, dict):
        return set()
    found: set[str] = set()
    for key, value in content.items():
        if key in ("passages", "ids") and isinstance(value, list):
            found.update(one for one in value if isinstance(one, str))
        found |= _ids(value)
    return found
