"""Implements `package`: builds a wheel of the pipeline, and checks that it installs and predicts the same."""

from pathlib import Path

import typer

from domain_ner.commands.console import in_project, say, writes
from domain_ner.files import atomic_path, require_replaceable, together, write_text

MAX_COMPARED = 50


@writes("packages")
def main(
    model: Path = typer.Argument(Path("training/model-optimized"), help="The pipeline to package."),
    test: Path = typer.Argument(
        Path("corpus/test.spacy"), help="The test corpus (DocBin), whose predictions are compared."
    ),
    packages: Path = typer.Argument(Path("training/packages"), help="Folder for the wheels; its content is replaced."),
    name: str = typer.Option(..., help="Name of the package; the language is put before it unless it is there."),
    version: str = typer.Option(..., help="Version of the package: X.Y.Z."),
    reports: Path | None = in_project(
        "training/reports", "Folder with evaluation.json, for the model card; none: no model card."
    ),
    guide: Path = typer.Option(Path("assets/guide.yml"), help="The annotation guide, for the model card."),
    card: Path = typer.Option(Path("training/encoder.json"), help="The encoder's card, for the model card."),
    licence: str = typer.Option("", help="Licence that the wheel and the model card state; empty: none."),
    contact: str = typer.Option("", help="Who answers for the pipeline: 'NAME <EMAIL>'; empty: none."),
    train: Path | None = in_project(
        "corpus/train.spacy", "The training corpus (DocBin), whose words monitor knows; none: no baseline for it."
    ),
    dev: Path | None = in_project("corpus/dev.spacy", "The development corpus (DocBin), for the same."),
    group_by: str = typer.Option("", help="Key of `meta` that convert grouped the splits by, for the model card."),
) -> None:
    """Build the wheels into training/packages, install them into a clean environment, and compare the predictions."""
    from domain_ner.evaluation.predicting import load_pipeline, read_docs
    from domain_ner.monitoring.building import package_baseline
    from domain_ner.packaging.building import build_tested_wheels
    from domain_ner.packaging.documents import Inputs, describe, package_name
    from domain_ner.packaging.wheels import Release, in_order

    require_replaceable(packages, "*.whl", "a folder of wheels")
    nlp = load_pipeline(model)
    named = Release(package_name(name, nlp), version)
    texts = [doc.text for doc in read_docs(test, nlp.vocab)][:MAX_COMPARED]
    documents = None
    with together():
        if reports is not None:
            inputs = Inputs(reports, guide, card)
            learned = [path for path in (train, dev) if path is not None]
            baseline = package_baseline(nlp, model, test, learned) if learned else None
            documents = describe(
                model, nlp, named, inputs, licence=licence, contact=contact, group_by=group_by, baseline=baseline
            )
            write_text(reports / "model_card.md", documents.readme)
            for filename, text in documents.files.items():
                write_text(reports / filename, text)
            say(f"model card: {reports / 'model_card.md'}, the README of the package")
        with atomic_path(packages) as wheels:
            build_tested_wheels(model, nlp, wheels, named, documents=documents, texts=texts, say=say)
    say(f"installed and trained pipeline predict the same entities on {len(texts)} test passages")
    say(f"pip install {' '.join(map(str, in_order(packages)))}")
