"""`package`: a wheel of the pipeline that is proved to install and to predict the same."""

from pathlib import Path

import typer
from _console import run, say

from domain_ner.evaluation import load_pipeline, read_docs
from domain_ner.files import atomic_path
from domain_ner.packaging import Release, build_wheels, predict, predict_in_clean_environment, require_same

MAX_COMPARED = 50


def main(
    model: Path = typer.Argument(..., help="The pipeline to package."),
    test: Path = typer.Argument(..., help="The test corpus (DocBin), whose passages are compared."),
    packages: Path = typer.Argument(..., help="Folder for the wheels; what was there is replaced."),
    name: str = typer.Option(..., help="Name of the package; the language is put before it."),
    version: str = typer.Option(..., help="Version of the package: X.Y.Z."),
) -> None:
    """Build the wheels into training/packages, install them into a clean environment, and compare the predictions."""
    nlp = load_pipeline(model)
    texts = [doc.text for doc in read_docs(test, nlp.vocab)][:MAX_COMPARED]
    with atomic_path(packages) as wheels:
        release = build_wheels(model, Path(), wheels, Release(name, version))
        for wheel in sorted(wheels.glob("*.whl")):
            say(f"built {wheel.name} ({wheel.stat().st_size / 1e6:.1f} MB)")
        there = predict_in_clean_environment(wheels, release, texts, say=say)
        require_same(predict(nlp, texts), there, texts)
    say(f"installed and trained pipeline predict the same entities on {len(texts)} test passages")
    say(f"pip install --find-links {packages} {release.name}=={release.version}")


if __name__ == "__main__":
    run(main)
