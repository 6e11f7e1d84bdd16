"""The parity sheet as a page and as a section of the model card: complete, safe, and usable in a real browser."""

import re

import pytest
from test_evaluation_page import full
from test_guide_page import Reader
from test_model_card import facts

from domain_ner.evaluation.parity_schema import Difference, Parity, Promise, Quality, Side, Timing
from domain_ner.reports.model_card import model_card
from domain_ner.reports.parity_markdown import parity_markdown
from domain_ner.reports.parity_page import parity_page
from domain_ner.reports.parity_rows import gains, parity_rows

EVIL = '<b>A|B</b> & "<script>"'
SLOW = Timing(start_s=9.4, memory_mb=1820, batch_words_per_s=2310, single_words_per_s=941, p50_ms=41.3, p99_ms=187.4)
FAST = Timing(start_s=2.1, memory_mb=731, batch_words_per_s=6120, single_words_per_s=3150, p50_ms=12.7, p99_ms=58.6)


def quality(f1, error, **by_type):
    return Quality(f1=f1, f1_by_type=by_type, calibration_error=error, by_chance=0.0111)


def parity(**given):
    """A made-up sheet in which no two figures are the same."""
    trained = Side(
        sha256="0a" * 32, size_mb=498.2, timing=SLOW,
        quality=quality(0.8812, 0.0213, INFRA=0.9134, TEAM=0.8027, CONFIG=0.7651),
        long=quality(0.8744, 0.0226, INFRA=0.9089, TEAM=0.7913, CONFIG=0.7508),
    )  # fmt: skip
    optimized = Side(
        sha256="1b" * 32, size_mb=126.5, timing=FAST,
        quality=quality(0.8795, 0.0239, INFRA=0.9127, TEAM=0.8054, CONFIG=0.7602, GONE=0.0),
        long=quality(0.8731, 0.0241, INFRA=0.9096, TEAM=0.7885, CONFIG=0.7533),
    )  # fmt: skip
    fields = {
        "runtime": "onnx-int8", "f1_p": 0.4321, "corpus": "corpus/test.spacy",
        "trained": trained, "optimized": optimized,
        "difference": difference(1234, 5678, 23, 0.1432, 0.00871),
        "long": difference(17, 4321, 31, 0.1517, 0.00914),
        "alone": difference(480, 1911, 0, 0.0009, 0.00013),
        "promises": [], "failures": [],
    }  # fmt: skip
    return Parity(**fields | given)


def difference(n_texts, n_entities, n_different, largest, mean):
    return Difference(
        n_texts=n_texts, n_entities=n_entities, n_different=n_different, confidence_largest=largest,
        confidence_mean=mean,
    )  # fmt: skip


PROMISES = [
    Promise(label="INFRA", promised=0.95, bound=0.9571, refitted=True),
    Promise(label="TEAM", promised=0.95, bound=0.9318, refitted=False),
]


def figures(sheet):
    """Every figure of the JSON, as it is shown."""
    of_shares = [
        share
        for side in (sheet.trained, sheet.optimized)
        for scores in (side.quality, side.long)
        for share in (scores.f1, scores.calibration_error, *scores.f1_by_type.values())
    ] + [share for promise in sheet.promises for share in (promise.promised, promise.bound)]
    shown = [f"{100 * share:.2f}" for share in of_shares]
    for compared in (sheet.difference, sheet.long, sheet.alone):
        shown += [f"{n:,}" for n in (compared.n_texts, compared.n_entities, compared.n_different)]
        shown += [f"{compared.confidence_largest:.4f}", f"{compared.confidence_mean:.5f}"]
    shown += ["9.4 s", "1,820 MB", "2,310", "941", "41.3 ms", "187 ms", "498 MB"]
    return [*shown, "2.1 s", "731 MB", "6,120", "3,150", "12.7 ms", "58.6 ms", "126 MB"]


def cells(page):
    """The text of every cell of the page's tables."""
    return [re.sub(r"<[^>]*>| [✔✘]", "", cell) for cell in re.findall(r"<t[dh][^>]*>(.*?)</t[dh]>", page)]


def test_every_figure_of_the_json_is_on_the_page_and_the_page_is_whole():
    sheet = parity(promises=PROMISES)
    page = parity_page(sheet)
    read = Reader(page)
    assert read.targets == [] and len(read.ids) == len(set(read.ids))
    assert [figure for figure in figures(sheet) if figure not in cells(page)] == []
    assert sheet.trained.sha256 in page and sheet.optimized.sha256 in page
    assert re.search(r"<title>Optimised pipeline in int8 on corpus/test.spacy, \d{4}-\d\d-\d\d</title>", page)


def test_every_figure_of_the_json_is_in_the_markdown():
    sheet = parity(promises=PROMISES)
    rows = [line for line in parity_markdown(sheet).split("\n") if line.startswith("| ")]
    written = [cell.strip(" ✔✘") for row in rows for cell in row.split("|")]
    assert [figure for figure in figures(sheet) if figure not in written] == []


@pytest.mark.parametrize("render", [parity_page, parity_markdown])
def test_differences_are_in_points_and_gains_in_times(render):
    made = render(parity())
    assert "−0.17" in made and "+0.27" in made and "+0.26" in made
    assert "F1 falls by 0.17 points, 2.6 times faster in batches, 3.3 times faster one text at a time" in made
    assert "2.5 times less" in made and "3.9 times smaller on disk." in made


