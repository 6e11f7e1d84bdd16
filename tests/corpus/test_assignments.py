import random
from dataclasses import replace
from unicodedata import normalize

import pytest

from domain_ner.annotations.passages import Passage
from domain_ner.corpus.assignments import SplitAssignment, digest
from domain_ner.corpus.splits import SplitRules, divide
from domain_ner.errors import DomainNerError

FRACTIONS = {"train": 0.5, "dev": 0.2, "test": 0.3}
WORDS = [f"w{n}" for n in range(400)]


def text(n):
    """A text of its own words, so that none is nearly another."""
    return f"{' '.join(random.Random(n).sample(WORDS, k=12))} {n}"


def passage(n, *, document="", **meta):
    return Passage(text(n), (), f"a.jsonl:{n}", meta, document=document)


def by_customer(numbers=range(40), n_customers=10, write=int):
    return [passage(n, customer=write(n % n_customers)) for n in numbers]


def drawn(given, **rules):
    return divide(given, SplitRules(FRACTIONS, **rules))


def split_of(division):
    return {one.text: name for name, found in division.splits.items() for one in found}


def test_set(division, group_by):
    return sorted({one.meta[group_by] for one in division.splits["test"]})


test_set.__test__ = False


@pytest.mark.parametrize("write", [float, str, lambda n: f"{n}.0"])
def test_a_group_is_the_same_however_a_tool_writes_its_number(write):
    first = drawn(by_customer(), group_by="customer")
    again = drawn(by_customer(write=write), group_by="customer", former=first.assigned)
    assert split_of(again) == split_of(first)
    assert again.assigned == first.assigned


def test_groups_of_an_older_file_written_another_way_are_the_same():
    first = drawn(by_customer(), group_by="customer")
    older = {f"{key}.0": split for key, split in first.assigned.groups.items()}
    again = drawn(by_customer(), group_by="customer", former=SplitAssignment.from_json(older))
    assert split_of(again) == split_of(first)
    assert again.assigned == first.assigned


def test_of_a_group_that_an_older_file_has_in_two_splits_the_test_set_keeps_it():
    given = by_customer()
    groups = dict.fromkeys((f"customer={n}" for n in range(10)), "train") | {"customer=1": "dev", "customer=2": "test"}
    former = SplitAssignment.from_json({**groups, "customer=3.0": "test", "customer=2.0": "train"})
    again = drawn(given, group_by="customer", former=former)
    assert test_set(again, "customer") == [2, 3]


def test_groups_whose_names_are_different_texts_of_a_file_stay_apart():
    given = [passage(n, release=release) for n, release in enumerate(["1", "1.0", "01", "2", "3", "4", "5", "6"])]
    keys = drawn(given, group_by="release").assigned.groups
    assert set(keys) == {f"release={name}" for name in ("1", "1.0", "01", "2", "3", "4", "5", "6")}


def test_documents_that_a_tool_counted_anew_stay_where_they_were():
    first = drawn([passage(n, document=str(n)) for n in range(40)], group_by="document")
    anew = [passage(n, document=str(n + 7)) for n in range(40)]
    again = drawn(anew, group_by="document", former=first.assigned)
    assert split_of(again) == split_of(first)
    assert sorted(again.assigned.groups) == sorted(f"document={n + 7}" for n in range(40))


def test_without_a_key_passages_stay_where_their_groups_were():
    first = drawn(by_customer(), group_by="customer")
    again = drawn(by_customer(), former=first.assigned)
    assert split_of(again) == split_of(first)


def test_a_round_that_adds_groups_and_passages_goes_on():
    first = drawn(by_customer(), group_by="customer")
    more = by_customer(range(60), 12)
    more = [one for one in more if one.text not in split_of(first)]
    again = drawn([*by_customer(), *more], group_by="customer", former=first.assigned)
    assert {one: split for one, split in split_of(again).items() if one in split_of(first)} == split_of(first)
    assert not again.changes
    assert again.n_new == 2
    tested = test_set(first, "customer")
    assert again.n_joined == sum(one.meta["customer"] in tested for one in more)


def frozen():
    return drawn(by_customer(), group_by="customer")


def refused(given, first, **rules):
    with pytest.raises(DomainNerError) as error:
        drawn(given, former=first.assigned, **{"group_by": "customer", **rules})
    return str(error.value)


def test_a_group_of_the_test_set_that_is_missing_stops():
    first = frozen()
    gone = test_set(first, "customer")[0]
    told = refused([one for one in by_customer() if one.meta["customer"] != gone], first)
    assert "The test set is frozen (assets/splits.json), but the exports differ from it:" in told
    assert f"  1 of its 3 groups are missing: customer={gone} (4 passages)\n" in told
    assert "--vars.test_changes accept" in told
    assert "delete assets/splits.json" in told


def test_a_passage_of_the_test_set_whose_text_has_changed_stops_and_is_shown():
    first = frozen()
    changed = first.splits["test"][0]
    given = [Passage("another text", (), one.source, one.meta) if one == changed else one for one in by_customer()]
    told = refused(given, first, seen=lambda: {digest(changed.text): "'w1 w2 …' (a.jsonl:3)"})
    customer = changed.meta["customer"]
    expected = f"1 of the 4 passages of customer={customer} are missing or have changed: 'w1 w2 …' (a.jsonl:3)"
    assert expected in told


