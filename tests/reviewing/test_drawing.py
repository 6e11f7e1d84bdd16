"""Which passages a sample has: known probabilities, any order of the documents, each beginning a sample."""

from collections import Counter

import pytest

from domain_ner.errors import DomainNerError
from domain_ner.reviewing.drawing import draw_sample, extend_sample
from domain_ner.reviewing.population import Passage, Scanned
from domain_ner.reviewing.strata import KINDS

IDENTITY = {"name": "en_rules", "version": "1.0.0", "sha256": "0" * 64, "domain_ner": "0.1.0"}


def passage(number, found=(), candidate=0.0):
    entities = tuple(((n, n + 1, label), confidence) for n, (label, confidence) in enumerate(found))
    places = tuple(entity for entity, _ in entities)
    return Passage(f"{number:016x}", f"d{number}", number, entities, places, (("A", candidate / 2),), candidate)


def scanned(n=1000):
    """One passage in ten with an A, of these half doubtful; one in a hundred with a B; the rest empty."""
    passages = [
        passage(n, [("A", 0.99 if n % 20 else 0.4)]) if n % 10 == 0
        else passage(n, [("B", 0.9)]) if n % 100 == 1
        else passage(n, candidate=0.3 if n % 7 == 0 else 0.0)
        for n in range(n)
    ]  # fmt: skip
    return Scanned(passages, n_documents=n, labels=["A", "B"])


def draw(given, n=100, **settings):
    return draw_sample(given, IDENTITY, n=n, is_blind=True, **settings)


def test_the_strata_are_what_is_found_and_how_surely():
    sample = draw(scanned(10_000), n=200).sample
    assert {stratum.name: stratum.n_passages for stratum in sample.strata} == {
        f"{KINDS[0]}": 100, f"{KINDS[1]}, doubtful": 500, f"{KINDS[1]}": 500,
        f"{KINDS[3]}, doubtful": 1272, f"{KINDS[3]}": 7628,
    }  # fmt: skip
    assert sum(stratum.n_drawn for stratum in sample.strata) == len(sample.tasks) == 200
    assert min(stratum.n_drawn for stratum in sample.strata) >= 8


def test_the_design_holds_the_totals_of_each_stratum():
    strata = draw(scanned()).sample.strata
    assert sum(one.by_type["A"].n_predicted for one in strata) == 100
    assert sum(one.by_type["B"].n_passages_with for one in strata) == 10
    assert all(one.all.n_predicted == sum(part.n_predicted for part in one.by_type.values()) for one in strata)


def test_every_passage_of_a_stratum_is_drawn_equally_often():
    """Over 400 seeds; the counts vary as those of binomial draws do."""
    given = scanned(100)
    counts, samples = Counter(), 400
    for seed in range(samples):
        sample = draw(given, n=30, seed=seed).sample
        counts.update(task.id for task in sample.tasks)
    stratum_of = {task.id: task.stratum for task in extend_sample(sample, given, 70).sample.tasks}
    for number, stratum in enumerate(sample.strata):
        p = stratum.n_drawn / stratum.n_passages
        members = [name for name, of in stratum_of.items() if of == number]
        assert len(members) == stratum.n_passages
        assert all(abs(counts[name] - samples * p) < 5 * (samples * p * (1 - p)) ** 0.5 + 1e-9 for name in members)


def test_the_order_of_the_documents_changes_nothing():
    given = scanned()
    turned = Scanned(given.passages[::-1], n_documents=1000, labels=given.labels)
    assert draw(given, seed=4).sample == draw(turned, seed=4).sample


def test_each_beginning_of_the_tasks_has_about_the_shares_of_the_strata():
    sample = draw(scanned(), n=200).sample
    for n_first in (50, 100, 150):
        counts = Counter(task.stratum for task in sample.tasks[:n_first])
        for number, stratum in enumerate(sample.strata):
            assert abs(counts[number] - stratum.n_drawn * n_first / 200) <= 2


def test_a_sample_is_extended_by_passages_of_the_same_strata():
    given = scanned()
    first = draw(given).sample
    drawn = extend_sample(first, given, 150)
    assert drawn.sample.tasks[:100] == first.tasks
    assert len({task.digest for task in drawn.sample.tasks}) == 250
    assert [task.digest for task in drawn.sample.tasks[100:]] == [one.digest for one in drawn.passages]
    assert all(after.n_drawn >= before.n_drawn for after, before in zip(drawn.sample.strata, first.strata, strict=True))


def test_a_sample_of_all_passages_cannot_be_extended():
    given = scanned(50)
    sample = draw(given, n=80).sample
    assert len(sample.tasks) == 50
    with pytest.raises(DomainNerError, match="All 50 passages are in the sample already"):
        extend_sample(sample, given, 10)


def test_strata_for_one_type_leave_the_others_aside():
    sample = draw(scanned(), types=["B"]).sample
    assert [stratum.n_passages for stratum in sample.strata if not stratum.name.startswith(KINDS[3])] == [10]
    assert sum(one.by_type["A"].n_predicted for one in sample.strata) == 100
