"""The page of an evaluation: whole, safe whatever the texts hold, and, in a real browser, usable by everyone."""

import json
import re
import time

import pytest
from hypothesis import given, settings
from reported import DOCS, doc, report, trained
from test_guide_page import Reader

from domain_ner.evaluation.report import Measured, make_report, mentions, queue_names
from domain_ner.evaluation.robustness import Perturbed, Robustness
from domain_ner.metrics.calibration import ScoredSpan
from domain_ner.metrics.resampling import Difference, Interval
from domain_ner.metrics.scores import score_entities
from domain_ner.reports.evaluation_markdown import evaluation_markdown
from domain_ner.reports.evaluation_page import evaluation_page

EVIL = 'The </script><script>alert(1)</script> & "Redis" <b>squad</b>'


class PageReader(Reader):
    VOID = Reader.VOID | {"input"}


def full(n=1):
    """A report with everything in it. n: how often its passages come."""
    both = [("Redis", "INFRA"), ("Payments squad", "TEAM")]
    docs = [
        doc(both, [("Redis", "INFRA"), ("Payments", "TEAM")], sure=0.95, org="one"),
        doc(both, [("Redis", "TEAM"), ("Kafka", "INFRA")], sure=0.7, org="two"),
        doc([("Kafka", "INFRA")], [("Redis", "INFRA"), ("Kafka", "INFRA")], sure=0.4, org="two"),
        doc(both, both, sure=0.8, org="one"),
    ] * n
    judged = [ScoredSpan(label, sure, sure > 0.5) for label in ("INFRA", "TEAM") for sure in (0.3, 0.6, 0.8, 0.95)] * n
    scores = score_entities((one.gold, one.predicted) for one in docs)
    worse = Perturbed("lower case", scores, Difference(-0.1, Interval(-0.2, 0.0), 0.03, 0.03))
    log = [{"epoch": n, "step": n, "score": 0.5 + n / 10, "losses": {"crf_ner": 100 / (n + 1)}} for n in range(4)]
    train = [trained("use Redis here", ("Redis", "INFRA"))]
    made = make_report(
        Measured(
            "en_x 0.1.0",
            docs,
            judged=judged,
            uncalibrated=judged,
            train=train,
            mentions={"train": mentions(train)},
            others={"train": docs[:2]},
            test_sets={"march": docs[1:]},
            outcomes={"imported": 7 * n, "dropped": 1},
            robustness=Robustness(4, scores, [worse]),
            log=log,
        )
    )
    return queue_names(made)


def data_of(page):
    return json.loads(re.search(r'<script type="application/json" id="data">(.*?)</script>', page, re.DOTALL)[1])


def test_the_page_is_well_formed_and_needs_nothing_but_itself():
    page = evaluation_page(full())
    PageReader(page)
    assert not re.search(r'(?:src|href)="(?!#)', page)
    assert "http" not in re.sub(r'xmlns(:\w+)?="[^"]*"', "", page)
    ids = re.findall(r'\sid="([^"]+)"', page)
    assert len(ids) == len(set(ids))
    assert len(re.findall(r'<figure class="\w+" role="img" aria-label="[^"]+">', page)) == page.count("<figure") == 6


def test_figures_are_those_of_the_report():
    made = full()
    page = evaluation_page(made)
    head = made.headline
    assert f"<dd>{100 * head.micro.f1.value:.1f}<" in page
    assert "of 2 types reach the target F1 of 85." in page
    for one in head.by_type.values():
        assert f"<td>{100 * one.recall.value:.1f} ({100 * one.recall.low:.1f}–{100 * one.recall.high:.1f})</td>" in page
    assert len(data_of(page)["mistakes"]) == len(made.mistakes)


def test_texts_cannot_break_out_of_the_page():
    made = report(doc([("Redis", "A<b>")], [("squad", "A<b>")], EVIL, org="<i>one"), doc([], [], EVIL, org="two"))
    page = evaluation_page(made)
    PageReader(page)
    assert "alert(1)</script>" not in page and "<i>one" not in page and "A<b>" not in page
    assert {one["text"] for one in data_of(page)["mistakes"]} == {EVIL}


@settings(max_examples=10)
@given(DOCS)
def test_any_report_makes_a_page(docs):
    page = evaluation_page(report(*(doc(gold, predicted, sure=sure) for gold, predicted, sure in docs)))
    PageReader(page)
    assert not re.search(r"\bnan\b|\binf\b|Undefined", page, re.IGNORECASE)