@pytest.mark.parametrize("render", [parity_page, parity_markdown])
def test_it_says_that_all_limits_are_kept_or_which_are_not(render):
    assert "Passed: the int8 pipeline stays within all limits." in render(parity())
    assert "Not passed: F1 falls; at most 0.5." in render(parity(failures=["F1 falls; at most 0.5"]))
    made = render(parity(failures=["one is lost; none may", "another is"]))
    assert "Not passed: 2 limits are exceeded." in made and "One is lost; none may." in made and "Another is." in made


@pytest.mark.parametrize("render", [parity_page, parity_markdown])
def test_the_limits_are_those_of_the_precision(render):
    assert "may fall by at most 0.5 points" in render(parity()) and "rise by at most 1.0 points" in render(parity())
    made = render(parity(runtime="onnx"))
    assert "At most 2 entities may differ on the test set (1 in 500 passages)" in made and "may fall by" not in made


@pytest.mark.parametrize("render", [parity_page, parity_markdown])
def test_without_timings_only_the_size_is_compared(render):
    sides = {name: getattr(parity(), name).model_copy(update={"timing": None}) for name in ("trained", "optimized")}
    made = render(parity(**sides))
    assert "were not timed" in made and "3.9 times smaller" in made and "latency" not in made


@pytest.mark.parametrize("render", [parity_page, parity_markdown])
def test_promises_are_shown_if_there_are_any(render):
    made = render(parity(promises=PROMISES))
    assert "95.71 ✔" in made and "93.18 ✘" in made and "fitted anew" in made and "unchanged" in made
    assert "Promised precision" in made and "Promised precision" not in render(parity())


@pytest.mark.parametrize("render", [parity_page, parity_markdown])
def test_without_long_documents_it_says_why(render):
    made = render(parity(long=difference(0, 0, 0, 0, 0)))
    assert "spacing of the passages is not known" in made and "87.44" not in made


def test_what_became_worse_or_is_not_known_is_called_that():
    slower = FAST.model_copy(update={"batch_words_per_s": 1155, "memory_mb": 0, "p50_ms": 41.4})
    sheet = parity(optimized=parity().optimized.model_copy(update={"timing": slower}))
    words = {gain.name: gain.in_words for gain in gains(sheet)}
    assert words["words/s in batches"] == "2.0 times slower"
    assert words["memory"] == "" and words["latency, median"] == "as fast"
    assert "not known" in parity_page(sheet) and 'class="gain no">2.0 times slower' in parity_page(sheet)


def test_what_is_printed_has_the_types_of_both():
    rows = parity_rows(parity())
    assert ("F1", "88.12", "87.95") in rows and ("F1 of GONE", "", "0.00") in rows
    assert ("start", "9.4 s", "2.1 s") in rows


def test_labels_and_paths_are_shown_as_they_are():
    evil = quality(0.5, 0.1, **{EVIL: 0.5})
    trained = parity().trained.model_copy(update={"quality": evil, "long": evil})
    promise = PROMISES[0].model_copy(update={"label": EVIL})
    sheet = parity(trained=trained, corpus=EVIL, promises=[promise], failures=[EVIL])
    page = parity_page(sheet)
    assert "<script>" not in page and "<b>" not in page and Reader(page).text.count(EVIL) == 6
    rows = [line for line in parity_markdown(sheet).split("\n") if "A\\|B" in line and line.startswith("|")]
    assert len(rows) == 3 and not any("<" in row for row in rows)


def test_the_card_has_the_section_of_an_optimised_pipeline():
    card = model_card(facts(full(), parity=parity()))
    assert parity_markdown(parity()) in card
    assert card.index("\n## Confidence\n") < card.index("\n## Optimised and trained pipeline\n")
    assert card.index("\n## Optimised and trained pipeline\n") < card.index("\n## Training data\n")
    assert "Optimised" not in model_card(facts(full()))


@pytest.fixture(scope="module")
def page_file(tmp_path_factory):
    path = tmp_path_factory.mktemp("page") / "optimize.html"
    slower = FAST.model_copy(update={"batch_words_per_s": 1155})
    optimized = parity().optimized.model_copy(update={"timing": slower})
    failures = ["F1 on the test set falls by 0.82 points; at most 0.5", "3 entities depend on a text's neighbours"]
    path.write_text(parity_page(parity(optimized=optimized, promises=PROMISES, failures=failures)), encoding="utf8")
    return path


@pytest.mark.parametrize("width", [1280, 390])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_and_no_table_is_cut(opened, width, scheme):
    axe = pytest.importorskip("axe_playwright_python.sync_playwright")
    page = opened(viewport={"width": width, "height": 900}, color_scheme=scheme)
    found = axe.Axe().run(page)
    assert found.violations_count == 0, found.generate_report()
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    cut = "[...document.querySelectorAll('.scroll')].filter(region => region.scrollWidth > region.clientWidth).length"
    assert page.evaluate(cut) == 0


@pytest.mark.parametrize("labels", [[f"TYPE_{n}" for n in range(150)], ["A" * 200, "B" * 200]], ids=["many", "long"])
def test_many_types_and_long_labels_do_not_widen_the_page(browser, tmp_path, labels):
    scores = quality(0.5, 0.1, **dict.fromkeys(labels, 0.5))
    side = parity().trained.model_copy(update={"quality": scores, "long": scores})
    (tmp_path / "page.html").write_text(parity_page(parity(trained=side, optimized=side)), encoding="utf8")
    page = browser.new_page(viewport={"width": 390, "height": 900})
    page.goto((tmp_path / "page.html").as_uri())
    assert page.evaluate("document.documentElement.scrollWidth") == 390
    page.close()
