"""Writes the result for Prometheus: a file for the textfile collector of its node exporter."""

from collections.abc import Iterable, Mapping

from domain_ner.monitoring.metrics_text import PREFIX
from domain_ner.monitoring.report import VERDICTS, Finding, MonitorReport

HELP = {
    "monitor_verdict": "0: fine, 1: look, 2: retrain",
    "monitor_documents": "Documents of the window",
    "monitor_f1": "F1 estimated without labels, 0..1; baseline: on labelled documents",
    "monitor_f1_low": "Lower end of its 95 % interval",
    "monitor_f1_high": "Upper end of its 95 % interval",
    "monitor_mean_confidence": "Mean confidence of the entities, 0..1",
    "monitor_unseen_words": "Share of the words that training did not have, 0..1",
    "monitor_empty_documents": "Share of the documents without an entity, 0..1",
    "monitor_significant": "Significant differences that are not small",
    "monitor_difference": "A significant difference from the baseline: of a ratio; PSI; a distance",
    "monitor_p": "Its probability by chance, corrected for the number of tests",
}

Samples = Iterable[tuple[str, Mapping[str, str], float | None]]


def metrics_of(report: MonitorReport) -> str:
    """The newest window's figures in Prometheus' text format."""
    lines: dict[str, list[str]] = {name: [] for name in HELP}
    pipeline = {"pipeline": report.pipeline.name, "version": report.pipeline.version}
    for name, labels, value in _samples(report):
        if value is not None:
            lines[name].append(f"{PREFIX}{name}{_labels({**pipeline, **labels})} {value:.10g}")
    parts = [
        "\n".join([f"# HELP {PREFIX}{name} {meaning}", f"# TYPE {PREFIX}{name} gauge", *lines[name]])
        for name, meaning in HELP.items()
        if lines[name]
    ]
    return "\n".join(parts) + "\n"


def _samples(report: MonitorReport) -> Samples:
    window = report.windows[-1]
    figures = window.figures
    yield "monitor_verdict", {}, VERDICTS.index(window.verdict)
    yield "monitor_documents", {}, window.n_documents
    yield "monitor_significant", {}, sum(finding.counts for finding in window.findings)
    yield "monitor_mean_confidence", {}, figures.mean_confidence
    yield "monitor_unseen_words", {}, figures.unseen
    yield "monitor_empty_documents", {}, figures.empty
    for label, f1 in {"": window.f1, **window.by_type}.items():
        if f1 is not None:
            yield "monitor_f1", {"label": label, "of": "window"}, f1.value
            yield "monitor_f1", {"label": label, "of": "baseline"}, f1.baseline
            yield "monitor_f1_low", {"label": label}, f1.low
            yield "monitor_f1_high", {"label": label}, f1.high
    for finding in window.significant:
        yield "monitor_difference", _named(finding), finding.difference
        yield "monitor_p", _named(finding), finding.p_corrected


def _named(finding: Finding) -> dict[str, str]:
    return {"name": finding.name, "label": finding.label}


def _labels(labels: Mapping[str, str]) -> str:
    pairs = [f'{name}="{_escaped(value)}"' for name, value in labels.items()]
    return "{" + ",".join(pairs) + "}"


def _escaped(value: str) -> str:
    return value.replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n")
