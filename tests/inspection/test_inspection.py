"""What `inspect` shows: whose annotation is whose, what is suspicious, and the wordpieces."""

import json

import pytest
from inspected import TOKENIZE, inspected, make, row
from spacy.tokens import Span

from domain_ner.annotations.outcomes import (
    DROPPED,
    FLATTENED,
    IMPORTED,
    MASKED,
    MERGED,
    OVERRULED,
    REJECTED,
    REPAIRED,
    UNREADABLE_DOCUMENT,
)
from domain_ner.conversion.ledger import Ledger
from domain_ner.conversion.ledger_rows import Row
from domain_ner.corpus.docs import DocRules, to_docbin
from domain_ner.encoders.card import EncoderCard
from domain_ner.errors import DomainNerError
from domain_ner.inspection import passages as inspection
from domain_ner.inspection.ledger_places import UNACCOUNTED, locate_rows
from domain_ner.inspection.passages import (
    LENGTH,
    OTHERWISE,
    PIECES,
    SKIPPED,
    SPLIT_IN_GOLD,
    UNKNOWN,
    Finding,
    Inspected,
    inspect,
    most_suspicious,
)
from domain_ner.inspection.wordpieces import load_tokenizer, visible, wordpieces


def found(passage):
    return {finding.reason for finding in passage.findings}


def placed(annotations):
    return [(one.row.text, one.row.outcome, one.start) for one in annotations]


def test_a_span_has_the_row_of_its_words_and_label():
    doc, rows = make("Redis and Ops", ("Redis", "INFRA"), ("Ops", "TEAM"))
    (annotations,), unplaced = locate_rows([doc], rows)
    assert (placed(annotations), unplaced) == ([("Redis", IMPORTED, 0), ("Ops", IMPORTED, 10)], [])


def test_of_equal_words_each_span_has_the_row_that_starts_there():
    doc, _ = make("Ops met Ops")
    doc.spans["sc"] = [Span(doc, 0, 1, "TEAM"), Span(doc, 2, 3, "TEAM")]
    rows = [row("a:1", "Ops", "TEAM", IMPORTED, start=start) for start in (8, 0)]
    (annotations,), _ = locate_rows([doc], rows)
    assert {(one.row.start, one.start) for one in annotations} == {(0, 0), (8, 8)}


def test_a_span_that_was_changed_still_has_its_row():
    rules = DocRules(TOKENIZE, misaligned="expand")
    doc, rows = make("see UNION2024 now", ("UNION", "ORG"), rules=rules)
    (annotations,), _ = locate_rows([doc], rows)
    assert placed(annotations) == [("UNION", REPAIRED, 4)]


def test_an_annotation_that_is_not_in_the_corpus_stands_beside_its_passage_without_a_place():
    doc, rows = make("Redis is up", ("Redis", "INFRA"))
    (annotations,), _ = locate_rows([doc], [*rows, row("a:1", "up", "?", DROPPED, ["why"])])
    assert ("up", DROPPED, None) in placed(annotations)


def test_a_span_that_the_ledger_does_not_have_is_told():
    doc, _ = make("Redis is up", ("Redis", "INFRA"))
    (annotations,), _ = locate_rows([doc], [])
    assert placed(annotations) == [("Redis", UNACCOUNTED, 0)]


@pytest.mark.parametrize(
    ("fate", "how"),
    [
        (MERGED, "the same span elsewhere: a:1"),
        (MERGED, "the same answer elsewhere: a:1"),
        (OVERRULED, "kept instead: a:1"),
        (OVERRULED, "the text is annotated in full elsewhere: a:1"),
    ],
)
def test_a_copy_of_a_text_stands_beside_the_passage_that_was_kept(fate, how):
    doc, rows = make("Redis is up", ("Redis", "INFRA"))
    (annotations,), unplaced = locate_rows([doc], [*rows, row("b:7", "Redis", "INFRA", fate, [how])])
    assert (len(annotations), unplaced) == (2, [])


