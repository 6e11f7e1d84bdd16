"""The guide's HTML page: complete, self-contained, and safe whatever the texts hold."""

from html.parser import HTMLParser

import pytest
from conftest import GUIDE, LABELS

from domain_ner.annotations.passages import LabelledSpan, Passage
from domain_ner.guide.schema import Guide, line_index, load_guide
from domain_ner.guide.validate import Corpus, GuideFile, validate
from domain_ner.reports.guide_page import guide_page, to_json
from domain_ner.reports.numbers import FIRST_SHOWN


class Reader(HTMLParser):
    """Collects ids, link targets, tags and text; fails on tags that do not nest."""

    VOID = frozenset(["meta", "br", "link", "img"])

    def __init__(self, page):
        super().__init__()
        self.ids, self.targets, self.tags, self.text, self.open = [], [], [], "", []
        self.feed(page)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        given = dict(attrs)
        self.tags.append(tag)
        self.ids += [given["id"]] if "id" in given else []
        self.targets += [given[key] for key in ("href", "src") if key in given]
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text += data


def page_of(guide, passages):
    validation = validate(GuideFile(guide, "guide.yml", {}), Corpus(passages, passages, ()))
    return Reader(guide_page(guide, validation)), validation


@pytest.fixture(scope="module")
def shipped():
    guide = load_guide(GUIDE)
    faulty = [Passage("ask the Ops now", (LabelledSpan(4, 11, "TEAM"),), "a.jsonl:4")]
    return page_of(guide, faulty)


def test_every_type_has_a_section_that_is_linked_to(shipped):
    page, _ = shipped
    assert set(LABELS) <= set(page.ids)
    assert {f"#{label}" for label in LABELS} <= set(page.targets)
    assert len(page.ids) == len(set(page.ids))


def test_the_page_needs_nothing_but_itself(shipped):
    page, _ = shipped
    assert all(target.startswith("#") for target in page.targets)
    assert "script" not in page.tags


def test_examples_edge_cases_rules_and_findings_are_shown(shipped):
    page, _ = shipped
    for shown in [
        "checkout-api",
        "must not start with",
        "Command-line tools are no entities",
        "a.jsonl:4",
        "«the Ops»",
    ]:
        assert shown in page.text


def test_hostile_texts_are_shown_as_text():
    evil = '<script>alert(1)</script> & "quotes"'
    entry = {"label": "TEAM", "definition": evil, "examples": [f"{evil} [{evil.replace('(1)', '')}](TEAM)"]}
    guide = Guide.model_validate({"title": evil, "types": [entry]})
    page, _ = page_of(guide, [Passage(evil, (LabelledSpan(0, 8, "CREW"),), "<b>:1")])
    assert "script" not in page.tags
    assert page.text.count("<script>") >= 3


def test_a_type_without_edge_cases_has_no_heading_for_them(shipped):
    guide = Guide.model_validate({"types": [{"label": "TEAM", "definition": "a group", "examples": ["[Ops](TEAM)"]}]})
    page, _ = page_of(guide, [])
    assert "Edge cases" in shipped[0].text
    assert "Examples" in page.text and "Edge cases" not in page.text


def test_many_findings_are_cut_short_and_counted():
    guide = load_guide(GUIDE)
    many = [Passage(f"the Ops {n}", (LabelledSpan(0, 7, "TEAM"),), f"a:{n}") for n in range(120)]
    page, validation = page_of(guide, many)
    assert "and 70 more, all in guide.json" in page.text
    assert len(to_json(validation)["findings"]) > 240


def test_the_lines_of_the_shipped_guide_are_known():
    lines = line_index(GUIDE)
    content = GUIDE.read_text(encoding="utf8").splitlines()
    assert "label: SERVICE" in content[lines[("types", 0)] - 1]
    assert "[checkout-api](SERVICE)" in content[lines[("types", 0, "examples", 0)] - 1]


@pytest.fixture(scope="module")
def page_file(tmp_path_factory):
    """The shipped guide, with many findings on annotations of four annotators."""
    guide = load_guide(GUIDE)
    span = (LabelledSpan(4, 11, "TEAM"),)
    many = [
        Passage(f"ask the Ops now {n // 2}", span if n % 3 else (), f"a.jsonl:{n}", annotator=f"annotator-{n % 2}" * 6)
        for n in range(120)
    ]
    validation = validate(GuideFile(guide, "guide.yml", {}), Corpus(many, many, ()))
    path = tmp_path_factory.mktemp("page") / "guide.html"
    path.write_text(guide_page(guide, validation), encoding="utf8")
    return path


@pytest.mark.parametrize("width", [1280, 390])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_and_nothing_sticks_out(opened, scheme, width):
    axe = pytest.importorskip("axe_playwright_python.sync_playwright")
    page = opened(color_scheme=scheme, viewport={"width": width, "height": 900})
    page.evaluate("for (const one of document.querySelectorAll('details')) one.open = true")
    found = axe.Axe().run(page)
    assert [(one["id"], one["nodes"][0]["html"]) for one in found.response["violations"]] == []
    assert page.evaluate("document.documentElement.scrollWidth") == width


def test_of_many_findings_ten_are_open_and_the_rest_is_folded(opened):
    page = opened()
    group = page.locator(".findings details", has=page.locator("details")).first
    group.evaluate("one => one.open = true")
    assert group.locator("li:visible").count() == FIRST_SHOWN
    group.locator("details summary").click()
    assert group.locator("li:visible").count() > FIRST_SHOWN


@pytest.mark.parametrize("labels", [[f"TYPE_{n}" for n in range(150)], ["A" * 200, "B" * 200]], ids=["many", "long"])
@pytest.mark.parametrize("width", [1280, 390])
def test_many_types_and_long_labels_do_not_widen_the_page(browser, tmp_path, labels, width):
    types = [{"label": label, "definition": "a group", "examples": [f"ask [Ops]({label})"]} for label in labels]
    guide = Guide.model_validate({"types": types})
    some = [Passage("ask the Ops now", (LabelledSpan(4, 11, label),), f"{'x' * 80}:4") for label in labels]
    path = tmp_path / "guide.html"
    path.write_text(guide_page(guide, validate(GuideFile(guide, "guide.yml", {}), Corpus(some, some, ()))), "utf8")
    page = browser.new_page(viewport={"width": width, "height": 900})
    page.goto(path.as_uri())
    assert page.evaluate("document.documentElement.scrollWidth") == width
    page.close()
