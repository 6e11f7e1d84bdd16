"""The page of a comparison: whole, safe whatever the texts hold, and, in a real browser, usable by everyone."""

import pytest
from reported import doc
from test_guide_page import Reader

from domain_ner.evaluation.comparison import System, compare_pipelines
from domain_ner.evaluation.predicting import Evaluated
from domain_ner.metrics.scores import score_entities
from domain_ner.reports.comparison_page import MAX_CHANGES, comparison_page
from domain_ner.reports.highlights import PALETTE

EVIL = 'The </script><script>alert(1)</script> & "Redis" <b>squad</b>'


def system(name):
    return System(
        source=f"training/{name}", name=f"en_{name} 0.1.0", n_words=100, words_s=2000, size_mb=90, n_predicted=7,
        sha256=name,
    )  # fmt: skip


def compared(n, *, text=EVIL):
    """The second finds a name that the first does not, misses one, and sees one that is none; n times."""
    gold, first, second = (
        [("Redis", "INFRA"), ("squad", "TEAM")],
        [("squad", "TEAM")],
        [("Redis", "INFRA"), ("The", "TEAM")],
    )
    docs = [[doc(gold, some, text) for _ in range(n)] for some in (first, second)]
    sides = [
        (system(name), Evaluated(score_entities((one.gold, one.predicted) for one in some), [], some))
        for name, some in zip(("old", "new"), docs, strict=True)
    ]
    return compare_pipelines(*sides, margin=0.02)


def test_the_page_is_whole_and_shows_any_words_as_they_are():
    page = comparison_page(compared(30))
    assert Reader(page).targets == []
    assert "<script>alert" not in page and "&lt;b&gt;" in page
    assert "Not passed" in page and "training/new against training/old" in page


def test_types_have_the_colours_of_the_guide_as_far_as_it_names_them():
    page = comparison_page(compared(1), {"INFRA": "#123456", "ELSEWHERE": "#654321"})
    assert "--c:#123456" in page and "--c:#654321" not in page
    assert f"--c:{PALETTE[1]}" in page  # TEAM


def test_nothing_changed_and_nothing_there():
    made = compared(1, text=EVIL).model_copy(update={"changes": [], "by_type": {}})
    assert "both find the same entities" in comparison_page(made)


def test_more_changes_than_a_page_bears_are_counted():
    page = comparison_page(compared(MAX_CHANGES))
    assert page.count("<li data-kind") == MAX_CHANGES
    assert f"The page has {MAX_CHANGES:,} of {3 * MAX_CHANGES:,}" in page


@pytest.fixture(scope="module")
def page_file(tmp_path_factory):
    path = tmp_path_factory.mktemp("page") / "comparison.html"
    path.write_text(comparison_page(compared(30)), encoding="utf8")
    return path


@pytest.mark.parametrize("width", [1280, 390])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_and_nothing_sticks_out(opened, width, scheme):
    axe = pytest.importorskip("axe_playwright_python.sync_playwright")
    page = opened(viewport={"width": width, "height": 900}, color_scheme=scheme)
    found = axe.Axe().run(page)
    assert found.violations_count == 0, found.generate_report()
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_changes_can_be_filtered(opened):
    page = opened()
    assert page.inner_text("#shown") == "90 changes, 10 shown"
    page.click("#more")
    assert page.inner_text("#shown") == "90 changes, 60 shown" and page.locator(".changes li:visible").count() == 60
    page.select_option("select[name=kind]", "lost")
    assert page.inner_text("#shown") == "30 of 90 changes, 10 shown"
    page.select_option("select[name=label]", "INFRA")
    assert page.inner_text("#shown") == "0 of 90 changes"


@pytest.mark.parametrize("labels", [[f"TYPE_{n}" for n in range(150)], ["A" * 200, "B" * 200]], ids=["many", "long"])
def test_many_types_and_long_labels_do_not_widen_the_page(browser, tmp_path, labels):
    docs = [[doc([("Redis", one)], some, EVIL) for one in labels] for some in ([], [("squad", labels[0])])]
    sides = [
        (system("x"), Evaluated(score_entities((one.gold, one.predicted) for one in some), [], some)) for some in docs
    ]
    made = comparison_page(compare_pipelines(*sides, margin=0))
    assert Reader(made).targets == [] and ("the 49 that changed most" in made) is (len(labels) > 50)
    (tmp_path / "page.html").write_text(made, encoding="utf8")
    page = browser.new_page(viewport={"width": 1280, "height": 900})
    page.goto((tmp_path / "page.html").as_uri())
    assert page.evaluate("document.documentElement.scrollWidth") == 1280
    page.close()
