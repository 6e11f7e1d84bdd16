"""What `learning-curve` prints: F1 by type, and what more passages would bring."""

from domain_ner.commands.console import out, say, table
from domain_ner.evaluation.learning_curve import MORE, LearningCurve
from domain_ner.reports.learning_curve_report import when
from domain_ner.reports.numbers import percent


def print_curve(found: LearningCurve) -> None:
    """Print what more passages would bring."""
    title = f"F1 with {found.n_passages:,} passages, and points that more would add"
    more = [f"+{n:,}" for n in MORE]
    printed = table("type", "now", *more, "95 %", f"F1 of {100 * found.target_f1:.0f} at", "check", title=title)
    for label, one in found.by_type.items():
        if one.now is None:
            printed.add_row(label)
            continue
        gains = [f"+{percent(one.more[n].f1)}" for n in MORE]
        largest = one.more[MORE[-1]]
        check = "" if one.check is None else "within" if one.check.is_within else "not within"
        sure = f"{percent(largest.low)}–{percent(largest.high)}"
        printed.add_row(label, percent(one.now.f1), *gains, sure, when(one, found), check)
    out.print(printed)
    checks = [one.check for one in found.by_type.values() if one.check is not None]
    if checks:
        n_within = sum(check.is_within for check in checks)
        say(f"the smaller parts foretold the F1 of the whole within its interval for {n_within} of {len(checks)}")
