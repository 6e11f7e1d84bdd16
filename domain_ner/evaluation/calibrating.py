"""Fits the confidences of a pipeline on a corpus, and says what was fitted."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any

from spacy.language import Language
from spacy.training import Example

from domain_ner.corpus.docs import groups_of
from domain_ner.crf_ner.fitting import CUTOFFS, Choose, Fitted, fit
from domain_ner.errors import DomainNerError
from domain_ner.evaluation.predicting import compare_calibration, input_doc, read_docs
from domain_ner.metrics.calibration import (
    ScoredSpan,
    highest_guaranteed_precision,
    needed_entities,
    threshold_for_precision,
)

NAME = "crf_ner"
F1 = "f1"


def _choose_by(threshold: str) -> Choose | None:
    """What chooses thresholds by type; None where nothing is to be chosen.

    threshold: a precision above 0 and below 1, `f1`, or nothing. Raises DomainNerError for anything else.
    """
    if threshold in ("", F1):
        return None
    try:
        precision = float(threshold)
    except ValueError:
        precision = -1.0
    if not 0 < precision < 1:
        raise DomainNerError(
            f"vars.threshold is {threshold!r}; expected a precision between 0 and 1 (0.95, say), f1, or nothing."
        )
    return partial(threshold_for_precision, precision=precision)


def require_threshold(threshold: str) -> None:
    """Raise DomainNerError for what is no precision above 0 and below 1, nor `f1`, nor nothing."""
    _choose_by(threshold)


def fit_on(nlp: Language, dev: Path, threshold: str, *, group_by: str, seed: int) -> Fitted:
    """Fit the confidences of a pipeline on the documents of a corpus, and set them in it: see `fitting.fit`.

    dev: a DocBin that the pipeline did not learn. threshold: the precision to promise, by type; `f1`, to choose how to
    decode; or nothing. group_by: the key of `meta` whose values count together, or empty.
    """
    docs = read_docs(dev, nlp.vocab)
    examples = [Example(input_doc(nlp, gold), gold) for gold in docs]
    groups = groups_of(docs, group_by) if group_by else [""] * len(docs)
    return fit(nlp, examples, NAME, _choose_by(threshold), for_f1=threshold == F1, groups=groups, seed=seed)


def require_promise(fitted: Fitted, threshold: str) -> None:
    """Raise DomainNerError where a precision is asked for that no type can be promised. threshold: of `fit_on`."""
    if fitted.thresholds and not any(one.is_reached for one in fitted.thresholds.values()):
        raise _nothing_promised(fitted, float(threshold))


def _nothing_promised(fitted: Fitted, precision: float) -> DomainNerError:
    """The error where no type can be promised the precision: what each can be, and what it would take."""
    lines, promises = [], []
    for label in fitted.thresholds:
        judged, n_gold = of_type(fitted.after, label), fitted.n_gold.get(label, 0)
        promises.append(highest_guaranteed_precision(judged, n_gold))
        needed = needed_entities(judged, n_gold, precision)
        most = f"at most {promises[-1]:.2f}" if promises[-1] else "no precision at all"
        takes = f"{precision:g} takes some {needed:,}" if needed else "its surest predictions are wrong too often"
        lines.append(f"  {label}: {most}, of {n_gold:,} entities on dev; {takes}")
    ask = f", or ask for at most {max(promises):.2f}" if max(promises) else ""
    return DomainNerError(
        f"This dev set can promise a precision of {precision:g} (vars.threshold) of no type: nothing would be found.\n"
        + "\n".join(lines),
        f"Annotate more passages{ask}, or set vars.threshold to f1. Nothing was written.",
    )


def to_figures(fitted: Fitted) -> dict[str, Any]:
    """What was fitted, as `training/reports/calibration.json` has it; errors and shares in 0..1."""
    return {
        "temperature": fitted.settings.temperature,
        "type_temperatures": fitted.settings.type_temperatures,
        "decoding": fitted.settings.decoding,
        "choice": None if fitted.choice is None else _choice_figures(fitted),
        "thresholds": {label: asdict(one) for label, one in fitted.thresholds.items()},
        "predicted": Counter(one.label for one in fitted.after),
        "gold": fitted.n_gold,
        "calibration": compare_calibration(fitted.before, fitted.after),
    }


def _choice_figures(fitted: Fitted) -> dict[str, Any]:
    """What decoding was chosen by: F1 with the best path and with single spans, the gain out of fold, and its p."""
    assert fitted.choice is not None
    return {"f1_best_path": fitted.f1[0], "cutoff": CUTOFFS[fitted.choice.best]} | asdict(fitted.choice)


def of_type(judged: Sequence[ScoredSpan], label: str) -> list[ScoredSpan]:
    """The predictions of a type; all for an empty one."""
    return [one for one in judged if label in ("", one.label)]
