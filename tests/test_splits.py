import random

import pytest

from domain_ner.errors import DomainNerError
from domain_ner.passages import Passage
from domain_ner.splits import assign_splits, parse_fractions

FRACTIONS = {"train": 0.7, "dev": 0.1, "test": 0.2}


def passages(n, n_groups):
    return [Passage(f"text {i}", (), f"a.jsonl:{i}", {"org": f"org {i % n_groups}"}) for i in range(n)]


def texts(splits):
    return {name: {passage.text for passage in found} for name, found in splits.items()}


def test_every_passage_is_in_exactly_one_split():
    splits = assign_splits(passages(100, 10), FRACTIONS, group_by="", seed=0)
    assert sum(len(found) for found in splits.values()) == 100
    assert set.union(*texts(splits).values()) == {f"text {i}" for i in range(100)}


def test_shares_are_kept():
    splits = assign_splits(passages(1000, 10), FRACTIONS, group_by="", seed=0)
    assert {name: len(found) for name, found in splits.items()} == {"train": 700, "dev": 100, "test": 200}


def test_groups_stay_whole():
    splits = assign_splits(passages(160, 16), FRACTIONS, group_by="org", seed=3)
    orgs = [{passage.meta["org"] for passage in found} for found in splits.values()]
    assert not (orgs[0] & orgs[1] or orgs[0] & orgs[2] or orgs[1] & orgs[2])
    assert sum(map(len, orgs)) == 16


def test_the_same_text_never_stands_in_two_splits():
    doubled = passages(50, 5) + [Passage(f"text {i}", (), f"b.jsonl:{i}", {"org": f"other {i}"}) for i in range(50)]
    splits = texts(assign_splits(doubled, FRACTIONS, group_by="org", seed=1))
    assert not (splits["train"] & splits["test"] or splits["train"] & splits["dev"] or splits["dev"] & splits["test"])


def test_the_order_of_the_passages_does_not_matter():
    given = passages(90, 9)
    shuffled = random.Random(0).sample(given, k=len(given))
    one, other = (assign_splits(order, FRACTIONS, group_by="org", seed=5) for order in (given, shuffled))
    assert texts(one) == texts(other)


def test_another_seed_gives_other_splits():
    one, other = (assign_splits(passages(90, 90), FRACTIONS, group_by="", seed=seed) for seed in (0, 1))
    assert texts(one) != texts(other)


def test_passages_without_the_key_are_groups_of_their_own():
    bare = [Passage(f"text {i}", (), "a:1") for i in range(10)]
    splits = assign_splits(bare, FRACTIONS, group_by="org", seed=0)
    assert [len(found) for found in splits.values()] == [7, 1, 2]


def test_too_few_groups_is_an_error_that_names_the_empty_split():
    with pytest.raises(DomainNerError, match=r"test split would be empty: there are 2 groups by meta\.org"):
        assign_splits(passages(10, 2), FRACTIONS, group_by="org", seed=0)


def test_too_few_passages_is_an_error():
    with pytest.raises(DomainNerError, match="dev and test split would be empty: there are 1 distinct passages"):
        assign_splits(passages(1, 1), FRACTIONS, group_by="", seed=0)


@pytest.mark.parametrize("text", ["0.7,0.3", "0.7,0.2,0.2", "a,b,c", "", "1.2,-0.1,-0.1", "0.8,0.2,0"])
def test_shares_that_make_no_sense_are_an_error(text):
    with pytest.raises(DomainNerError, match="three positive shares"):
        parse_fractions(text)


def test_shares_are_read():
    assert parse_fractions("0.8, 0.1, 0.1") == {"train": 0.8, "dev": 0.1, "test": 0.1}
