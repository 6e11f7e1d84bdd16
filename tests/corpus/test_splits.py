import random

import pytest

from domain_ner.annotations.passages import LabelledSpan, Passage
from domain_ner.corpus.assignments import SplitAssignment
from domain_ner.corpus.file_splits import divide_by_files, pooled
from domain_ner.corpus.splits import SplitRules, divide, parse_fractions
from domain_ner.errors import DomainNerError

FRACTIONS = {"train": 0.7, "dev": 0.1, "test": 0.2}


def passages(n, n_groups):
    return [passage(i, org=f"org {i % n_groups}") for i in range(n)]


def passage(i, *, labels=(), **meta):
    """A text of its own words, so that none is nearly another, with a mention of each of `labels`."""
    words = random.Random(i).sample(WORDS, k=12)
    spans = tuple(LabelledSpan(n, n + 1, label) for n, label in enumerate(labels))
    return Passage(f"{' '.join(words)} {i}", spans, f"a.jsonl:{i}", meta)


WORDS = [f"w{n}" for n in range(400)]


def assign_splits(given, fractions, **rules):
    return divide(given, SplitRules(fractions, **rules)).splits


def texts(splits):
    return {name: {passage.text for passage in found} for name, found in splits.items()}


def test_every_passage_is_in_exactly_one_split():
    splits = assign_splits(passages(100, 10), FRACTIONS, group_by="", seed=0)
    assert sum(len(found) for found in splits.values()) == 100
    assert set.union(*texts(splits).values()) == {passage(i).text for i in range(100)}


def test_shares_are_kept():
    splits = assign_splits(passages(1000, 10), FRACTIONS, group_by="", seed=0)
    assert {name: len(found) for name, found in splits.items()} == {"train": 700, "dev": 100, "test": 200}


def test_groups_stay_whole():
    splits = assign_splits(passages(160, 16), FRACTIONS, group_by="org", seed=3)
    orgs = [{passage.meta["org"] for passage in found} for found in splits.values()]
    assert not (orgs[0] & orgs[1] or orgs[0] & orgs[2] or orgs[1] & orgs[2])
    assert sum(map(len, orgs)) == 16


def test_the_same_text_never_stands_in_two_splits():
    doubled = passages(50, 5) + [passage(i, org=f"other {i}") for i in range(50)]
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
    bare = [passage(i) for i in range(10)]
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


def test_each_type_is_in_each_split_in_proportion():
    given = [passage(i, labels=["RARE"] * (i % 20 == 0) + ["SOME"] * (i % 4 == 0)) for i in range(1000)]
    for found in assign_splits(given, FRACTIONS).values():
        for label, share in [("RARE", 0.05), ("SOME", 0.25)]:
            n_with = sum(any(span.label == label for span in one.spans) for one in found)
            assert n_with / len(found) == pytest.approx(share, abs=0.015)


def test_nearly_the_same_text_stays_together():
    given = passages(80, 80)
    given += [Passage(f"{one.text} once more", (), "b:1", {}) for one in given]
    division = divide(given, SplitRules(FRACTIONS))
    split_of = {one.text: name for name, found in division.splits.items() for one in found}
    assert all(split_of[one.text] == split_of[f"{one.text} once more"] for one in given[:80])


def test_what_was_assigned_stays_and_the_test_set_is_frozen():
    first = divide(passages(100, 100), SplitRules(FRACTIONS))
    more = [passage(i, org=f"org {i}") for i in range(160)]
    second = divide(more, SplitRules(FRACTIONS, seed=9, former=first.assigned))
    before, after = texts(first.splits), texts(second.splits)
    assert before["test"] == after["test"]
    assert before["train"] < after["train"]
    assert before["dev"] < after["dev"]
    assert second.n_new == 60


def test_new_passages_enter_the_test_set_when_told():
    first = divide(passages(100, 100), SplitRules(FRACTIONS))
    more = [passage(i, org=f"org {i}") for i in range(200)]
    second = divide(more, SplitRules(FRACTIONS, former=first.assigned, grow_test=True))
    assert texts(first.splits)["test"] < texts(second.splits)["test"]


def test_a_new_passage_follows_its_group():
    first = divide(passages(100, 10), SplitRules(FRACTIONS, group_by="org"))
    more = [*passages(100, 10), passage(500, org="org 3")]
    second = divide(more, SplitRules(FRACTIONS, group_by="org", former=first.assigned))
    split_of = {one.text: name for name, found in second.splits.items() for one in found}
    assert split_of[more[-1].text] == split_of[more[3].text]


def test_the_assignment_of_other_data_does_not_bind():
    former = SplitAssignment({"org=elsewhere": "train", "org=far": "test"})
    assert all(divide(passages(90, 9), SplitRules(FRACTIONS, group_by="org", former=former)).splits.values())


def test_the_document_of_an_export_can_name_the_group():
    given = [Passage(f"{passage(i).text}", (), "a:1", {}, document=f"d{i % 5}") for i in range(50)]
    splits = assign_splits(given, FRACTIONS, group_by="document")
    documents = [{one.document for one in found} for found in splits.values()]
    assert sum(map(len, documents)) == 5


@pytest.mark.parametrize(
    "files",
    [
        ("train.conll:1", "dev.conll:1", "test.conll:9"),
        ("my-training-set.jsonl:3", "deep/valid/a.json", "deep/test/a.json"),
        ("eng.train:1", "eng.testa:1", "eng.testb:1"),
    ],
)
def test_files_that_are_divided_already_stay_so(files):
    given = [Passage(f"text {n}", (), source) for n, source in enumerate(files)]
    splits = divide_by_files(given).splits
    assert [[one.source for one in splits[name]] for name in ("train", "dev", "test")] == [[file] for file in files]


@pytest.mark.parametrize(
    ("files", "told"),
    [
        (("train.conll", "more.conll"), "the name of more.conll matches no split"),
        (("train/test.conll",), "matches two splits"),
        (("train.conll", "test.conll"), "no file is named after dev"),
    ],
)
def test_files_whose_names_do_not_tell_are_an_error(files, told):
    with pytest.raises(DomainNerError, match=told):
        divide_by_files([Passage(f"text {n}", (), f"{file}:1") for n, file in enumerate(files)])


@pytest.mark.parametrize(
    ("files", "told"),
    [
        (["train.conll", "dev.conll", "test.conll"], 'set splits: "files" in project.yml.'),
        (["eng.train", "eng.testa", "eng.testb"], "eng.train, eng.testa, eng.testb look divided already"),
        (["train/1.json", "train/2.json", "validation/1.json", "test/1.json"], "train/1.json and 1 more, validation/1"),
        (["train.txt", "test.txt"], "That needs a file named after dev."),
        (["train.txt", "valid.txt", "test.txt", "more.txt"], "That needs a name with its split for more.txt."),
    ],
)
def test_files_that_look_divided_and_are_pooled_are_told(files, told):
    assert told in pooled(files)


@pytest.mark.parametrize("files", [["test.jsonl"], ["a.jsonl", "b.jsonl"], ["train1.json", "train-2.json"], ["attest"]])
def test_files_that_do_not_look_divided_are_no_word(files):
    assert pooled(files) == ""


def test_a_split_left_empty_by_an_earlier_assignment_says_so():
    groups = divide(passages(100, 10), SplitRules(FRACTIONS, group_by="org")).assigned.groups
    former = SplitAssignment(dict.fromkeys(groups, "train"))
    with pytest.raises(DomainNerError, match="dev and test split would be empty: the splits of an earlier run put"):
        divide(passages(100, 10), SplitRules(FRACTIONS, group_by="org", former=former))
