"""Renders the report of `monitor` as Markdown, for a message or a ticket."""

from domain_ner.monitoring.report import MonitorReport, WindowReport
from domain_ner.reports import monitor_words as words
from domain_ner.reports.markdown import code, table

MAX_FINDINGS = 20


def monitor_markdown(report: MonitorReport) -> str:
    """Render the verdict, the findings of each window with passages, estimated F1, and what cannot be seen."""
    parts = [f"# Monitoring of {report.pipeline.name}", f"{report.date}. {words.compared(report)}"]
    parts.append(f"**{words.verdict(report)}**")
    for window in reversed(report.windows):
        parts += _window(window, report)
    parts += ["## What this cannot see", "\n".join(f"- {sentence}" for sentence in report.blind_spots)]
    parts.append(words.about_verdict(report))
    return "\n\n".join(parts) + "\n"


def _window(window: WindowReport, report: MonitorReport) -> list[str]:
    parts = [
        f"## {window.name}: {window.verdict}",
        f"{window.n_documents:,} documents. {' '.join(window.reasons)}".strip(),
    ]
    significant = window.significant
    if significant:
        heads = ["what", "type", "baseline", "window", "difference", "limit", "p (corrected)", "hint"]
        rows = [
            [
                words.name_of(finding) + (" (small)" if finding.is_small else ""),
                finding.label,
                *words.values(finding),
                words.p_value(finding.p_corrected),
                words.HINTS.get(finding.name, ""),
            ]
            for finding in significant[:MAX_FINDINGS]
        ]
        parts.append(table(heads, rows))
        parts += [f"and {len(significant) - MAX_FINDINGS} more, in monitor.json"] * (len(significant) > MAX_FINDINGS)
    parts.append(f"{len(window.findings)} tests, {len(significant)} significant. {words.about(window, report)}")
    parts += [text] if (text := words.about_missing(window)) else []
    named = [finding for finding in significant if finding.passages and finding.counts][:MAX_FINDINGS]
    if named:
        parts.append("\n".join(_passages(finding.name, finding.label, finding.passages) for finding in named))
    if window.f1:
        has_review = words.has_review(window)
        heads = ["type", "F1 of baseline", "estimated F1", "95 %", "difference", *["reviewed"] * has_review]
        rows = [
            [label, *words.f1_row(f1), *[words.reviewed(f1)] * has_review] for label, f1 in words.scores(window).items()
        ]
        parts += ["F1, estimated without labels:", table(heads, rows)]
    return parts


def _passages(name: str, label: str, passages: list[str]) -> str:
    of_label = f" of {label}" if label else ""
    return f"- {name}{of_label}: {', '.join(map(code, passages))}"