def test_a_passage_of_the_test_set_that_is_a_group_of_its_own_stops_too():
    given = [passage(n) for n in range(40)]
    first = drawn(given)
    gone = {one.text for one in first.splits["test"][:2]}
    told = refused([one for one in given if one.text not in gone], first, group_by="")
    assert "2 of its 12 passages are missing or have changed" in told


@pytest.mark.parametrize(
    "written",
    [lambda words: words.replace(" ", "\r\n"), lambda words: f" {words}\n", lambda words: normalize("NFD", words)],
)
def test_a_text_is_the_same_however_a_tool_writes_its_white_space_and_accents(written):
    given = [Passage(f"{text(n)} é", (), f"a.jsonl:{n}", {}) for n in range(40)]
    first = drawn(given)
    again = drawn([replace(one, text=written(one.text)) for one in given], former=first.assigned)
    assert split_of(again) == {written(words): name for words, name in split_of(first).items()}
    assert not again.changes and not again.is_anew


def test_passages_of_the_test_set_that_are_of_a_group_of_training_now_stop():
    first = frozen()
    moved = first.splits["test"][0]
    other = first.splits["train"][0].meta["customer"]
    given = [passage(int(one.source[8:]), customer=other) if one == moved else one for one in by_customer()]
    assert f"1 of its passages (customer={moved.meta['customer']}) now belong to train or dev groups" in refused(
        given, first
    )


def test_another_key_that_would_change_the_test_set_is_named():
    given = [passage(n, customer=n % 10, site=n % 4) for n in range(40)]
    first = drawn(given, group_by="customer")
    told = refused(given, first, group_by="site")
    assert "(assets/splits.json, drawn by vars.group_by 'customer', now 'site')" in told


@pytest.mark.parametrize("split", ["train", "dev"])
def test_what_is_missing_elsewhere_stops_nothing_and_may_come_back(split):
    given = [passage(n) for n in range(40)]
    first = drawn(given)
    gone = {first.splits[split][0].text}
    again = drawn([one for one in given if one.text not in gone], former=first.assigned)
    back = drawn(given, former=again.assigned)
    assert split_of(back) == split_of(first)


def test_accepted_changes_are_told_once_and_what_comes_back_is_in_the_test_set():
    first = frozen()
    gone = test_set(first, "customer")[0]
    left = [one for one in by_customer() if one.meta["customer"] != gone]
    accepted = drawn(left, group_by="customer", former=first.assigned, accept_changes=True)
    assert accepted.changes.lines() == [f"1 of its 3 groups are missing: customer={gone} (4 passages)"]
    again = drawn(left, group_by="customer", former=accepted.assigned)
    assert not again.changes
    back = drawn(by_customer(), group_by="customer", former=again.assigned)
    assert split_of(back) == split_of(first)
    assert back.assigned == first.assigned


def test_an_accepted_text_is_the_one_that_is_frozen_from_then_on():
    first = frozen()
    changed = first.splits["test"][0]
    given = [Passage("another text", (), one.source, one.meta) if one == changed else one for one in by_customer()]
    accepted = drawn(given, group_by="customer", former=first.assigned, accept_changes=True)
    assert not drawn(given, group_by="customer", former=accepted.assigned).changes
    assert "are missing or have changed" in refused(by_customer(), accepted)


def test_a_missing_group_of_an_older_file_stops_and_its_texts_are_kept_from_then_on():
    first = frozen()
    older = SplitAssignment.from_json(dict(first.assigned.groups))
    assert drawn(by_customer(), group_by="customer", former=older).assigned == first.assigned
    gone = test_set(first, "customer")[0]
    with pytest.raises(DomainNerError, match=f"1 of its 3 groups are missing: customer={gone}\n"):
        drawn([one for one in by_customer() if one.meta["customer"] != gone], group_by="customer", former=older)


def test_other_data_are_drawn_anew_and_that_is_said():
    first = frozen()
    other = [passage(n + 1000, customer=f"other {n % 10}") for n in range(40)]
    anew = drawn(other, group_by="customer", former=first.assigned)
    assert (anew.is_anew, anew.changes.lines()) == (True, [])
    assert anew.assigned == drawn(other, group_by="customer").assigned


def test_a_group_that_somebody_moves_in_the_file_stays_there():
    first = frozen()
    moved = test_set(first, "customer")[0]
    told = first.assigned.to_json()
    told["groups"][f"customer={moved}"] = "train"
    again = drawn(by_customer(), group_by="customer", former=SplitAssignment.from_json(told))
    assert again.assigned.groups[f"customer={moved}"] == "train"


@pytest.mark.parametrize("group_by", ["customer", ""])
def test_what_a_file_holds_comes_back(group_by):
    kept = drawn(by_customer(), group_by=group_by).assigned
    assert SplitAssignment.from_json(kept.to_json()).to_json() == kept.to_json()
    assert set(kept.to_json()["texts"]) == ({f"customer={n}" for n in range(10)} if group_by else set())


@pytest.mark.parametrize("read", [[], {"groups": {"a=b": "train"}, "texts": []}, {"a=b": "training"}, {"groups": [1]}])
def test_a_file_of_something_else_is_refused(read):
    with pytest.raises(ValueError, match="expected groups and their splits"):
        SplitAssignment.from_json(read)