def test_an_empty_test_set_says_so():
    assert "The test set holds no entity" in evaluation_page(report(doc()))


@pytest.fixture(scope="module")
def page_file(tmp_path_factory):
    path = tmp_path_factory.mktemp("page") / "evaluation.html"
    path.write_text(evaluation_page(full(20)), encoding="utf8")
    return path


@pytest.mark.parametrize("width", [1280, 390])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_and_nothing_sticks_out(opened, scheme, width):
    axe = pytest.importorskip("axe_playwright_python.sync_playwright")
    page = opened(color_scheme=scheme, viewport={"width": width, "height": 900})
    page.click("article summary")
    found = axe.Axe().run(page)
    assert [(one["id"], one["nodes"][0]["html"]) for one in found.response["violations"]] == []
    assert page.evaluate("document.documentElement.scrollWidth") == width


def test_mistakes_can_be_filtered_and_read(opened):
    page = opened()

    def shown():
        page.wait_for_timeout(300)
        return page.inner_text("#shown"), page.locator("article").count()

    n_all = len(data_of(page.content())["mistakes"])
    assert shown() == (f"{n_all} mistakes, 10 shown", 10)
    assert page.inner_text("#more") == "Show 50 more"
    page.click("#more")
    assert shown() == (f"{n_all} mistakes, 60 shown", 60)
    page.select_option("select[name=kind]", "too short")
    assert shown() == (f"20 of {n_all} mistakes, 10 shown", 10)
    page.click("#more")
    assert shown() == (f"20 of {n_all} mistakes", 20)
    page.select_option("select[name=type]", "INFRA")
    assert shown() == (f"0 of {n_all} mistakes", 0)
    page.click("button[type=reset]")
    page.fill("input[name=words]", "PAYMENTS   squad")
    assert shown()[0].startswith(f"{n_all} mistakes")
    first = page.locator("article").first
    first.locator("summary").click()
    rows = first.locator("tbody tr")
    rows.first.wait_for()
    assert rows.count() > 3 and first.locator("tr.differs").count() >= 1
    assert first.locator("dd").nth(0).inner_text() != first.locator("dd").nth(1).inner_text()


def test_with_many_types_the_first_advice_is_on_those_with_most_mistakes_and_the_rest_is_folded():
    many = [doc([("Redis", f"T{n}")], [("Kafka", f"T{n}")]) for n in range(13) for _ in range(10 + n)]
    made = report(*many)
    assert len(made.advice) == 13 and made.advice[0].label == "T12" and made.advice[-1].label == "T0"
    shown, folded = evaluation_page(made).split(
        "<details><summary>3 more; the types with most mistakes come first</summary>"
    )
    assert [len(re.findall(r'data-advice="\d+"', part)) for part in (shown, folded)] == [10, 3]
    assert re.findall(r'data-advice="(\d+)"', folded) == ["11", "12", "13"]
    told = evaluation_markdown(made)
    rule = made.advice[0].rule
    assert f"| T12 | {rule} |" in told and f"| T0 | {rule} |" not in told
    assert "3 more in evaluation.html; the types with most mistakes come first." in told


def test_a_page_holds_what_fits_and_says_so(monkeypatch):
    made = full(20)
    monkeypatch.setattr("domain_ner.reports.evaluation_page.MAX_BYTES", 5000)
    page = evaluation_page(made)
    n = len(data_of(page)["mistakes"])
    assert 3 < n < 20 and f"The page has the {n} most confident of {len(made.mistakes)}" in page


def test_a_large_test_set_makes_a_page_of_bounded_size_in_little_time():
    """5,000 passages, 20 types, two mistakes each."""
    names = [f"TYPE_{n}" for n in range(20)]
    docs = [
        doc(
            [("Payments squad", names[n % 20]), ("Redis", names[n % 7])],
            [("Payments", names[n % 20]), ("Kafka", names[n % 11])],
        )
        for n in range(5000)
    ]
    begun = time.perf_counter()
    page = evaluation_page(report(*docs))
    assert len(page.encode()) < 10_000_000 and time.perf_counter() - begun < 30


@pytest.fixture(scope="module")
def emoji_page(tmp_path_factory):
    text = "🚨🚨 Bank of Oslo 🎉 paid Redis"
    nested = [("Bank of Oslo", "ORG"), ("Oslo", "LOC"), ("Oslo 🎉 paid", "ODD")]
    path = tmp_path_factory.mktemp("emoji") / "evaluation.html"
    path.write_text(
        evaluation_page(report(doc([("Redis", "X")], [], text), doc(nested, [("Bank of", "ORG")], text))), "utf8"
    )
    return path


