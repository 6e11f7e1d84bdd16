"""Prints the results of `calibrate`: calibration errors by type, thresholds, and the chosen decoding."""

from collections.abc import Mapping

from domain_ner.commands.console import out, say, table
from domain_ner.crf_ner.fitting import CUTOFFS, Fitted
from domain_ner.evaluation.calibrating import of_type
from domain_ner.metrics.calibration import Threshold, calibration_error, chance_error
from domain_ner.metrics.scores import ALL_TYPES


def print_fitted(fitted: Fitted) -> None:
    """Print the calibration error by type before and after, and the thresholds."""
    printed = table(
        "type", "predicted", "ECE before", "ECE after", "by chance", "temperature", title="confidences on dev"
    )
    for label in ["", *sorted({span.label for span in fitted.before})]:
        before, after = of_type(fitted.before, label), of_type(fitted.after, label)
        temperature = fitted.settings.type_temperatures.get(label, 1.0) if label else fitted.settings.temperature
        shares = calibration_error(before), calibration_error(after), chance_error(after)
        errors = (f"{100 * share:.1f}" for share in shares)
        printed.add_row(label or ALL_TYPES, str(len(after)), *errors, f"{temperature:.2f}")
    out.print(printed)
    if fitted.thresholds:
        print_thresholds(fitted.thresholds)


def print_thresholds(thresholds: Mapping[str, Threshold]) -> None:
    """Print the minimum confidence by type. For a type that is not reported: the highest precision to guarantee."""
    printed = table("type", "min. confidence", "precision", "at least", "recall", title="reported entities, on dev")
    for label, threshold in thresholds.items():
        shares = (threshold.precision, threshold.precision_bound, threshold.recall)
        precision, bound, recall = (f"{100 * share:.1f}" for share in shares)
        confidence = f"{threshold.confidence:.3f}"
        row = (confidence, precision, bound, recall) if threshold.is_reached else ("none", "", bound, "")
        printed.add_row(label, *row)
    out.print(printed)
    if not all(threshold.is_reached for threshold in thresholds.values()):
        say('none: this dev set cannot guarantee that precision, at most the one under "at least". The type is not')
        say("  reported. Annotate more passages, ask for less, or set min_confidence when you load the pipeline.")


def print_choice(fitted: Fitted) -> None:
    """Print which decoding was chosen, and why; nothing if there was no choice."""
    choice = fitted.choice
    if choice is None:
        return
    interval = choice.interval
    between = f" ({100 * interval.low:+.1f} to {100 * interval.high:+.1f})" if interval else ""
    gain = f"gain on held-out passages: {100 * choice.gain:+.1f}{between}, p = {choice.p:.4f}"
    chosen = "significant, using single spans" if choice.is_better else "not significant, keeping the best path"
    say(
        f"micro F1 on dev: {100 * fitted.f1[0]:.1f} with the best path, {100 * choice.value:.1f} with single spans "
        f"above a confidence of {CUTOFFS[choice.best]:.2f}"
    )
    say(f"{gain}; {chosen}")
