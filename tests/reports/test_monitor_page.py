"""The page and the Markdown of `monitor`."""

import re

import pytest

from domain_ner.monitoring.baseline import Identity
from domain_ner.monitoring.report import EstimatedF1, Figures, Finding, MonitorReport, Past, Reviewed, WindowReport
from domain_ner.reports.monitor_markdown import monitor_markdown
from domain_ner.reports.monitor_page import monitor_page, trend_of

LABEL = "A <b> | type"


def finding(name, label="", *, significant=True, small=False, **values):
    given = {"baseline": 0.1, "window": 0.2, "difference": 0.1, "limit": 0.05, "p": 0.0005, "p_corrected": 0.0005}
    return Finding(
        name=name, label=label, is_significant=significant, is_small=small,
        passages=["doc<1>"] * significant, **{**given, **values},
    )  # fmt: skip


def window(name="2026-w46", verdict="look", **changed):
    f1 = EstimatedF1(value=0.7, low=0.65, high=0.75, baseline=0.8, n_predicted=90, expected=120.4,
                     reviewed=Reviewed(value=0.6, low=0.5, high=0.62, agrees=False))  # fmt: skip
    given = {
        "kind": "documents", "n_documents": 1000, "n_compared": 500, "reasons": ["Because <i>."],
        "missing": ["vectors"],
        "findings": [finding("unseen words"), finding("entities", LABEL, small=True), finding("mean vector"),
                     finding("confidence histogram", LABEL, significant=False, p=0.4, p_corrected=1.0)],
        "f1": f1, "by_type": {LABEL: f1}, "figures": FIGURES,
    }  # fmt: skip
    return WindowReport(name=name, verdict=verdict, **{**given, **changed})


FIGURES = Figures(
    f1=0.7, f1_low=0.65, f1_high=0.75, mean_confidence=0.8, entities=40.0, empty=0.1, tokens=30.0, unseen=0.2
)
NOTHING = Figures(
    f1=None, f1_low=None, f1_high=None, mean_confidence=None, entities=None, empty=0.0, tokens=None, unseen=None
)


def report(*windows, history=()):
    return MonitorReport(
        date="2026-11-30", pipeline=Identity(name="en_x", version="1.0.0", sha256="ab"), source="baseline.json",
        corpus="test.spacy", baseline=FIGURES, n_baseline=385, alpha=0.01, margin=0.03, n_permutations=2000,
        windows=list(windows), history=list(history), blind_spots=["What <u> hides."],
    )  # fmt: skip


@pytest.mark.parametrize("render", [monitor_page, monitor_markdown])
def test_it_says_the_verdict_the_findings_and_the_passages(render):
    text = render(report(window()))
    assert "2026-w46: look; something changed" in text and "unseen words" in text and "+10.0" in text
    assert "500 of the 1,000 documents were drawn at random" in text
    assert "Not compared, because" in text and "60.0 (50.0 to 62.0): differs" in text
    assert "entities per 1,000 tokens (small)" in text and "70.0" in text and "65.0 to 75.0" in text


def test_the_page_is_whole_in_itself_and_escapes_what_it_shows():
    page = monitor_page(report(window()))
    assert not re.search(r'(?:src|href)="(?!#)', page) and "@import" not in page and "url(" not in page
    assert "<b>" not in page and "doc&lt;1&gt;" in page and "<i>" not in page and "What &lt;u&gt; hides." in page


def test_the_markdown_escapes_types_in_tables():
    assert "A <b> \\| type" in monitor_markdown(report(window()))


def test_a_trend_needs_two_windows_and_shows_each_once():
    past = Past(date="2026-11-23", name="2026-w45", n_documents=900, verdict="fine", figures=NOTHING)
    again = past.model_copy(update={"name": "2026-w46", "figures": FIGURES})
    assert "h-trend" not in monitor_page(report(window()))
    both = report(window(), history=[past, again])
    assert [name for name, _ in trend_of(both)] == ["2026-w45", "2026-w46"]
    page = monitor_page(both)
    assert "h-trend" in page and "Trends over 2026-w45, 2026-w46" in page


def test_a_window_of_aggregates_without_f1_is_rendered():
    text = monitor_page(report(window(kind="aggregates", f1=None, by_type={}, figures=NOTHING, verdict="fine")))
    assert "The window has only aggregates" in text and "F1 cannot be estimated" in text
