"""Builds the wheels of a pipeline, and checks in a clean environment that they predict the same."""

from collections.abc import Sequence
from pathlib import Path

from spacy.language import Language

from domain_ner.packaging.wheels import (
    Documents,
    Release,
    Say,
    build_wheels,
    predict,
    predict_in_clean_environment,
    require_same,
)


def build_tested_wheels(  # noqa: PLR0913
    model: Path,
    nlp: Language,
    wheels: Path,
    named: Release,
    *,
    documents: Documents | None,
    texts: Sequence[str],
    say: Say,
    is_tested: bool = True,
    epoch: int | None = None,
) -> Release:
    """Build the wheels of a pipeline into a new folder, install them elsewhere, and compare the predictions.

    Runs in a project: domain-ner's own wheel is built from the working folder. model, nlp: the pipeline. named: the
    package without the language. texts: to compare the predictions on. is_tested: whether to install and compare.
    epoch: of the files in the wheels, in seconds since 1970, so that a second build gives equal bytes; None: now.
    Returns the package to install. Raises DomainNerError if a wheel cannot be built, or predicts other entities.
    """
    release = build_wheels(model, Path(), wheels, named, documents=documents, epoch=epoch)
    for wheel in sorted(wheels.glob("*.whl")):
        say(f"built {wheel.name} ({wheel.stat().st_size / 1e6:.1f} MB)")
    if is_tested:
        predicted = predict_in_clean_environment(wheels, release, texts, say=say)
        require_same(predict(nlp, texts), predicted, texts)
    return release
