"""Reads what the choice depends on beside the passages: annotated texts, and scores by type."""

from collections.abc import Sequence
from pathlib import Path

from pydantic import ValidationError

from domain_ner.conversion.exports import ImportSettings, read_annotations
from domain_ner.errors import DomainNerError
from domain_ner.evaluation.predicting import TARGET_F1
from domain_ner.evaluation.schema import Report
from domain_ner.selecting.strategies import type_weights
from domain_ner.writers.passages import read_docbin

DOCBIN = ".spacy"


def annotated_texts(places: Sequence[Path], reading: str = "", labels: str = "") -> list[str]:
    """List the texts of exports and corpora (.spacy).

    places: files, or folders of exports or corpora. reading, labels: the variables of project.yml for exports.
    Raises DomainNerError for what cannot be read.
    """
    texts: list[str] = []
    for place in places:
        if corpora := [place] if place.suffix == DOCBIN else sorted(place.glob(f"*{DOCBIN}")):
            texts += [passage.text for path in corpora for passage in read_docbin(path)]
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
