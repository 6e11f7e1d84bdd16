"""`package`: a wheel of the pipeline that is proved to install and to predict the same."""

import json
from pathlib import Path
from typing import Any

import typer
from _console import run, say
from pydantic import ValidationError

from domain_ner.annotations.doc_keys import SPANS_KEY
from domain_ner.encoders.card import EncoderCard
from domain_ner.errors import DomainNerError
from domain_ner.evaluation.predicting import load_pipeline, nests, read_docs
from domain_ner.evaluation.schema import Report
from domain_ner.files import atomic_path, sha256_of_folder, together, write_text
from domain_ner.guide.schema import load_guide
from domain_ner.packaging.wheels import (
    Documents,
    Release,
    build_wheels,
    in_order,
    predict,
    predict_in_clean_environment,
    require_same,
)
from domain_ner.reports.model_card import Facts, meta_of, model_card

MAX_COMPARED = 50


def main(
    model: Path = typer.Argument(..., help="The pipeline to package."),
    test: Path = typer.Argument(..., help="The test corpus (DocBin), whose passages are compared."),
    packages: Path = typer.Argument(..., help="Folder for the wheels; what was there is replaced."),
    name: str = typer.Option(..., help="Name of the package; the language is put before it where it is not there."),
    version: str = typer.Option(..., help="Version of the package: X.Y.Z."),
    reports: Path | None = typer.Option(None, help="Folder of evaluation.json, for the model card; without it none."),
    guide: Path = typer.Option(Path("assets/guide.yml"), help="The annotation guide, for the model card."),
    card: Path = typer.Option(Path("training/encoder.json"), help="The encoder's card, for the model card."),
    licence: str = typer.Option("", help="Licence of the package; empty: none is stated."),
    group_by: str = typer.Option("", help="The key of meta that the splits keep together, for the model card."),
) -> None:
    """Build the wheels into training/packages, install them into a clean environment, and compare the predictions."""
    nlp = load_pipeline(model)
    name = name.removeprefix(f"{nlp.meta['lang']}_")
    if not name.isidentifier():
        raise DomainNerError(
            f"{name!r} cannot be the name of a package (vars.name).", "Take letters, digits and _ only."
        )
    texts = [doc.text for doc in read_docs(test, nlp.vocab)][:MAX_COMPARED]
    documents = None
    with together():
        if reports is not None:
            lang = nlp.meta["lang"]
            report = read_report(reports / "evaluation.json")
            if report.model_sha256 != sha256_of_folder(model):
                raise DomainNerError(
                    f"{reports / 'evaluation.json'} is of another pipeline than {model}.", "Run evaluate again."
                )
            facts = Facts(
                name=f"{lang}_{name}",
                version=version,
                licence=licence,
                lang=lang,
                guide=load_guide(guide),
                report=report,
                encoder=EncoderCard.read(card),
                ledger=read_json(reports / "ledger.json", "convert"),
                calibration=read_json(reports / "calibration.json", "calibrate"),
                group_by=group_by,
                splits=nlp.config["nlp"]["tokenizer"].get("splits", ()),
                spans_key=SPANS_KEY if nests(nlp) else "",
            )
            documents = Documents(model_card(facts), meta_of(facts))
            write_text(reports / "model_card.md", documents.readme)
            say(f"model card: {reports / 'model_card.md'}, the README of the package")
        with atomic_path(packages) as wheels:
            release = build_wheels(model, Path(), wheels, Release(name, version), documents=documents)
            for wheel in sorted(wheels.glob("*.whl")):
                say(f"built {wheel.name} ({wheel.stat().st_size / 1e6:.1f} MB)")
            there = predict_in_clean_environment(wheels, release, texts, say=say)
            require_same(predict(nlp, texts), there, texts)
    say(f"installed and trained pipeline predict the same entities on {len(texts)} test passages")
    say(f"pip install {' '.join(map(str, in_order(packages)))}")


def read_report(path: Path) -> Report:
    """The report of `evaluate`. Raises DomainNerError where there is none, or one of another version."""
    try:
        return Report.model_validate(read_json(path, "evaluate"))
    except ValidationError as err:
        raise DomainNerError(f"{path} is no report of this version: {err}", "Run evaluate again.") from err


def read_json(path: Path, command: str) -> dict[str, Any]:
    """What a command wrote. Raises DomainNerError where it did not."""
    try:
        found: dict[str, Any] = json.loads(path.read_text(encoding="utf8"))
    except (OSError, ValueError) as err:
        raise DomainNerError(f"Cannot read {path}: {err}.", f"Run {command} first.") from err
    return found


if __name__ == "__main__":
    run(main, writes=["packages"])
