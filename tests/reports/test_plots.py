"""The small charts: axes with round marks, and no mark outside the plot."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from test_guide_page import Reader

from domain_ner.evaluation.confidence_schema import Certainty, Point, Reliability, ReliabilityBin
from domain_ner.evaluation.schema import Evaluation
from domain_ner.reports.charts import differences_chart, reliability_chart, threshold_chart, training_chart
from domain_ner.reports.plots import MAX_TICKS, Axis, axis_of, magnitude_axis

NUMBERS = st.floats(-1e6, 1e6).filter(lambda value: value == 0 or abs(value) > 1e-3)


@given(st.lists(NUMBERS, min_size=1))
def test_an_axis_has_room_for_every_value_and_few_round_marks(values):
    axis = axis_of(values)
    assert all(0 <= axis.at(value) <= 100 for value in values)
    assert axis.low <= min(values) and max(values) <= axis.high
    assert 2 <= len(axis.ticks) <= MAX_TICKS + 2
    assert all(axis.low <= tick <= axis.high for tick in axis.ticks)


def test_marks_are_at_round_values():
    assert axis_of([63.9, 98.9], least=0, most=100).ticks == [60, 70, 80, 90, 100]
    assert axis_of([0.5]).ticks and axis_of([]).ticks
    assert Axis(0, 10, ()).at(12) == 100 and Axis(0, 10, ()).at(-1) == 0


def test_values_that_differ_by_orders_of_magnitude_are_drawn_by_these():
    axis = magnitude_axis([8000, 12, 300])
    assert (
        axis.is_log and axis.ticks == pytest.approx([10, 100, 1000, 10000]) and axis.at(100) == pytest.approx(100 / 3)
    )
    assert (
        not magnitude_axis([8000, 0.0]).is_log and not magnitude_axis([3, 5]).is_log and not magnitude_axis([]).is_log
    )


def places(svg):
    """Every place of a mark, in per cent."""
    found = [float(one) for one in re.findall(r'\b(?:x1|x2|y1|y2|cx|cy)="([-\d.]+)%"', svg)]
    return found + [float(one) for points in re.findall(r'points="([^"]*)"', svg) for one in re.split("[ ,]", points)]


def certainty(bins, least=None):
    one = Reliability(ece=0.1, ece_by_chance=0.1, bins=bins)
    curve = [Point(confidence=0.0, precision=0.0, recall=1.0), Point(confidence=1.0, precision=1.0, recall=0.0)]
    return Certainty(before=one, after=one, curve=curve, least=least)


def test_bins_have_their_interval_their_number_and_a_legend():
    bins = [
        ReliabilityBin(low=0.9, high=1.0, n=1234, confidence=1.0, precision=1.0, precision_low=0.9, precision_high=1.0),
        ReliabilityBin(low=0.0, high=0.1, n=2, confidence=0.0, precision=0.0, precision_low=0.0, precision_high=0.66),
        ReliabilityBin(low=0.5, high=0.6, n=7, confidence=0.55, precision=0.6),  # of a report of before the intervals
    ]
    chart = reliability_chart({"": certainty(bins), "A<b>" * 20: certainty([])})
    Reader(chart)
    assert all(0 <= one <= 100 for one in places(chart))
    assert re.findall(r">(\d+)</text>", chart).count("1234") == 1 and ">7</text>" in chart
    assert "before calibration" in chart and "confidence = precision" in chart
    assert chart.count('<line class="a"') == 2 and "<b>" not in chart


def test_a_threshold_in_force_is_drawn_and_told():
    assert "reported from" not in threshold_chart({"": certainty([])})
    chart = threshold_chart({"": certainty([]), "A": certainty([], least=1.0)})
    assert "reported from" in chart and all(0 <= one <= 100 for one in places(chart))


def test_one_evaluation_and_a_loss_that_is_no_number_can_be_drawn():
    chart = training_chart([Evaluation(epoch=1, step=1, f1=0.0, losses={"crf_ner": None, "transformer": 3.0})])
    assert all(0 <= one <= 100 for one in places(chart)) and "loss of crf_ner" in chart


def test_differences_without_interval_can_be_drawn():
    chart = differences_chart({"all": (0.0, None, None), "A" * 200: (-1.0, -1.0, 1.0)})
    assert all(0 <= one <= 100 for one in places(chart)) and "A" * 200 not in chart.partition(">")[2]
