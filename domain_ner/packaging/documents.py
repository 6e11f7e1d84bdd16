"""The model card and the meta of a package, from what the commands before wrote about its pipeline."""

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
from domain_ner.evaluation.predicting import nests
from domain_ner.evaluation.schema import Report
from domain_ner.files import sha256_of_folder
from domain_ner.guide.schema import load_guide
from domain_ner.packaging.wheels import Documents, Release
from domain_ner.reports.model_card import Facts, meta_of, model_card


@dataclass(frozen=True)
class Written:
    """What the commands before `package` wrote. reports: the folder of evaluation.json, ledger.json, calibration.json.

    guide: the annotation guide. card: the encoder's card.
    """

    reports: Path
    guide: Path
    card: Path


def package_name(name: str, nlp: Language) -> str:
    """The name of a package, without the language, which is put before it.

    Raises DomainNerError where it cannot be the name of one.
    """
    name = name.removeprefix(f"{nlp.meta['lang']}_")
    if not name.isidentifier():
        raise DomainNerError(
            f"{name!r} cannot be the name of a package (vars.name).", "Take letters, digits and _ only."
        )
    return name


def describe(  # noqa: PLR0913
    model: Path, nlp: Language, release: Release, written: Written, *, licence: str, contact: str, group_by: str
) -> Documents:
    """The documents of a package. model, nlp: the pipeline. release: without the language in its name.

    licence: empty where none is stated. contact: `NAME <EMAIL>`, or empty.
    group_by: the key of `meta` that the splits keep together, or empty.
    Raises DomainNerError where a report is missing, or is of another pipeline.
    """
    lang, path = nlp.meta["lang"], written.reports / "evaluation.json"
    report = _read_report(path)
    if report.model_sha256 != sha256_of_folder(model):
        raise DomainNerError(f"{path} is of another pipeline than {model}.", "Run evaluate again.")
    author, email = parseaddr(contact)
    facts = Facts(
        name=f"{lang}_{release.name}",
        version=release.version,
        licence=licence,
        lang=lang,
        guide=load_guide(written.guide),
        report=report,
        encoder=EncoderCard.read(written.card),
        ledger=_read_json(written.reports / "ledger.json", "convert"),
        calibration=_read_json(written.reports / "calibration.json", "calibrate"),
        group_by=group_by,
        author=author,
        email=email,
        splits=nlp.config["nlp"]["tokenizer"].get("splits", ()),
        spans_key=SPANS_KEY if nests(nlp) else "",
    )
    return Documents(model_card(facts), meta_of(facts))


def _read_report(path: Path) -> Report:
    """The report of `evaluate`. Raises DomainNerError where there is none, or one of another version."""
    try:
        return Report.model_validate(_read_json(path, "evaluate"))
    except ValidationError as err:
        raise DomainNerError(f"{path} is no report of this version: {err}", "Run evaluate again.") from err


def _read_json(path: Path, command: str) -> dict[str, Any]:
    """What a command wrote. Raises DomainNerError where it did not."""
    try:
        found: dict[str, Any] = json.loads(path.read_text(encoding="utf8"))
    except (OSError, ValueError) as err:
        raise DomainNerError(f"Cannot read {path}: {err}.", f"Run {command} first.") from err
    return found
