"""Prints the results of `evaluate`: scores by type, the calibration error, and the recall against the exports."""

from collections.abc import Mapping
from typing import Any

from domain_ner.commands.console import out, say, table
from domain_ner.evaluation.measuring import Scored
from domain_ner.evaluation.predicting import FLOOR_F1, TARGET_F1
from domain_ner.evaluation.schema import Headline, MacroScore, TypeScore
from domain_ner.evaluation.sections import headline

VERDICTS = {"target": "✔ target", "floor": "~ floor", "below": "✘ below", "no gold": "– no gold"}


def print_scored(scored: Scored) -> None:
    """Print the scores on the test corpus, the calibration error, and the recall against the exports."""
    docs = scored.evaluated.docs
    print_scores(headline(docs, scored.evaluated.scores), n_passages=len(docs))
    if "calibration" in scored.metrics:
        print_calibration(scored.metrics["calibration"])
    if "source" in scored.metrics:
        recall, n_source = scored.metrics["source"]["recall"], scored.metrics["source"]["annotations"]
        say(f"recall of the {n_source} annotations in the exports, lost ones included: {100 * recall:.1f}")


def print_calibration(compared: Mapping[str, Any]) -> None:
    """Print the calibration error. compared: from `compare_calibration`."""
    after, before = compared["after"], compared["before"]
    errors = (f"{100 * error:.1f}" for error in (after["ece"], before["ece"], after["ece_by_chance"]))
    say("expected calibration error of the confidences: {} (before calibration: {}; by chance: {})".format(*errors))


def print_scores(headline: Headline, *, n_passages: int) -> None:
    """Print the scores by type and overall."""
    printed = table("type", "precision", "recall", "F1", "95 %", "support", "", title=f"{n_passages} test passages")
    for label, score in headline.by_type.items():
        printed.add_row(label, *_score_cells(score), str(score.support), VERDICTS[score.verdict])
    printed.add_section()
    printed.add_row("micro", *_score_cells(headline.micro), str(headline.micro.support), "")
    printed.add_row("macro", *_score_cells(headline.macro), "", "")
    out.print(printed)
    say(f"production target: F1 of {100 * TARGET_F1:.0f} for every type, {100 * FLOOR_F1:.0f} at least")


def _score_cells(score: TypeScore | MacroScore) -> list[str]:
    """Format precision, recall, F1, and the interval of F1."""
    f1 = score.f1
    interval = f"{100 * f1.low:.1f}–{100 * f1.high:.1f}" if f1.low is not None and f1.high is not None else ""
    return [*(f"{100 * figure.value:.1f}" for figure in (score.precision, score.recall, f1)), interval]
