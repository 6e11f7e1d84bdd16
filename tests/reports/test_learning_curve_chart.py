"""The chart of a learning curve: an SVG file that takes the width there is, in the colours of the reader's scheme."""

import re
from itertools import pairwise
from xml.etree import ElementTree

import pytest
from test_plots import places

from domain_ner.evaluation.learning_curve import MORE, ExpectedF1, LearningCurve, Size, TypeCurve
from domain_ner.reports.learning_curve_report import MAX_CURVES, learning_curve_chart
from domain_ner.reports.plots import SERIES

SIZES = (100, 200, 400, 800)


def type_curve(f1, support=10, *, sizes=SIZES, has_curve=True):
    expected = ExpectedF1(f1=f1, low=f1 - 0.1, high=min(1.0, f1 + 0.1))
    gains = {n: ExpectedF1(f1=0.01, low=0.0, high=0.02) for n in MORE}
    return TypeCurve(
        support=support,
        sizes=[Size(n_passages=n, f1=[f1 - 0.02, f1]) for n in sizes],
        now=expected if has_curve else None,
        more=gains if has_curve else {},
        target_at=None,
        target_at_low=None,
        target_at_high=None,
        check=None,
    )


def chart(sizes=SIZES, **by_type):
    curves = {label: type_curve(*given, sizes=sizes) for label, given in by_type.items()}
    return learning_curve_chart(LearningCurve(n_passages=sizes[-1], n_test_passages=50, by_type=curves))


def named(svg):
    return [one.text for one in ElementTree.fromstring(svg).iter() if one.get("class") == "name"]


def test_it_has_a_width_in_per_cent_and_every_mark_inside():
    svg = chart(INFRA=(0.8,), all=(0.7, 20))
    root = ElementTree.fromstring(svg)
    assert root.tag == "{http://www.w3.org/2000/svg}svg" and root.get("width") == "100%" and root.get("viewBox") is None
    assert all(0 <= one <= 100 for one in places(svg))
    assert root.get("aria-label") == "Test F1 with 800 passages: INFRA 79.0, all 69.0"


def test_colours_are_variables_with_a_value_for_dark_ground():
    svg = chart(INFRA=(0.8,), all=(0.7, 20))
    style, drawn = svg.split("</style>")
    assert not re.search(r"#[0-9a-f]{3}|\b(?:stroke|fill)=", drawn)
    assert "prefers-color-scheme: dark" in style
    assert set(re.findall(r"var\((--\w+)\)", style)) <= {*re.findall(r"(--\w+):", style)}
    assert all(f".{name} {{ --ink: var(--{name}); }}" in style for name in SERIES)


def test_many_types_are_told_apart_by_colour_and_by_dot_and_the_rarest_are_left_out():
    types = {f"TYPE_{n}": (0.5 + n / 100, n) for n in range(30)}
    svg = chart(**types, all=(0.6, 1000))
    labels = named(svg)
    assert len(labels) == MAX_CURVES + 1 and labels[-2:] == ["all", "target 85"]
    assert "TYPE_29" in labels and "TYPE_0" not in labels
    dots = re.findall(r'<circle class="([^"]*)" cx="14"', svg)
    assert len(dots) == len(set(dots)) == MAX_CURVES


def test_names_are_escaped_and_long_ones_are_below_one_another():
    svg = chart(**{"<b>&" + "A" * 40: (0.8,), "all": (0.7, 20)})
    root = ElementTree.fromstring(svg)
    assert named(svg)[0].startswith("<b>&AAA")
    assert len({one.get("x") for one in root if one.get("height") == "22"}) == 1


@pytest.mark.parametrize("sizes", [(1, 2, 4), (900, 950, 1000), (5000, 9000, 10000)])
def test_sizes_whose_words_would_overlap_have_none(sizes):
    svg = chart(sizes, INFRA=(0.8,), all=(0.7, 20))
    ticks = [float(x) for x in re.findall(r'<text x="([\d.]+)%" y="100%" dy="17"', svg)]
    assert ticks[-1] == 100 and all(after - before > 8 for before, after in pairwise(ticks))


def test_a_type_without_a_curve_has_its_scores_only():
    curves = {"INFRA": type_curve(0.5, has_curve=False), "all": type_curve(0.5, 20)}
    svg = learning_curve_chart(LearningCurve(n_passages=800, n_test_passages=50, by_type=curves))
    assert svg.count("<polyline") == 3


@pytest.mark.parametrize("width", [1280, 390])
def test_it_fits_and_follows_the_scheme_in_a_browser(browser, tmp_path, width):
    path = tmp_path / "learning_curve.svg"
    path.write_text(chart(INFRA=(0.8,), **{"A" * 60: (0.6,)}, all=(0.7, 20)), encoding="utf8")
    grounds = []
    for scheme in ("light", "dark"):
        page = browser.new_page(viewport={"width": width, "height": 700}, color_scheme=scheme)
        page.goto(path.as_uri())
        outside = page.evaluate("""() => [...document.querySelectorAll("text, circle")].filter(one => {
          const box = one.getBoundingClientRect(); return box.left < 0 || box.right > innerWidth;
        }).length""")
        assert outside == 0
        grounds.append(page.evaluate("() => getComputedStyle(document.querySelector('.ground')).fill"))
        page.close()
    assert grounds == ["rgb(255, 255, 255)", "rgb(20, 24, 29)"]
