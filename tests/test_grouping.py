import pytest

from domain_ner.errors import DomainNerError
from domain_ner.grouping import count_ungrouped, group_value
from domain_ner.passages import Passage


def passages(metas, document=""):
    return [Passage(f"text {n}", (), f"a.jsonl:{n}", meta, document=document) for n, meta in enumerate(metas)]


def test_a_key_that_no_passage_has_is_an_error_that_names_those_they_have():
    given = passages([{"customer": f"c{n % 3}", "id": n} for n in range(10)] + [{"id": 10}])
    with pytest.raises(DomainNerError) as caught:
        count_ungrouped(given, "Customers")
    told = str(caught.value)
    assert "vars.group_by is 'Customers', and none of the 11 passages has that key" in told
    assert "They have: id (11 passages, 11 values), customer (10 passages, 3 values). Did you mean 'customer'?" in told
    assert 'Set group_by in project.yml to one of these, or to ""' in told


def test_passages_that_say_nothing_of_themselves_leave_one_choice():
    with pytest.raises(DomainNerError, match=r'They have: no key at all\.\nSet group_by in project\.yml to ""'):
        count_ungrouped(passages([{}, {}]), "org")


def test_the_document_is_named_where_exports_give_one():
    with pytest.raises(DomainNerError, match=r"They have: document \(2 passages, 1 values\)"):
        count_ungrouped(passages([{}, {}], document="d1"), "org")


def test_passages_that_lack_the_key_are_counted():
    assert count_ungrouped(passages([{"org": "a"}, {"org": ""}, {"org": None}, {}]), "org") == 3


@pytest.mark.parametrize(("meta", "expected"), [({"org": 0}, 0), ({"org": False}, False), ({"org": ""}, None)])
def test_a_value_that_is_false_is_one_and_an_empty_one_is_none(meta, expected):
    assert group_value(passages([meta])[0], "org") == expected
