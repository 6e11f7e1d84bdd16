"""Prints the results of `learning-curve`: F1 by type, and the expected gain of more passages."""

from domain_ner.commands.console import out, say, table
from domain_ner.evaluation.learning_curve import MORE, LearningCurve
from domain_ner.reports.learning_curve_report import when
from domain_ner.reports.numbers import percent


def print_curve(curve: LearningCurve) -> None:
    """Print the F1 by type, and the expected gain of more passages."""
    title = f"F1 with {curve.n_passages:,} passages, and expected gain of more, in points"
    more = [f"+{n:,}" for n in MORE]
    printed = table("type", "now", *more, "95 %", f"F1 of {100 * curve.target_f1:.0f} at", "check", title=title)
    for label, of_type in curve.by_type.items():
        if of_type.now is None:
            printed.add_row(label)
            continue
        gains = [f"+{percent(of_type.more[n].f1)}" for n in MORE]
        largest = of_type.more[MORE[-1]]
        check = "" if of_type.check is None else "within" if of_type.check.is_within else "not within"
        interval = f"{percent(largest.low)}–{percent(largest.high)}"
        printed.add_row(label, percent(of_type.now.f1), *gains, interval, when(of_type, curve), check)
    out.print(printed)
    checks = [of_type.check for of_type in curve.by_type.values() if of_type.check is not None]
    if checks:
        n_within = sum(check.is_within for check in checks)
        say(f"check: the smaller parts predict the F1 of all data within the interval for {n_within} of {len(checks)}")
