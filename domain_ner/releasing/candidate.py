"""Gathers what a release says of a pipeline: what it predicts, what it learned from, its settings. Holds no text."""

import hashlib
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from spacy.language import Language

from domain_ner.encoders.card import EncoderCard
from domain_ner.evaluation.comparison import fingerprint
from domain_ner.evaluation.predicting import load_pipeline
from domain_ner.evaluation.schema import TypeScore
from domain_ner.files import sha256
from domain_ner.packaging.documents import Inputs, package_name, read_report
from domain_ner.packaging.wheels import SOURCES
from domain_ner.releasing.data import PassageRecord, read_data, to_lines

# Of the config: what determines weights and predictions. Paths and logging do not.
SECTIONS = ("nlp", "components", "training")
# Values longer than this are named by their hash; a tokenizer's learned splits may hold words of documents.
LONGEST = 100
UNSEEN = ("nlp.tokenizer.splits",)
# Fitted on dev, and other numbers after every training: no settings.
FITTED = re.compile(r"components\.\w+\.(type_)?temperatures?\b.*")


@dataclass(frozen=True)
class Statements:
    """What a person says of a package: its name, licence, who answers for it, and the key that splits go by."""

    name: str
    licence: str = ""
    contact: str = ""
    group_by: str = ""


@dataclass(frozen=True)
class Candidate:
    """A pipeline that may become a version. model: its folder. corpus: folder of train, dev and test.spacy.

    package: with the language. inputs: name to SHA-256 of what the version is made from. Others as in `ReleaseRecord`.
    """

    model: Path
    corpus: Path
    nlp: Language
    package: str
    fingerprint: str
    inputs: Mapping[str, str]
    labels: list[str]
    data: list[PassageRecord]
    settings: dict[str, str]
    encoder: str = ""
    micro: TypeScore | None = None
    scores: Mapping[str, TypeScore] | None = None


def gather(
    model: Path, corpus: Path, statements: Statements, documents: Inputs | None, source: Path = Path()
) -> Candidate:
    """Load a pipeline, and gather what a release says of it.

    documents: reports, guide and encoder's card; None: no scores and no encoder. source: the project, with the sources
    of domain-ner. Raises DomainNerError if something is missing or damaged.
    """
    nlp = load_pipeline(model)
    known, data = fingerprint(nlp), read_data(corpus)
    report = read_report(documents.reports / "evaluation.json") if documents else None
    card = EncoderCard.read(documents.card) if documents else None
    said = [statements.name, statements.licence, statements.contact, statements.group_by]
    guide = sha256(documents.guide) if documents else ""
    return Candidate(
        model=model,
        corpus=corpus,
        nlp=nlp,
        package=f"{nlp.meta['lang']}_{package_name(statements.name, nlp)}",
        fingerprint=known,
        inputs={
            "pipeline": known,
            "data": _sha256(to_lines(data)),
            "code": sha256_of_sources(source),
            "statements": _sha256(json.dumps([*said, guide])),
        },
        labels=sorted({label for labels in nlp.pipe_labels.values() for label in labels}),
        data=data,
        settings=settings_of(nlp.config),
        encoder=f"{card.name} {card.revision}".strip() if card else "",
        micro=report.headline.micro if report else None,
        scores=report.headline.by_type if report else None,
    )


def sha256_of_sources(source: Path) -> str:
    """Compute a SHA-256 of the sources that domain-ner's own wheel is built from."""
    files = [source / name for name in SOURCES if (source / name).is_file()]
    files += [path for name in SOURCES for path in (source / name).rglob("*") if path.is_file()]
    lines = [
        f"{path.relative_to(source).as_posix()} {sha256(path)}\n" for path in files if "__pycache__" not in path.parts
    ]
    return _sha256("".join(sorted(lines)))


def settings_of(config: Mapping[str, Any]) -> dict[str, str]:
    """Flatten the settings of a pipeline: `section.name` to value."""
    chosen = {section: config[section] for section in SECTIONS if section in config}
    return {name: _shown(name, value) for name, value in sorted(_flat(chosen, "")) if not FITTED.fullmatch(name)}


def _flat(values: Mapping[str, Any], prefix: str) -> Iterator[tuple[str, Any]]:
    for name, value in values.items():
        if isinstance(value, Mapping):
            yield from _flat(value, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", value


def _shown(name: str, value: Any) -> str:
    text = json.dumps(value, default=str, ensure_ascii=False)
    if name in UNSEEN or len(text) > LONGEST:
        return f"SHA-256 {_sha256(text)[:12]}"
    return text


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
