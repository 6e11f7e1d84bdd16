"""Contracts in words."""

import pytest

from domain_ner.errors import DomainNerError
from domain_ner.metrics.contracts import Contract, level_each, parse_contracts, require_labels


def test_contracts_are_read_with_shares_and_percentages():
    assert parse_contracts("SERVICE precision >= 0.9; all F1>=80 %;") == [
        Contract("SERVICE", "precision", 0.9),
        Contract("all", "f1", 0.8),
    ]


def test_a_type_may_have_spaces():
    assert parse_contracts("on call team recall >= 0.5") == [Contract("on call team", "recall", 0.5)]


@pytest.mark.parametrize("text", ["SERVICE >= 0.9", "SERVICE accuracy >= 0.9", "A f1 >= 90", "A f1 >= .9.1", "f1"])
def test_anything_else_is_refused(text):
    with pytest.raises(DomainNerError, match="expected TYPE MEASURE >= SHARE"):
        parse_contracts(text)


def test_a_contract_on_an_unknown_type_is_refused():
    require_labels(parse_contracts("A f1 >= 0.5; all f1 >= 0.5"), ["A"])
    with pytest.raises(DomainNerError, match="no type of this pipeline"):
        require_labels(parse_contracts("B f1 >= 0.5"), ["A"])


def test_joint_levels_share_the_error():
    assert level_each(0.95, 5) == pytest.approx(0.99)