def test_a_copy_of_a_copy_is_followed_to_the_passage():
    doc, rows = make("Redis is up", ("Redis", "INFRA"))
    second = row("b:7", "Redis", "INFRA", MERGED, ["the same span elsewhere: a:1"])
    third = row("c:9", "is", "TEAM", MERGED, ["the same span elsewhere: b:7"])
    (annotations,), unplaced = locate_rows([doc], [*rows, second, third])
    assert (len(annotations), unplaced) == (3, [])


def test_copies_that_name_each_other_belong_to_no_passage():
    one, other = (row(f"{a}:1", "x", "T", MERGED, [f"the same span elsewhere: {b}:1"]) for a, b in ("bc", "cb"))
    assert locate_rows([], [one, other]) == ([], [one, other])


def test_an_annotation_without_a_reason_that_names_a_passage_is_found_by_the_id_in_its_file():
    doc, _ = make("Redis is up")
    doc.user_data["document"] = "7"
    same, other = (row(f"{file}:2", "up", "TEAM", MASKED, ["1 of 2"], document="7") for file in "ab")
    (annotations,), unplaced = locate_rows([doc], [same, other])
    assert ([one.row for one in annotations], unplaced) == ([same], [other])


def test_rejected_and_unreadable_documents_belong_to_no_passage():
    doc, rows = make("Redis is up", ("Redis", "INFRA"))
    lost = [row("a:2", "Ops", "TEAM", REJECTED), row("a:3", "", "", UNREADABLE_DOCUMENT, ["invalid JSON"])]
    result = inspected((doc, rows), extra=lost)
    assert list(result.unplaced) == lost
    assert result.outcomes() == {IMPORTED: 1, REJECTED: 1, UNREADABLE_DOCUMENT: 1}


@pytest.mark.parametrize("fate", [DROPPED, MASKED, OVERRULED])
def test_an_annotation_that_was_not_taken_is_suspicious(fate):
    made = make("Redis is up", ("Redis", "INFRA"))
    (passage,) = inspected(made, extra=[row("a:1", "up", "INFRA", fate, ["why"])]).passages
    assert [(one.reason, one.words) for one in passage.findings] == [(fate, "'up' (INFRA, 0-2): why")]


def test_a_repaired_annotation_is_suspicious():
    rules = DocRules(TOKENIZE, misaligned="expand")
    (passage,) = inspected(make("see UNION2024 now", ("UNION", "ORG"), rules=rules)).passages
    assert found(passage) == {REPAIRED}


def test_a_token_that_only_the_gold_document_splits_is_suspicious():
    (passage,) = inspected(make("see UNION2024 now", ("UNION", "ORG"))).passages
    assert found(passage) == {SPLIT_IN_GOLD}


def test_a_flattened_annotation_is_suspicious():
    (passage,) = inspected(make("University of Bonn", ("University of Bonn", "ORG"), ("Bonn", "LOC"))).passages
    assert found(passage) == {FLATTENED}


def test_the_rarer_label_of_the_same_words_is_suspicious():
    labels = ["INFRA", "INFRA", "TEAM"]
    made = [make(f"Redis {n}", ("Redis", label), source=f"a:{n}") for n, label in enumerate(labels)]
    passages = inspected(*made).passages
    assert [found(passage) for passage in passages] == [set(), set(), {OTHERWISE}]
    assert passages[2].findings[0].words == "'Redis' is TEAM here, elsewhere INFRA (2)"


def test_of_two_labels_as_frequent_both_are_suspicious():
    made = [make(f"Redis {n}", ("Redis", label), source=f"a:{n}") for n, label in enumerate(["INFRA", "TEAM"])]
    assert [found(passage) for passage in inspected(*made).passages] == [{OTHERWISE}, {OTHERWISE}]


