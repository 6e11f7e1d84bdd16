import pytest

from domain_ner.annotations.passages import Passage
from domain_ner.corpus.grouping import canonical_names, count_ungrouped, group_names, group_value
from domain_ner.errors import DomainNerError


def passages(metas, document=""):
    return [Passage(f"text {n}", (), f"a.jsonl:{n}", meta, document=document) for n, meta in enumerate(metas)]


def test_a_key_that_no_passage_has_is_an_error_that_names_those_they_have():
    given = passages([{"customer": f"c{n % 3}", "id": n} for n in range(10)] + [{"id": 10}])
    with pytest.raises(DomainNerError) as caught:
        count_ungrouped(given, "Customers")
    told = str(caught.value)
    assert "vars.group_by is 'Customers', but none of the 11 passages has that key" in told
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


@pytest.mark.parametrize(
    ("values", "name"),
    [
        ([1, 1.0, "1", "1.0", "1.00"], "1"),
        ([0, -0.0, "0.0", "-0.0"], "0"),
        ([-3, "-3.0"], "-3"),
        ([2**53, float(2**53)], "9007199254740992"),
        ([True, "True", "true", "TRUE"], "true"),
        ([False, "False"], "false"),
        (
            [{"id": 1, "of": {"a": "x", "b": 2}}, {"of": {"b": 2.0, "a": "x"}, "id": 1.0}],
            "{'id': 1, 'of': {'a': 'x', 'b': 2}}",
        ),
        ([[1, "a"], [1.0, "a"]], "[1, 'a']"),
    ],
)
def test_what_tools_write_of_one_value_is_one_name(values, name):
    assert canonical_names((f"{n}.jsonl", value) for n, value in enumerate(values)) == [name] * len(values)


@pytest.mark.parametrize(
    "values",
    [
        ["01", "1", "1.5", "1.50", "+1", "1e0", "1,0", " 1", "1.", "v1.0", "00.0"],
        [1, True, "one", 1.5, 11],
        ["True", "yes", "tRUE", "1"],
    ],
)
def test_values_that_are_not_the_same_stay_apart(values):
    assert len(set(canonical_names((f"{n}.jsonl", value) for n, value in enumerate(values)))) == len(values)


def test_two_texts_of_one_file_are_two_values_and_so_they_are_in_the_others():
    assert canonical_names([("a", "1.0"), ("a", "1"), ("b", "1.0"), ("b", "2.0"), ("b", 1)]) == [
        "1.0",
        "1",
        "1.0",
        "2",
        "1",
    ]


@pytest.mark.parametrize("value", [None, "", float("nan")])
def test_what_is_no_value_has_no_name(value):
    assert group_names(passages([{"org": value}]), "org") == [""]


def test_values_are_counted_as_groups_are():
    with pytest.raises(DomainNerError, match=r"They have: site \(3 passages, 2 values\)"):
        count_ungrouped(passages([{"site": 1}, {"site": 1.0}, {"site": "2"}]), "org")