def test_words_behind_emoji_and_names_within_names_are_marked(browser, emoji_page):
    page = browser.new_page()
    page.goto(emoji_page.as_uri())
    page.add_style_tag(content="mark b { display: none }")
    found = set(page.locator("article dd mark").all_inner_texts())
    assert {"Redis", "Bank of Oslo", "Oslo", "Oslo 🎉 paid", "Bank of"} <= found
    page.locator("article summary").first.click()
    page.locator("article tbody tr").first.wait_for()
    cells = page.locator("article tbody td:first-child").all_inner_texts()
    assert "Redis" in cells or "Oslo" in cells
    page.close()


def test_a_piece_of_advice_leads_to_its_mistakes(opened):
    page = opened()
    page.locator("#advice a[data-advice]").first.click()
    page.wait_for_timeout(300)
    chosen = page.locator("select[name=advice] option:checked").inner_text()
    rule, label = chosen.split(": ")[1].rpartition(" (")[0], chosen.split(": ")[0]
    told_n = int(re.search(r" \((\d+)\)$", chosen)[1])
    n_shown = int(page.inner_text("#shown").split()[0].replace(",", ""))
    advice = next(one for one in full(20).advice if one.rule == rule.split(",")[0] and one.label == label)
    wanted = {advice.label, advice.other} - {""}
    matching = [one for one in full(20).mistakes if one.kind in advice.kinds and wanted <= set(one.labels)]
    assert n_shown == told_n == len(matching) > 0


def test_a_type_that_is_not_reported_is_named():
    made = full()
    found = made.certainty | {"TEAM": made.certainty["TEAM"].model_copy(update={"least": 1.0})}
    made = made.model_copy(update={"certainty": found})
    for told in (evaluation_markdown(made), evaluation_page(made, {})):
        assert "Not reported at all: TEAM; the dev set could not guarantee the precision" in told
    assert "Not reported at all" not in evaluation_markdown(full())


LONG = ["INFRA", "A_LABEL_OF_200_CHARACTERS_" + "X" * 170 + "_END", "A" * 200]
MANY = [f"TYPE_{n}" for n in range(150)]


def crowded(labels):
    """Each type is found, is missed, and is taken for the next."""
    docs = [
        doc([("Redis", one), ("Payments squad", other)], [("Redis", other), ("Payments squad", other)])
        for one, other in zip(labels, [*labels[1:], labels[0]], strict=True)
    ]
    judged = [ScoredSpan(label, sure, sure > 0.5) for label in labels for sure in (0.3, 0.8)]
    return report(*docs, judged=judged, uncalibrated=judged)


def test_with_many_types_charts_and_tables_show_those_that_matter_most_and_say_so():
    page = evaluation_page(crowded(MANY))
    PageReader(page)
    assert "The chart shows the 50 types with most entities" in page
    assert "The table shows the 20 types with most mistakes" in page and ">130 others<" in page
    assert "The charts here and below show all types together and the 11 with most predictions" in page
    matrix = re.search(r'<table class="matrix">.*?</table>', page, re.DOTALL)[0]
    assert matrix.count("<tr>") == 22 and matrix.count("<th scope=") == 44
    assert page.count('<tr><th scope="row"><mark') == 2 * 150  # scores, and mistakes


def test_a_long_label_is_shortened_and_told_whole():
    page = evaluation_page(crowded(LONG))
    PageReader(page)
    assert f'title="{LONG[1]}">A_LABEL_OF_200_CHARACTE…XXXX_END</mark>' in page
    # Only advice, which is running text, has it whole.
    attributes, advice = r"""="[^"]*"|='[^']*'|<script.*?</script>""", r'|<ul class="tips">.*?</ul>'
    assert LONG[1] not in re.sub(attributes + advice, "", page, flags=re.DOTALL)


@pytest.mark.parametrize("labels", [MANY, LONG], ids=["many", "long"])
@pytest.mark.parametrize("width", [1280, 390])
def test_many_types_and_long_labels_do_not_widen_the_page(browser, tmp_path, labels, width):
    path = tmp_path / "page.html"
    path.write_text(evaluation_page(crowded(labels)), encoding="utf8")
    page = browser.new_page(viewport={"width": width, "height": 900})
    page.goto(path.as_uri())
    assert page.evaluate("document.documentElement.scrollWidth") == width
    page.close()
