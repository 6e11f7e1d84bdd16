from collections import Counter

import pytest
from hypothesis import given
from test_schemes import ENTITIES

from domain_ner.metrics.mistakes import (
    KINDS,
    MERGED,
    MISSING,
    NOTHING,
    SHIFTED,
    SPLIT,
    SPURIOUS,
    TOO_LONG,
    TOO_SHORT,
    WRONG_TYPE,
    Mistake,
    confusion,
    find_mistakes,
)


@pytest.mark.parametrize(
    ("gold", "predicted", "kinds"),
    [
        ([(2, 5, "A")], [(2, 5, "A")], []),
        ([(2, 5, "A")], [], [MISSING]),
        ([], [(2, 5, "A")], [SPURIOUS]),
        ([(2, 5, "A")], [(7, 9, "A")], [MISSING, SPURIOUS]),
        ([(2, 5, "A")], [(5, 9, "A")], [MISSING, SPURIOUS]),
        ([(2, 5, "A")], [(2, 5, "B")], [WRONG_TYPE]),
        ([(2, 5, "A")], [(2, 6, "B")], [WRONG_TYPE]),
        ([(2, 5, "A")], [(2, 6, "A")], [TOO_LONG]),
        ([(2, 5, "A")], [(1, 6, "A")], [TOO_LONG]),
        ([(2, 5, "A")], [(3, 5, "A")], [TOO_SHORT]),
        ([(2, 5, "A")], [(1, 4, "A")], [SHIFTED]),
        ([(2, 8, "A")], [(2, 4, "A"), (5, 8, "A")], [SPLIT]),
        ([(2, 4, "A"), (5, 8, "A")], [(2, 8, "A")], [MERGED]),
        ([(2, 4, "A"), (5, 8, "B")], [(2, 8, "A")], [MISSING, TOO_LONG]),
        ([(0, 4, "A"), (5, 9, "A")], [(1, 6, "A"), (7, 9, "A")], [TOO_SHORT, SHIFTED]),
    ],
)
def test_kinds(gold, predicted, kinds):
    assert sorted(one.kind for one in find_mistakes(gold, predicted)) == sorted(kinds)
    assert set(kinds) <= set(KINDS)


def test_a_right_entity_takes_no_part_in_the_mistakes_around_it():
    found = find_mistakes([(0, 9, "A"), (2, 4, "B")], [(0, 9, "A"), (3, 4, "B")])
    assert found == [Mistake(TOO_SHORT, ((2, 4, "B"),), ((3, 4, "B"),))]


def test_place_and_types_of_a_mistake():
    (one,) = find_mistakes([(2, 5, "B")], [(4, 9, "A")])
    assert (one.start, one.end, one.labels) == (2, 9, ("A", "B"))


def test_confusion():
    gold = [(0, 2, "A"), (3, 5, "A"), (6, 8, "B"), (9, 12, "B")]
    predicted = [(0, 2, "A"), (3, 5, "B"), (9, 11, "B"), (20, 22, "A")]
    right = set(gold) & set(predicted)
    counts = confusion(find_mistakes(gold, predicted), right)
    assert counts == {("A", "A"): 1, ("A", "B"): 1, ("B", NOTHING): 1, ("B", "B"): 1, (NOTHING, "A"): 1}


@given(ENTITIES, ENTITIES)
def test_every_entity_that_is_not_right_is_in_one_mistake(gold, predicted):
    mistakes, right = find_mistakes(gold, predicted), set(gold) & set(predicted)
    assert Counter(entity for one in mistakes for entity in one.gold) == Counter(set(gold) - right)
    assert Counter(entity for one in mistakes for entity in one.predicted) == Counter(set(predicted) - right)


@given(ENTITIES, ENTITIES)
def test_confusion_counts_every_entity_once(gold, predicted):
    counts = confusion(find_mistakes(gold, predicted), set(gold) & set(predicted))
    rows, columns = Counter(), Counter()
    for (true, found), n in counts.items():
        rows[true] += n
        columns[found] += n
    del rows[NOTHING], columns[NOTHING]
    assert rows == Counter(label for _, _, label in gold)
    assert columns == Counter(label for _, _, label in predicted)


def test_of_several_types_that_of_the_other_side_is_paired_and_the_rest_told_apart():
    """As with names within names: the outer one is too short, and the inner one is missing."""
    outer, inner = (0, 26, "ORG"), (14, 18, "LOC")
    found = find_mistakes([outer, inner], [(0, 18, "ORG")])
    assert {(one.kind, one.gold, one.predicted) for one in found} == {
        (TOO_SHORT, (outer,), ((0, 18, "ORG"),)), (MISSING, (inner,), ()),
    }  # fmt: skip
    [other] = find_mistakes([outer, inner], [(0, 18, "PER")])
    assert other.kind == WRONG_TYPE
