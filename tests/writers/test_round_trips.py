"""What a writer writes, its reader reads back as the same spans, whatever characters stand around them."""

import pytest
import spacy
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from domain_ner.annotations.passages import LabelledSpan, Passage
from domain_ner.conversion.exports import ImportSettings, read_annotations
from domain_ner.conversion.importing import import_files
from domain_ner.corpus.tokenizer import create_tokenizer
from domain_ner.readers.folder import find_exports
from domain_ner.writers.formats import export
from domain_ner.writers.options import WriterOptions

OPTIONS = WriterOptions(create_tokenizer()(spacy.blank("en")), lossy=True)
FILES = {
    "prodigy": "x.jsonl", "label_studio": "x.json", "doccano": "x.jsonl", "conll": "x.conll", "hf_json": "x.jsonl",
    "brat": "pairs",
}  # fmt: skip
KEEP_TEXT = [name for name in FILES if name != "conll"]
NESTING = ["prodigy", "label_studio", "doccano", "brat"]
UNKNOWN = ["conll", "hf_json"]
# Ordinary text, so that a file has the evidence by which a reader tells its columns.
ORDINARY = Passage("Payments uses Redis.", (LabelledSpan(0, 8, "TEAM"), LabelledSpan(14, 19, "INFRA")), "a:1")
FAMILY, WOMAN = "\U0001f469\u200d\U0001f469\u200d\U0001f467", "\U0001f469"
PIECES = [
    "Redis", "a", "B-2", "x.y", "'s", "path=/v1", "#MH17", "-DOCSTART-", "O", "_", "-", '"q"', "\\n", ",", ".", "<b>",
    FAMILY, WOMAN, "🔥", "👍🏽", "🇸🇪", "e\u0301", "n\u0303\u0323", "각", "数据库", "שלום", "مرحبا", "\u200f", "\u202e",
    "\u200b", "\u200d", "\ufeff", "\u00ad", " ", "  ", "\u00a0", "\t", "\n", "\r\n", "\r", "\u2028", "\u0085", "\x1c",
]  # fmt: skip
FAST = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@st.composite
def passages(draw, *, nested=True, odd=True):
    """A passage whose spans start and end at anything but white space. odd: with white space that CoNLL cannot hold."""
    pieces = draw(st.lists(st.sampled_from([piece for piece in PIECES if odd or piece == " " or piece.strip()])))
    text = " ".join("".join(pieces).split()) if not odd else "".join(pieces)
    edges = [n for n, char in enumerate(text) if not char.isspace()]
    spans = set()
    for _ in range(draw(st.integers(0, 4)) if edges else 0):
        start, last = sorted([draw(st.sampled_from(edges)), draw(st.sampled_from(edges))])
        span = LabelledSpan(start, last + 1, draw(st.sampled_from(["TEAM", "INFRA", "B-X", "O"])))
        if nested or all(span.end <= other.start or other.end <= span.start for other in spans):
            spans.add(span)
    return Passage(text, tuple(sorted(spans)), "a:2")


def read_back(path, to):
    """The passages of a file whose format is told by its content, as its reader gives them."""
    (*files,) = find_exports(path)
    assert {file.format for file in files} == {to}
    return import_files(files, unit="utf16" if to == "doccano" else None)


def round_trip(tmp_path, to, *given_passages, options=OPTIONS):
    path = tmp_path / FILES[to]
    done = export(given_passages, path, to, options)
    read = read_back(path, to)
    assert not read.ledger.lost_documents
    assert not [row for row in read.ledger.rows if row.outcome == "dropped"]
    return list(read.passages), done


def surfaces(passage):
    return [(passage.text[span.start : span.end], span.label) for span in passage.spans]


@pytest.mark.parametrize("to", NESTING)
@FAST
@given(passage=passages())
def test_text_and_nested_spans_come_back(tmp_path, to, passage):
    # A byte-order mark, to whoever opens the text of a pair.
    assume(to != "brat" or not passage.text.startswith("\ufeff"))
    assume(to != "doccano" or passage.text)
    (_, read), done = round_trip(tmp_path, to, ORDINARY, passage)
    assert (read.text, read.spans) == (passage.text, passage.spans)
    assert not done.lost


@FAST
@given(passage=passages(nested=False))
def test_text_and_spans_come_back_from_hugging_face_rows(tmp_path, passage):
    assume(passage.text.strip())
    (_, read), done = round_trip(tmp_path, "hf_json", ORDINARY, passage)
    assert (read.text, read.spans) == (passage.text, passage.spans)
    assert not done.lost


@FAST
@given(passage=passages(nested=False, odd=False))
def test_text_and_spans_come_back_from_conll(tmp_path, passage):
    assume(passage.text)
    (_, read), done = round_trip(tmp_path, "conll", ORDINARY, passage)
    assert (read.text, read.spans) == (passage.text, passage.spans)
    assert not done.lost


