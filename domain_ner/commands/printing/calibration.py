"""What `calibrate` prints: errors of the confidences by type, thresholds, and which decoding was chosen."""

from collections.abc import Mapping

from domain_ner.commands.console import out, say, table
from domain_ner.crf_ner.fitting import CUTOFFS, Fitted
from domain_ner.evaluation.calibrating import of_type
from domain_ner.metrics.calibration import Threshold, calibration_error, chance_error


def print_fitted(fitted: Fitted) -> None:
    """Print the calibration error by type before and after, and the thresholds."""
    printed = table(
        "type", "predicted", "ECE before", "ECE after", "by chance", "temperature", title="confidences on dev"
    )
    for label in ["", *sorted({one.label for one in fitted.before})]:
        before, after = of_type(fitted.before, label), of_type(fitted.after, label)
        temperature = fitted.settings.type_temperatures.get(label, 1.0) if label else fitted.settings.temperature
        shares = calibration_error(before), calibration_error(after), chance_error(after)
        errors = (f"{100 * share:.1f}" for share in shares)
        printed.add_row(label or "all", str(len(after)), *errors, f"{temperature:.2f}")
    out.print(printed)
    if fitted.thresholds:
        print_thresholds(fitted.thresholds)


def print_thresholds(thresholds: Mapping[str, Threshold]) -> None:
    """Print the least confidence by type, and at most what precision can be promised of a type that is not reported."""
    printed = table("type", "min. confidence", "precision", "at least", "recall", title="what is reported, on dev")
    for label, one in thresholds.items():
        precision, bound, recall = (f"{100 * share:.1f}" for share in (one.precision, one.precision_bound, one.recall))
        row = (f"{one.confidence:.3f}", precision, bound, recall) if one.is_reached else ("none", "", bound, "")
        printed.add_row(label, *row)
    out.print(printed)
    if not all(one.is_reached for one in thresholds.values()):
        say('none: this dev set cannot promise that precision, at most what is under "at least"; it is not reported.')
        say("  Annotate more passages, ask for less, or set min_confidence yourself when you load the pipeline.")


def tell_choice(fitted: Fitted) -> list[str]:
    """Which decoding was chosen, and why; nothing where none was to be chosen."""
    choice = fitted.choice
    if choice is None:
        return []
    share = choice.interval
    between = f" ({100 * share.low:+.1f} to {100 * share.high:+.1f})" if share else ""
    gain = f"gain on passages that did not choose it: {100 * choice.gain:+.1f}{between}, p = {choice.p:.4f}"
    taken = "more than luck, so that these are reported" if choice.is_better else "may be luck: the best path stays"
    return [
        f"micro F1 on dev: {100 * fitted.f1[0]:.1f} with the best path, {100 * choice.value:.1f} with single spans "
        f"above a confidence of {CUTOFFS[choice.best]:.2f}",
        f"{gain}; {taken}",
    ]
