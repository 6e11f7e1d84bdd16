"""Loads the pipeline that is served, and says what it is."""

from typing import Any

from spacy.language import Language

from domain_ner.annotating.predicting import identity_of
from domain_ner.crf_ner.settings import Settings
from domain_ner.evaluation.predicting import load_pipeline
from domain_ner.serving.predicting import Predictor, warm_up


def load(name: str) -> tuple[Predictor, dict[str, Any]]:
    """Load a pipeline and warm it up; returns it with its description.

    Raises DomainNerError when it cannot be loaded.
    """

    def load_warm() -> Language:
        nlp = load_pipeline(name)
        warm_up(nlp)
        return nlp

    predictor = Predictor(load_warm)
    return predictor, describe(predictor.nlp)


def describe(nlp: Language) -> dict[str, Any]:
    """Name, version, hash, labels with thresholds and scores, as `GET /v1/model` answers them."""
    scores = nlp.meta.get("performance") or {}
    by_label = scores.get("ents_per_type") or {}
    return {
        **identity_of(nlp),
        "lang": nlp.meta["lang"],
        "labels": [
            {"label": label, "threshold": threshold, **_scores(by_label.get(label) or {}, "")}
            for label, threshold in sorted(thresholds_of(nlp).items())
        ],
        **_scores(scores, "ents_"),
    }


def thresholds_of(nlp: Language) -> dict[str, float]:
    """The threshold of each label; 0 for those of components that have none."""
    thresholds: dict[str, float] = {}
    for name, pipe in nlp.pipeline:
        settings = getattr(pipe, "settings", None)
        for label in nlp.pipe_labels.get(name, ()):
            known = settings.threshold(label) if isinstance(settings, Settings) else 0.0
            thresholds.setdefault(label, float(known))
    return thresholds


def _scores(row: dict[str, Any], prefix: str) -> dict[str, float | None]:
    names = {"precision": "p", "recall": "r", "f1": "f"}
    return {name: None if row.get(prefix + key) is None else float(row[prefix + key]) for name, key in names.items()}
