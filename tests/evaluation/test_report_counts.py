"""Whatever stands twice in a report of an evaluation is recomputed from the entities, and adds up."""

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st
from reported import doc, report

from domain_ner.evaluation.predicting import EvaluatedDoc
from domain_ner.reports.evaluation_markdown import evaluation_markdown
from domain_ner.reports.mistake_counts import count_rows

ANY = st.sets(st.tuples(st.integers(0, 12), st.integers(1, 5), st.sampled_from("ABC")), max_size=7)


def anywhere(some):
    """Entities that may nest and cross, as those of a spancat do."""
    return tuple(sorted({(start, start + n, label) for start, n, label in some}))


PAIRS = st.lists(st.tuples(ANY, ANY), min_size=1, max_size=4)


def of_pairs(pairs):
    """Documents with these entities in gold and predicted, and a report on them."""
    text = "abcdefghijklmnopqrst"
    docs = [
        EvaluatedDoc("a.jsonl:1", text, {}, ((0, 20),), anywhere(gold), anywhere(found), {}) for gold, found in pairs
    ]
    return docs, report(*docs)


def count_labels(docs, side, other=""):
    """Type to how many entities one side has, those left out that the other has too."""
    return Counter(one[2] for doc in docs for one in {*getattr(doc, side)} - {*(getattr(doc, other) if other else ())})


@given(PAIRS)
def test_mistakes_add_up_to_the_entities_behind_precision_and_recall(pairs):
    """Each mistake once: by kind, by type, as the filters of the page count them, and in the table."""
    docs, made = of_pairs(pairs)
    missed, wrong = count_labels(docs, "gold", "predicted"), count_labels(docs, "predicted", "gold")
    kinds = made.mistake_entities
    assert sum(one.n_mistakes for one in kinds.values()) == len(made.mistakes)
    assert sum(one.n_false_negatives for one in kinds.values()) == missed.total()
    assert sum(one.n_false_positives for one in kinds.values()) == wrong.total()
    by_label = Counter((one.kind, one.label) for one in made.mistakes)
    assert by_label == {(kind, label): n for kind, some in made.mistake_counts.items() for label, n in some.items()}
    assert all(kinds[kind].n_mistakes == sum(some.values()) for kind, some in made.mistake_counts.items())
    assert all(one.label == (one.gold or one.predicted)[0].label for one in made.mistakes)
    *rows, (_, sums) = count_rows(made)
    assert {label: numbers[-2] for label, numbers in rows} == {label: missed[label] for label in made.labels}
    assert {label: numbers[-1] for label, numbers in rows} == {label: wrong[label] for label in made.labels}
    assert all(numbers[0] == sum(numbers[1:-2]) for _, numbers in rows)
    assert sums[0] == len(made.mistakes) and sums[-2:] == [missed.total(), wrong.total()]


@given(PAIRS)
def test_confusion_adds_up_to_support_and_to_what_was_predicted(pairs):
    docs, made = of_pairs(pairs)
    support, predicted = count_labels(docs, "gold"), count_labels(docs, "predicted")
    for label in made.labels:
        head = made.headline.by_type[label]
        assert sum(made.confusion[label].values()) == support[label] == head.support
        assert sum(row.get(label, 0) for row in made.confusion.values()) == predicted[label] == head.n_predicted
        assert made.confusion[label][label] >= head.n_correct
    spurious, missing = (made.mistake_entities.get(kind) for kind in ("spurious", "missing"))
    assert sum(made.confusion[""].values()) >= (spurious.n_false_positives if spurious else 0)
    assert sum(row.get("", 0) for row in made.confusion.values()) >= (missing.n_false_negatives if missing else 0)


@given(PAIRS)
def test_schemes_and_slices_hold_every_entity_once(pairs):
    docs, made = of_pairs(pairs)
    n_gold, n_predicted = (count_labels(docs, side).total() for side in ("gold", "predicted"))
    for one in made.schemes.values():
        matched = one.n_correct + one.n_incorrect + one.n_partial
        assert (matched + one.n_missed, matched + one.n_spurious) == (n_gold, n_predicted)
    for some in made.slices.values():
        assert sum(one.n_correct for one in some) == made.headline.micro.n_correct
        assert (sum(one.support for one in some), sum(one.n_predicted for one in some)) == (n_gold, n_predicted)


def test_how_the_counts_go_together_is_told():
    long, part = ("Payments squad", "TEAM"), [("Payments", "TEAM"), ("squad", "TEAM")]
    told = evaluation_markdown(report(doc([long], part), doc([("Redis", "INFRA")], [("Kafka", "INFRA")])))
    assert "The 3 mistakes hold 2 false negatives (2 in gold, 0 of them found) and 3 false positives" in told
    assert "No entity in gold: 2, which are 1 spurious and 1 of mistakes with several entities." in told
    assert "Found as no entity: 1, all of them missing." in told
