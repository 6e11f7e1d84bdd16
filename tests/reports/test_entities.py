"""A document as HTML: its words as they are, every entity with type and confidence, and nothing that it needs."""

import re

import pytest
import spacy
from hypothesis import given
from hypothesis import strategies as st
from spacy.tokens import Span
from test_guide_page import Reader

from domain_ner.reports.entities import LONG_FROM, MAX_SHOWN, entities_html
from domain_ner.reports.highlights import whole_percent

NLP = spacy.blank("en")
EVIL = 'The <b>squad</b> & "Redis" </div><script>alert(1)</script>'


@pytest.fixture(autouse=True)
def _confidences():
    if not Span.has_extension("confidence"):
        Span.set_extension("confidence", default=None)


def made(text, *entities):
    """Entities are given as (words, type, confidence)."""
    doc = NLP.make_doc(text)
    doc.ents = [doc.char_span(text.index(words), text.index(words) + len(words), label) for words, label, _ in entities]
    for ent, (_, _, sure) in zip(doc.ents, sorted(entities, key=lambda one: text.index(one[0])), strict=True):
        ent._.confidence = sure
    return doc


def words_of(html):
    """The text that is shown, without types and confidences."""
    return Reader(re.sub(r"<style>.*?</style>|<b>[^<]*</b>", "", html, flags=re.DOTALL)).text


def test_each_entity_has_its_type_and_its_confidence():
    html = entities_html(made("Ask the squad about Redis", ("squad", "TEAM", 0.987), ("Redis", "INFRA", None)))
    assert ">squad<b>TEAM 99\N{NO-BREAK SPACE}%</b></mark>" in html and ">Redis<b>INFRA</b></mark>" in html
    assert words_of(html) == "Ask the squad about Redis"
    assert not re.search("https?:|src=|href=", html)


def test_what_is_not_certain_is_not_told_as_certain():
    assert [whole_percent(sure) for sure in (1.0, 0.9999, 0.994, 0.5, 0.004)] == [100, 99, 99, 50, 0]


def test_any_words_and_types_are_shown_as_they_are():
    html = entities_html(made(EVIL, ("Redis", '<i onload="x">', 0.5)))
    assert words_of(html) == EVIL and "<script" not in html and "<i onload" not in html


def test_types_have_the_colours_that_are_given():
    html = entities_html(made("Redis and Kafka", ("Redis", "A", None), ("Kafka", "B", None)), colours={"A": "#102030"})
    assert "--c:#102030;--t:#fff" in html and html.count("--c:") == 2


@st.composite
def spans(draw):
    found = draw(st.lists(st.tuples(st.integers(0, 11), st.integers(1, 12), st.sampled_from("AB")), max_size=8))
    return sorted({(start, min(12, start + n), label) for start, n, label in found})


@given(spans(), st.booleans())
def test_spans_that_nest_and_cross_leave_the_text_whole(found, has_scores):
    doc = NLP.make_doc("a b c d e f g h i j k l")
    doc.spans["sc"] = [Span(doc, start, end, label) for start, end, label in found]
    doc.spans["sc"].attrs["scores"] = [0.25] * len(found) if has_scores else []
    html = entities_html(doc)
    assert words_of(html) == doc.text
    assert (
        len(re.findall(r"<b>", html))
        == len(found)
        == len(re.findall("25\N{NO-BREAK SPACE}%" if has_scores else "<b>", html))
    )


def test_a_span_that_is_an_entity_too_is_shown_once_and_another_group_can_be_asked_for():
    doc = made("Redis is up", ("Redis", "INFRA", 0.75))
    doc.spans["sc"] = [doc[0:1]]
    doc.spans["sc"] = [Span(doc, 0, 1, "INFRA")]
    doc.spans["below_threshold"] = [Span(doc, 2, 3, "TEAM")]
    doc.spans["below_threshold"].attrs["scores"] = [0.3]
    assert entities_html(doc).count("<b>") == 1 and "INFRA 75" in entities_html(doc)
    assert "TEAM 30" in entities_html(doc, spans_key="below_threshold")


def test_a_long_text_scrolls_and_a_huge_one_is_cut_and_counted():
    assert "tabindex" not in entities_html(made("Redis"))
    assert 'class="domain-ner long" tabindex="0"' in entities_html(
        NLP.make_doc("Redis " * LONG_FROM)[: LONG_FROM // 5].as_doc()
    )
    huge = NLP.make_doc("Redis " * (MAX_SHOWN // 6) + "is at the end, Kafka")
    huge.ents = [Span(huge, 0, 1, "INFRA"), Span(huge, len(huge) - 1, len(huge), "INFRA")]
    html = entities_html(huge)
    assert re.search(r"… and \d+ more characters with 1 entities", html) and html.count("<mark") == 1


def test_a_pipeline_without_confidences_is_shown_too():
    doc = NLP.make_doc("")
    assert words_of(entities_html(doc)) == ""
    default = Span.remove_extension("confidence")
    try:
        doc = NLP.make_doc("Redis")
        doc.ents = [Span(doc, 0, 1, "INFRA")]
        assert "<b>INFRA</b>" in entities_html(doc)
    finally:  # other tests of this process need it
        Span.set_extension("confidence", default=default[0])


@pytest.fixture(scope="module")
def page_file(tmp_path_factory):
    Span.set_extension("confidence", default=None, force=True)
    html = entities_html(made("Ask the squad about Redis " * 400, ("squad", "TEAM", 0.9), ("Redis", "INFRA", 0.8)))
    path = tmp_path_factory.mktemp("page") / "entities.html"
    head = '<meta charset="utf-8"><title>x</title><style>:root { color-scheme: light dark }</style>'
    path.write_text(
        f'<!doctype html><html lang="en"><head>{head}</head><body><main><h1>x</h1>{html}</main></body></html>'
    )
    return path


@pytest.mark.parametrize("width", [1280, 390])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_and_nothing_sticks_out(opened, scheme, width):
    axe = pytest.importorskip("axe_playwright_python.sync_playwright")
    page = opened(color_scheme=scheme, viewport={"width": width, "height": 900})
    found = axe.Axe().run(page)
    assert [(one["id"], one["nodes"][0]["html"]) for one in found.response["violations"]] == []
    assert page.evaluate("document.documentElement.scrollWidth") == width
