"""Fits the confidences of a pipeline on a corpus, and reports the fitted values."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any

from spacy.language import Language

from domain_ner.corpus.docs import groups_of
from domain_ner.crf_ner.fitting import CUTOFFS, Choose, Fitted, fit
from domain_ner.errors import DomainNerError
from domain_ner.evaluation.predicting import compare_calibration, make_example, read_docs
from domain_ner.metrics.calibration import (
    ScoredSpan,
    highest_guaranteed_precision,
    needed_entities,
    threshold_for_precision,
)

NAME = "crf_ner"
F1 = "f1"


def _choose_by(threshold: str) -> Choose | None:
    """Return a function that chooses thresholds by type; None if there is nothing to choose.

    threshold: a precision between 0 and 1, `f1`, or empty. Raises DomainNerError for anything else.
    """
    precision = promised_precision(threshold)
    return None if precision is None else partial(threshold_for_precision, precision=precision)


def promised_precision(threshold: str) -> float | None:
    """Return the precision that thresholds are to guarantee, None for `f1` or empty.

    Raises DomainNerError for anything else.
    """
    if threshold in ("", F1):
        return None
    try:
        precision = float(threshold)
    except ValueError:
        precision = -1.0
    if not 0 < precision < 1:
        raise DomainNerError(
            f"vars.threshold is {threshold!r}; expected a precision between 0 and 1 (such as 0.95), f1, or nothing."
        )
    return precision


def require_threshold(threshold: str) -> None:
    """Raise DomainNerError unless `threshold` is a precision between 0 and 1, `f1`, or empty."""
    _choose_by(threshold)


def fit_on(nlp: Language, dev: Path, threshold: str, *, group_by: str, seed: int) -> Fitted:
    """Fit the confidences of a pipeline on the documents of a corpus, and set them in the pipeline: see `fitting.fit`.

    dev: a DocBin that the pipeline was not trained on. threshold: the precision to guarantee, by type; `f1`, to choose
    the decoding; or empty. group_by: the key of `meta` whose values are groups, or empty.
    """
    docs = read_docs(dev, nlp.vocab)
    examples = [make_example(nlp, gold) for gold in docs]
    groups = groups_of(docs, group_by) if group_by else [""] * len(docs)
    return fit(nlp, examples, NAME, _choose_by(threshold), for_f1=threshold == F1, groups=groups, seed=seed)


def require_guarantee(fitted: Fitted, threshold: str) -> None:
    """Raise DomainNerError if the requested precision can be guaranteed for no type. threshold: as in `fit_on`."""
    if fitted.thresholds and not any(threshold.is_reached for threshold in fitted.thresholds.values()):
        raise _no_guarantee(fitted, float(threshold))


def _no_guarantee(fitted: Fitted, precision: float) -> DomainNerError:
    """Create the error for a precision that no type reaches: the highest precision of each, and what it would take."""
    lines, guaranteed = [], []
    for label in fitted.thresholds:
        judged, n_gold = of_type(fitted.after, label), fitted.n_gold.get(label, 0)
        guaranteed.append(highest_guaranteed_precision(judged, n_gold))
        needed = needed_entities(judged, n_gold, precision)
        most = f"at most {guaranteed[-1]:.2f}" if guaranteed[-1] else "no precision at all"
        needs = (
            f"{precision:g} needs about {needed:,}" if needed else "its most confident predictions are wrong too often"
        )
        lines.append(f"  {label}: {most}, with {n_gold:,} entities on dev; {needs}")
    ask = f", or ask for at most {max(guaranteed):.2f}" if max(guaranteed) else ""
    return DomainNerError(
        f"This dev set cannot guarantee a precision of {precision:g} (vars.threshold) for any type: the pipeline would"
        " report nothing.\n" + "\n".join(lines),
        f"Annotate more passages{ask}, or set vars.threshold to f1. Nothing was written.",
    )


def to_json(fitted: Fitted) -> dict[str, Any]:
    """Convert the fitted values to the shape of `training/reports/calibration.json`; errors and shares in 0..1."""
    return {
        "temperature": fitted.settings.temperature,
        "type_temperatures": fitted.settings.type_temperatures,
        "decoding": fitted.settings.decoding,
        "choice": None if fitted.choice is None else _choice_to_json(fitted),
        "thresholds": {label: asdict(threshold) for label, threshold in fitted.thresholds.items()},
        "predicted": Counter(span.label for span in fitted.after),
        "gold": fitted.n_gold,
        "calibration": compare_calibration(fitted.before, fitted.after),
    }


def _choice_to_json(fitted: Fitted) -> dict[str, Any]:
    """Return the basis of the decoding choice: F1 of both decodings, the gain out of fold, and its p."""
    assert fitted.choice is not None
    return {"f1_best_path": fitted.f1[0], "cutoff": CUTOFFS[fitted.choice.best]} | asdict(fitted.choice)


def of_type(judged: Sequence[ScoredSpan], label: str) -> list[ScoredSpan]:
    """Select the predictions of a type; all for an empty label."""
    return [span for span in judged if label in ("", span.label)]