def skipping(**fields):
    made = [make(f"Redis {n}", ("Redis", "INFRA"), source=f"a:{n}") for n in range(4)]
    return inspected(*made, make("ask Redis", source="a:9", **fields)).passages[-1]


def test_a_name_that_is_annotated_everywhere_else_is_suspicious():
    (finding,) = skipping().findings
    assert (finding.reason, finding.start, finding.end) == (SKIPPED, 4, 9)


def test_a_name_of_which_nothing_is_known_is_not_suspicious():
    assert skipping(partial=True).findings == ()


def test_a_name_much_longer_than_its_type_is_suspicious():
    made = [make(f"see Redis{n} now", (f"Redis{n}", "INFRA"), source=f"a:{n}") for n in range(30)]
    long = make("one two three four five six", ("one two three four five six", "INFRA"), source="a:99")
    *others, last = inspected(*made, long).passages
    assert found(last) == {LENGTH}
    assert not any(found(passage) for passage in others)


def test_a_reason_counts_three_times_at_most():
    doc, _ = make("x")
    many = Inspected("train", doc, (), (Finding(DROPPED, ""),) * 9)
    assert many.score == 15


def test_the_most_suspicious_come_first_and_equals_keep_their_order():
    doc, _ = make("x")
    passages = [Inspected(name, doc, (), (Finding(DROPPED, ""),) * n) for name, n in [("a", 0), ("b", 2), ("c", 0)]]
    assert [passage.split for passage in most_suspicious(passages)] == ["b", "a", "c"]


def test_a_draw_is_the_same_for_the_same_seed_and_never_too_long():
    passages = list(range(100))
    assert inspection.at_random(passages, 5, seed=1) == inspection.at_random(passages, 5, seed=1)
    assert inspection.at_random(passages, 5, seed=1) != inspection.at_random(passages, 5, seed=2)
    assert sorted(inspection.at_random(passages, 500, seed=0)) == passages


def test_tags_are_biluo_and_missing_values_a_dash():
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


@pytest.mark.parametrize(
    ("token", "seen"),
    [("Redis", "Redis"), ("\n\n", "⏎⏎"), (" \t", "␣⇥"), ("\ufe0f", "U+FE0F"), ("a\u200bb", "aU+200Bb"), ("क्षि", "क्षि")],
)
def test_what_cannot_be_seen_is_shown(token, seen):
    assert visible(token) == seen


def card(path):
    return EncoderCard("tiny", "bert", str(path), "", "", "", {}, 0.1, 8, 512)


@pytest.fixture(scope="module")
def tokenizer(tiny_encoder):
    return load_tokenizer(card(tiny_encoder("bert")))


def test_each_token_has_the_wordpieces_that_cover_it(tokenizer):
    doc, _ = make("the checkout is up")
    pieces = [found.pieces for found in wordpieces(doc, tokenizer)]
    assert ["".join(piece.removeprefix("##") for piece in of) for of in pieces] == [token.text for token in doc]
    assert len(pieces[1]) > 1


def test_what_the_encoder_does_not_know_is_flagged_and_suspicious(tokenizer):
    made = make("up 𓂀\n\n!")
    assert [found.unknown for found in wordpieces(made[0], tokenizer)] == [False, True, False, False]
    (passage,) = inspected(made, tokenizer=tokenizer).passages
    assert passage.reasons() == {UNKNOWN: ["𓂀"]}


def test_a_token_that_the_encoder_leaves_out_is_flagged(tokenizer):
    doc, _ = make("up \ufffd !")  # BERT takes the replacement character out of the text
    assert [found.unknown for found in wordpieces(doc, tokenizer)] == [False, True, False]


def test_a_token_of_very_many_wordpieces_is_suspicious(tokenizer):
    (passage,) = inspected(make("up qzxqzxqzxqzxqzxqzxqzx"), tokenizer=tokenizer).passages
    assert found(passage) == {PIECES}


