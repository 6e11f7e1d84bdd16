"""Prints the results of `monitor`: the significant differences of each window, and estimated F1."""

from domain_ner.commands.console import out, say, table
from domain_ner.monitoring.report import MonitorReport, WindowReport
from domain_ner.reports import monitor_words as words

MAX_ROWS = 15


def print_monitor(report: MonitorReport) -> None:
    """Print each window, the newest last."""
    say(words.compared(report))
    for window in report.windows:
        _print_window(window)


def _print_window(window: WindowReport) -> None:
    significant = window.significant
    say(
        f"{window.name}: {window.n_documents:,} documents, {len(window.findings)} tests, {len(significant)} significant"
    )
    if significant:
        printed = table("", "type", "before", "now", "change", "limit", "p")
        for finding in significant[:MAX_ROWS]:
            name = words.name_of(finding) + (" (small)" if finding.is_small else "")
            printed.add_row(name, finding.label, *words.values(finding), words.p_value(finding.p_corrected))
        out.print(printed)
        if len(significant) > MAX_ROWS:
            say(f"and {len(significant) - MAX_ROWS} more")
    if window.f1:
        before, value, interval, _ = words.f1_row(window.f1)
        say(f"F1 by estimate: {value} ({interval}); {before} on the baseline")
        if window.f1.reviewed:
            say(f"F1 of the reviewed sample: {words.reviewed(window.f1)}")
    if text := words.about_missing(window):
        say(text)
    for reason in window.reasons:
        say(reason)
