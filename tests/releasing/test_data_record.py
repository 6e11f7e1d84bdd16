"""What a version learned from, without text, and what changed from one record to another."""

import random
import re
from collections import Counter

import spacy
from releases import NAMES, corpus, text_of
from spacy.tokens import DocBin

from domain_ner.corpus.assignments import digest
from domain_ner.releasing.data import PassageRecord, compare_data, from_lines, learned, read_data, summary, to_lines


def record(split, text, *annotations):
    return PassageRecord(split, digest(text), frozenset(annotations))


def test_a_record_holds_no_word_of_the_texts_and_is_read_as_it_was_written(tmp_path):
    data = read_data(corpus(tmp_path))
    text = to_lines(data)
    assert from_lines(text) == data
    words = {
        word for doc_text in (text_of(0, name) for name in NAMES) for word in re.findall(r"[A-Za-z]{3,}", doc_text)
    }
    assert words >= {"Ticket", "Redis"} and not {word for word in words if word in text}


def test_a_summary_counts_passages_and_annotations_by_split(tmp_path):
    counted = summary(read_data(corpus(tmp_path, n_train=6)), tmp_path)
    assert counted.passages == {"train": 6, "dev": 3, "test": 24}
    assert counted.annotations["INFRA"] == {"train": 4, "dev": 2, "test": 12}
    assert counted.annotations["TEAM"] == {"train": 2, "dev": 1, "test": 12}


def test_what_a_pipeline_learned_is_train_and_dev(tmp_path):
    data = read_data(corpus(tmp_path))
    assert digest(text_of(0, "Redis")) in learned(data)
    assert digest(text_of(200, "Redis")) not in learned(data)


def test_other_white_space_and_accents_change_nothing(tmp_path):
    records = []
    for n, text in enumerate(("Cafe\u0301  team\nruns Redis.", "Caf\u00e9 team runs Redis.")):
        nlp = spacy.blank("en")
        doc = nlp.make_doc(text)
        start = text.index("Redis")
        doc.ents = [doc.char_span(start, start + 5, "INFRA")]
        folder = tmp_path / str(n)
        folder.mkdir()
        for split in ("train", "dev", "test"):
            DocBin(docs=[doc]).to_disk(folder / f"{split}.spacy")
        records.append(read_data(folder))
    assert records[0] == records[1]


def test_passages_that_are_new_gone_and_moved_are_counted_by_split():
    before = [record("train", "a"), record("train", "b"), record("test", "c")]
    now = [record("dev", "b"), record("test", "c"), record("train", "d")]
    changes = compare_data(before, now)
    rows = {split: (row.before, row.added, row.removed, row.now) for split, row in changes.by_split.items()}
    assert rows == {"train": (2, 1, 2, 1), "dev": (0, 1, 0, 1), "test": (1, 0, 0, 1)}
    assert changes.n_moved == 1 and changes


def test_annotations_with_other_boundaries_and_other_types_are_told_apart():
    before = [record("train", "a", (0, 3, "X"), (5, 9, "X"), (20, 22, "Y"))]
    now = [record("train", "a", (0, 4, "X"), (5, 9, "Y"), (30, 32, "Y"))]
    changes = compare_data(before, now)
    assert (changes.n_boundaries, changes.n_types) == (1, 1)
    rows = {label: (row.before, row.added, row.removed, row.now) for label, row in changes.by_type.items()}
    assert rows == {"X": (2, 1, 2, 1), "Y": (1, 2, 1, 2)}


def test_nothing_changed_is_false():
    data = [record("train", "a", (0, 3, "X")), record("train", "a", (0, 3, "X"))]
    assert not compare_data(data, data)


def test_the_counts_balance_and_agree_with_a_count_by_hand():
    rng = random.Random(3)
    for _ in range(50):
        sides = [
            [
                record(
                    rng.choice(["train", "dev", "test"]),
                    f"text {rng.randrange(6)}",
                    (rng.randrange(3), 9, "XY"[rng.randrange(2)]),
                )
                for _ in range(rng.randrange(8))
            ]
            for _ in range(2)
        ]
        changes = compare_data(*sides)
        for rows in (changes.by_split, changes.by_type):
            assert all(row.before + row.added - row.removed == row.now for row in rows.values())
        of_type = [Counter(label for one in side for _, _, label in one.annotations) for side in sides]
        assert {label: (row.before, row.now) for label, row in changes.by_type.items()} == {
            label: (of_type[0][label], of_type[1][label]) for label in of_type[0] | of_type[1]
        }
