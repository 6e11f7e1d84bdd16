"""The page of an evaluation in a browser: its filters count, its charts fit, and it can be read without JavaScript."""

import pytest
from test_evaluation_page import full

from domain_ner.reports.evaluation_page import evaluation_page


@pytest.fixture(scope="module")
def page_file(tmp_path_factory):
    path = tmp_path_factory.mktemp("page") / "evaluation.html"
    path.write_text(evaluation_page(full(20)), encoding="utf8")
    return path


def test_the_counts_behind_the_filters_are_those_of_the_table(opened):
    """With the other filters as they are; the sum of the options is what is shown."""
    page, made = opened(), full(20)

    def counts(name):
        told = page.locator(f"select[name={name}] option").all_inner_texts()
        return {one.rpartition(" (")[0]: int(one.rpartition(" (")[2].rstrip(")")) for one in told}

    page.wait_for_timeout(100)
    kinds = {kind: sum(some.values()) for kind, some in made.mistake_counts.items()}
    assert counts("kind") == kinds | {"any": len(made.mistakes)}
    of_type = {label: sum(some.get(label, 0) for some in made.mistake_counts.values()) for label in made.labels}
    assert counts("type") == of_type | {"any": len(made.mistakes)}
    page.select_option("select[name=type]", "INFRA")
    page.wait_for_timeout(100)
    assert counts("kind") == {kind: some.get("INFRA", 0) for kind, some in made.mistake_counts.items()} | {
        "any": of_type["INFRA"]
    }
    assert counts("type")["TEAM"] == of_type["TEAM"]
    assert page.inner_text("#shown").startswith(f"{of_type['INFRA']} of {len(made.mistakes)} mistakes")


def test_without_its_script_the_page_shows_ten_mistakes_and_where_the_others_are(browser, page_file):
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(page_file.as_uri())
    assert page.locator("article").count() == 10 and page.locator("article mark").count() >= 10
    assert "All 100 are in evaluation.json." in page.inner_text("noscript p")
    assert not page.locator("#filters").is_visible() and not page.locator("#more").is_visible()
    context.close()


@pytest.mark.parametrize("width", [1280, 390])
def test_charts_fit_and_no_mark_of_them_lies_outside(opened, width):
    page = opened(viewport={"width": width, "height": 900})
    outside = page.evaluate("""() => [...document.querySelectorAll("figure svg:is(.plot, .track)")].flatMap(svg => {
      const box = svg.getBoundingClientRect(), style = getComputedStyle(svg);
      const inner = [box.left + parseFloat(style.paddingLeft) - 1, box.right - parseFloat(style.paddingRight) + 1];
      return [...svg.querySelectorAll("circle, rect, line")].map(mark => mark.getBoundingClientRect()).filter(mark =>
        (mark.left + mark.right) / 2 < inner[0] || (mark.left + mark.right) / 2 > inner[1] || box.right > innerWidth);
    }).length""")
    assert outside == 0
    words = page.evaluate("""() => [...document.querySelectorAll("figure text")].filter(one => {
      const box = one.getBoundingClientRect(); return box.left < 0 || box.right > innerWidth;
    }).length""")
    assert words == 0


def test_the_f1_is_in_view_on_a_phone_and_the_type_stays_there(opened):
    page = opened(viewport={"width": 390, "height": 900})
    region = page.locator("#types .scroll").first
    head = region.locator("thead th").nth(1)
    assert head.inner_text() == "F1"
    assert head.bounding_box()["x"] + head.bounding_box()["width"] < 390
    region.evaluate("one => one.scrollTo(200, 0)")
    assert region.locator("tbody th").first.bounding_box()["x"] == region.bounding_box()["x"]
