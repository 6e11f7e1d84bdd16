"""What `inspect` reads, and which passages and tokens it shows."""

import json

import pytest
from inspected import make, reasons, row

from domain_ner.annotations.outcomes import DROPPED, UNREADABLE_DOCUMENT
from domain_ner.conversion.ledger import Ledger
from domain_ner.conversion.ledger_rows import Row
from domain_ner.corpus.docs import to_docbin
from domain_ner.errors import DomainNerError
from domain_ner.inspection import passages as inspection
from domain_ner.inspection.passages import PIECES, SKIPPED, Finding, Inspected, inspect


def test_a_random_sample_depends_on_the_seed_and_is_never_too_long():
    passages = list(range(100))
    assert inspection.at_random(passages, 5, seed=1) == inspection.at_random(passages, 5, seed=1)
    assert inspection.at_random(passages, 5, seed=1) != inspection.at_random(passages, 5, seed=2)
    assert sorted(inspection.at_random(passages, 500, seed=0)) == passages


def test_tags_are_biluo_and_missing_values_are_dashes():
    doc, _ = make("Anna B Smith met Bob", ("Anna B Smith", "PER"), ("Bob", "PER"), partial=True)
    assert inspection.biluo_tags(doc) == ["B-PER", "I-PER", "L-PER", "-", "U-PER"]


def test_a_long_passage_is_cut_around_its_most_suspicious_place():
    doc, _ = make(" ".join(f"w{n}" for n in range(200)))
    plain = Inspected("train", doc, (), ())
    late = Inspected(
        "train", doc, (), (Finding(PIECES, "", 0, 2), Finding(SKIPPED, "", doc[150].idx, doc[150].idx + 1))
    )
    end = Inspected("train", doc, (), (Finding(SKIPPED, "", doc[199].idx, len(doc.text)),))
    shown = [inspection.shown_tokens(passage, 20) for passage in (plain, late, end)]
    assert shown == [range(20), range(140, 160), range(180, 200)]
    assert inspection.shown_tokens(plain, 500) == range(200)


def test_corpus_and_ledger_are_read_as_convert_writes_them(tmp_path):
    doc, rows = make("Redis is up", ("Redis", "INFRA"))
    for split in ("train", "dev", "test"):
        to_docbin([doc]).to_disk(tmp_path / f"{split}.spacy")
    ledger = Ledger(rows, lost_documents=[("a:2", "invalid JSON")])
    (tmp_path / "ledger.jsonl").write_text("".join(f"{line}\n" for line in ledger.to_jsonl()), encoding="utf8")
    assert [split for split, _ in inspection.read_corpus(tmp_path)] == ["train", "dev", "test"]
    read = inspection.read_ledger(tmp_path / "ledger.jsonl")
    assert read == [*rows, Row("a:2", "", "", "", "", "", "", UNREADABLE_DOCUMENT, ["invalid JSON"])]


def test_odd_line_ends_and_broken_characters_in_the_ledger_are_read(tmp_path):
    ledger = Ledger([row("a:1", "one\u2028two\ud83d", "T", DROPPED, ["why\ud83d"])])
    (tmp_path / "ledger.jsonl").write_text("".join(f"{line}\n" for line in ledger.to_jsonl()), encoding="utf8")
    (read,) = inspection.read_ledger(tmp_path / "ledger.jsonl")
    assert (read.text, read.reasons) == ("one\u2028two\\ud83d", ["why\\ud83d"])


def test_a_missing_corpus_is_an_error(tmp_path):
    with pytest.raises(DomainNerError, match=r"(?s)train\.spacy.*Run convert first"):
        inspection.read_corpus(tmp_path)


def test_a_missing_ledger_is_an_error(tmp_path):
    with pytest.raises(DomainNerError, match=r"(?s)ledger\.jsonl.*Run convert first"):
        inspection.read_ledger(tmp_path / "ledger.jsonl")


@pytest.mark.parametrize("line", ["{", '{"surprise": 1}', json.dumps({"source": "a:1", "fate": "eaten"})])
def test_a_file_that_is_not_a_ledger_is_an_error(tmp_path, line):
    (tmp_path / "ledger.jsonl").write_text(line)
    with pytest.raises(DomainNerError, match="is not a ledger of convert"):
        inspection.read_ledger(tmp_path / "ledger.jsonl")


def test_an_unknown_split_is_an_error():
    with pytest.raises(DomainNerError, match="expected train, dev, test"):
        inspection.check_split("dve")


def test_one_split_is_shown_alone_but_compared_with_the_others():
    made = [make(f"Redis {n}", ("Redis", "INFRA"), source=f"a:{n}") for n in range(4)]
    bare, _ = make("ask Redis", source="a:9")
    docs = [*[("train", doc) for doc, _ in made], ("dev", bare)]
    result = inspection.of_split(inspect(docs, [row for _, rows in made for row in rows]), "dev")
    assert [reasons(passage) for passage in result.passages] == [{SKIPPED}]
