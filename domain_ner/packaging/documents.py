"""Collects the model card and the meta.json of a package from the outputs of earlier commands."""

import json
from dataclasses import dataclass
from email.utils import parseaddr
from pathlib import Path
from typing import Any

from pydantic import ValidationError
from spacy.language import Language

from domain_ner.annotations.doc_keys import SPANS_KEY
from domain_ner.encoders.card import EncoderCard
from domain_ner.errors import DomainNerError
from domain_ner.evaluation.parity_schema import Parity
from domain_ner.evaluation.predicting import nests
from domain_ner.evaluation.schema import Report
from domain_ner.files import sha256_of_folder
from domain_ner.guide.schema import load_guide
from domain_ner.monitoring.baseline import BASELINE_FILE, Baseline, to_text
from domain_ner.packaging.wheels import Documents, Release
from domain_ner.reports.model_card import Facts, meta_of, model_card


@dataclass(frozen=True)
class Inputs:
    """The inputs of a model card. reports: folder with evaluation.json, ledger.json and calibration.json.

    guide: the annotation guide. card: the encoder's card.
    """

    reports: Path
    guide: Path
    card: Path


def package_name(name: str, nlp: Language) -> str:
    """Return the name of a package without the language prefix.

    Raises DomainNerError for an invalid name.
    """
    name = name.removeprefix(f"{nlp.meta['lang']}_")
    if not name.isidentifier():
        raise DomainNerError(
            f"{name!r} is not a valid name of a package (vars.name).", "Use only letters, digits and _."
        )
    return name


def describe(  # noqa: PLR0913
    model: Path,
    nlp: Language,
    release: Release,
    inputs: Inputs,
    *,
    licence: str,
    contact: str,
    group_by: str,
    parity: Parity | None = None,
    baseline: Baseline | None = None,
) -> Documents:
    """Create the documents of a package. model, nlp: the pipeline. release: without the language in its name.

    licence: empty if none is stated. contact: `NAME <EMAIL>`, or empty. group_by: the key of `meta` that
    the splits keep together, or empty. parity: of an optimised pipeline. baseline: for `monitor`.
    Raises DomainNerError if a report is missing or belongs to another pipeline.
    """
    lang, path = nlp.meta["lang"], inputs.reports / "evaluation.json"
    report = read_report(path)
    parity = _read_parity(inputs.reports / "optimize.json", model)
    if report.model_sha256 != (parity.trained.sha256 if parity else sha256_of_folder(model)):
        raise DomainNerError(f"{path} belongs to another pipeline than {model}.", "Run evaluate and optimize again.")
    author, email = parseaddr(contact)
    facts = Facts(
        name=f"{lang}_{release.name}",
        version=release.version,
        licence=licence,
        lang=lang,
        guide=load_guide(inputs.guide),
        report=report,
        encoder=EncoderCard.read(inputs.card),
        ledger=_read_json(inputs.reports / "ledger.json", "convert"),
        calibration=_read_json(inputs.reports / "calibration.json", "calibrate"),
        group_by=group_by,
        author=author,
        email=email,
        splits=nlp.config["nlp"]["tokenizer"].get("splits", ()),
        spans_key=SPANS_KEY if nests(nlp) else "",
        parity=parity,
    )
    return Documents(model_card(facts), meta_of(facts), {} if baseline is None else {BASELINE_FILE: to_text(baseline)})


def read_report(path: Path) -> Report:
    """Read the report of `evaluate`. Raises DomainNerError if it is missing or of another version."""
    try:
        return Report.model_validate(_read_json(path, "evaluate"))
    except ValidationError as err:
        raise DomainNerError(f"{path} is not a report of this version: {err}", "Run evaluate again.") from err


def _read_parity(path: Path, model: Path) -> Parity | None:
    """Read the report of `optimize`, if it made this pipeline; None for a pipeline as it was trained."""
    if not path.is_file():
        return None
    try:
        parity = Parity.model_validate(_read_json(path, "optimize"))
    except ValidationError as err:
        raise DomainNerError(f"{path} is not a report of this version: {err}", "Run optimize again.") from err
    return parity if parity.optimized.sha256 == sha256_of_folder(model) else None


def _read_json(path: Path, command: str) -> dict[str, Any]:
    """Read the JSON that a command wrote. Raises DomainNerError if it cannot be read."""
    try:
        data: dict[str, Any] = json.loads(path.read_text(encoding="utf8"))
    except (OSError, ValueError) as err:
        raise DomainNerError(f"Cannot read {path}: {err}.", f"Run {command} first.") from err
    return data