@FAST
@given(passage=passages(nested=False))
def test_conll_keeps_every_span_of_a_text_whose_white_space_it_cannot_keep(tmp_path, passage):
    assume(passage.text.strip())
    (_, read), _ = round_trip(tmp_path, "conll", ORDINARY, passage)
    assert read.text == " ".join(passage.text.split())
    assert surfaces(read) == [(" ".join(words.split()), label) for words, label in surfaces(passage)]


@pytest.mark.parametrize("to", UNKNOWN)
@FAST
@given(passage=passages(nested=False))
def test_what_nobody_annotated_stays_unknown(tmp_path, to, passage):
    assume(passage.text.strip())
    partial = Passage(passage.text, passage.spans, "a:2", partial=True)
    (_, read), _ = round_trip(tmp_path, to, ORDINARY, partial)
    covered = {n for start, end in (*((s.start, s.end) for s in read.spans), *read.unknown) for n in range(start, end)}
    assert {n for n, char in enumerate(read.text) if not char.isspace()} <= covered
    assert surfaces(read) == [
        (" ".join(w.split()), label) if to == "conll" else (w, label) for w, label in surfaces(passage)
    ]


def yes_no(**changes):
    wrong = (LabelledSpan(14, 19, "TEAM"),)
    return Passage(ORDINARY.text, ORDINARY.spans[:1], "a:1", partial=True, rejected=wrong, **changes)


def test_yes_no_answers_come_back_from_prodigy(tmp_path):
    export([yes_no()], tmp_path / "x.jsonl", "prodigy", WriterOptions(OPTIONS.tokenize))
    (read,) = read_annotations(tmp_path).merged
    assert (read.spans, read.rejected, read.partial) == (yes_no().spans, yes_no().rejected, True)


MIXED = {
    "customer": 1, "share": 0.1234567890123456, "is_open": True, "site": "a\n\"b\";\tc", "none": None,
    "tags": ["x", {"y": 2}], "text": "t", "label": "l", "id": "i", "meta": {"a": 1}, "document": "a file",
    "annotator": "who", "tokens": 3,
}  # fmt: skip


@pytest.mark.parametrize("to", KEEP_TEXT)
@pytest.mark.parametrize("document", ["7", "d/1 ü", "", "007", "a" * 300])
def test_meta_annotator_and_document_come_back_as_they_were(tmp_path, to, document):
    given = [
        Passage(ORDINARY.text, ORDINARY.spans, "a:1", MIXED, annotator="ann", document=document),
        Passage(f"{ORDINARY.text} Bye.", ORDINARY.spans, "a:2", {}, document=document),
    ]
    read, done = round_trip(tmp_path, to, *given)
    assert [(one.document, one.annotator, dict(one.meta)) for one in sorted(read, key=lambda one: len(one.text))] == [
        (document, "ann", MIXED), (document, "", {}),
    ]  # fmt: skip
    assert not done.lost


def test_tokens_come_back(tmp_path):
    words, spaces = ("Pay", "ments", "uses", "Redis."), (False, True, True, False)
    given_tokens = Passage(ORDINARY.text, ORDINARY.spans[:1], "a:1", words=words, spaces=spaces)
    for to in ("prodigy", "conll", "hf_json"):
        ((read,), _) = round_trip(tmp_path / to, to, given_tokens)
        assert (read.words, read.spaces) == (words, spaces), to


def test_tokens_whose_spaces_nobody_knows_come_back_so(tmp_path):
    words = ("Payments", "uses", "Redis", ".")
    unknown = Passage("Payments uses Redis .", ORDINARY.spans, "a:1", words=words)
    for to in UNKNOWN:
        ((read,), _) = round_trip(tmp_path / to, to, unknown)
        assert (read.text, read.words, read.spaces) == (unknown.text, words, None), to


def test_doccano_s_unit_is_told_by_the_words(tmp_path):
    text = "🔥 Payments uses 🔥 Redis now"
    spans = tuple(LabelledSpan(text.index(w), text.index(w) + len(w), "X") for w in ("Payments", "Redis"))
    export([Passage(text, spans, "a:1")], tmp_path / "x.jsonl", "doccano", OPTIONS)
    (read,) = read_annotations(tmp_path).merged
    assert read.spans == spans


def test_a_label_studio_task_that_nobody_annotated_stays_one(tmp_path):
    nobody = Passage("Nothing known.", (), "a:2", partial=True)
    (read, *others), done = round_trip(tmp_path, "label_studio", ORDINARY, nobody)
    assert (read.text, others, done.lost) == (ORDINARY.text, [], {})


@pytest.mark.parametrize("to", ["prodigy", "label_studio"])
def test_predictions_are_told_apart_from_annotations(tmp_path, to):
    options = WriterOptions(OPTIONS.tokenize, predictions=True)
    export([ORDINARY], tmp_path / FILES[to], to, options)
    read = read_annotations(tmp_path, ImportSettings())
    taken = {"prodigy": {"accepted": 1}, "label_studio": {"not annotated": 1, "prediction": 1}}
    assert dict(read.documents) == taken[to]