def test_wordpieces_of_bytes_are_shown_as_the_letters_they_stand_for(tiny_encoder):
    doc, _ = make("the Überblick")
    names = "".join(
        piece for of in wordpieces(doc, load_tokenizer(card(tiny_encoder("roberta")))) for piece in of.pieces
    )
    assert "berblick" in names
    assert "Ã" not in names


def test_an_encoder_without_a_transformer_has_no_wordpieces():
    assert load_tokenizer(card("")) is None


def test_a_tokenizer_that_is_not_there_is_told(tmp_path):
    with pytest.raises(DomainNerError, match="Run fetch-encoder"):
        load_tokenizer(card(tmp_path))


def test_corpus_and_ledger_are_read_as_convert_writes_them(tmp_path):
    doc, rows = make("Redis is up", ("Redis", "INFRA"))
    for split in ("train", "dev", "test"):
        to_docbin([doc]).to_disk(tmp_path / f"{split}.spacy")
    ledger = Ledger(rows, lost_documents=[("a:2", "invalid JSON")])
    (tmp_path / "ledger.jsonl").write_text("".join(f"{line}\n" for line in ledger.to_jsonl()), encoding="utf8")
    assert [split for split, _ in inspection.read_corpus(tmp_path)] == ["train", "dev", "test"]
    read = inspection.read_ledger(tmp_path / "ledger.jsonl")
    assert read == [*rows, Row("a:2", "", "", "", "", "", "", UNREADABLE_DOCUMENT, ["invalid JSON"])]


def test_odd_line_ends_and_broken_characters_in_the_ledger_are_no_fault(tmp_path):
    ledger = Ledger([row("a:1", "one\u2028two\ud83d", "T", DROPPED, ["why\ud83d"])])
    (tmp_path / "ledger.jsonl").write_text("".join(f"{line}\n" for line in ledger.to_jsonl()), encoding="utf8")
    (read,) = inspection.read_ledger(tmp_path / "ledger.jsonl")
    assert (read.text, read.reasons) == ("one\u2028two\\ud83d", ["why\\ud83d"])


def test_an_empty_document_is_shown_as_any_other(tokenizer):
    (passage,) = inspected(make(""), tokenizer=tokenizer).passages
    assert (passage.score, wordpieces(passage.doc, tokenizer)) == (0, [])
    assert inspection.shown_tokens(passage, 80) == range(0)


def test_a_missing_corpus_is_told(tmp_path):
    with pytest.raises(DomainNerError, match=r"(?s)train\.spacy.*Run convert first"):
        inspection.read_corpus(tmp_path)


def test_a_missing_ledger_is_told(tmp_path):
    with pytest.raises(DomainNerError, match=r"(?s)ledger\.jsonl.*Run convert first"):
        inspection.read_ledger(tmp_path / "ledger.jsonl")


@pytest.mark.parametrize("line", ["{", '{"surprise": 1}', json.dumps({"source": "a:1", "fate": "eaten"})])
def test_another_file_in_the_place_of_the_ledger_is_told(tmp_path, line):
    (tmp_path / "ledger.jsonl").write_text(line)
    with pytest.raises(DomainNerError, match="is not a ledger of convert"):
        inspection.read_ledger(tmp_path / "ledger.jsonl")


def test_an_unknown_split_is_told():
    with pytest.raises(DomainNerError, match="expected train, dev, test"):
        inspection.check_split("dve")


def test_one_split_is_shown_alone_but_compared_with_the_others():
    made = [make(f"Redis {n}", ("Redis", "INFRA"), source=f"a:{n}") for n in range(4)]
    bare, _ = make("ask Redis", source="a:9")
    docs = [*[("train", doc) for doc, _ in made], ("dev", bare)]
    result = inspection.of_split(inspect(docs, [row for _, rows in made for row in rows]), "dev")
    assert [found(passage) for passage in result.passages] == [{SKIPPED}]
