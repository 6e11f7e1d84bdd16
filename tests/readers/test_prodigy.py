import json
import re

import pytest

from domain_ner.annotations.records import FileLog, ReaderOptions, Sample, SourceSpan
from domain_ner.errors import DomainNerError
from domain_ner.readers import prodigy
from domain_ner.readers.text_files.decoding import read_sample

TEXT = "Payments uses Redis."
TEAM = {"start": 0, "end": 8, "label": "TEAM"}
INFRA = {"start": 14, "end": 19, "label": "INFRA"}
TOKENS = [
    {"text": "Payments", "start": 0, "end": 8, "id": 0, "ws": True},
    {"text": "uses", "start": 9, "end": 13, "id": 1, "ws": True},
    {"text": "Redis", "start": 14, "end": 19, "id": 2, "ws": False},
    {"text": ".", "start": 19, "end": 20, "id": 3, "ws": False},
]


def task(**changes):
    return {"text": TEXT, "spans": [TEAM], "answer": "accept", "_view_id": "ner_manual"} | changes


def teach(*spans, answer="accept", **changes):
    return task(spans=list(spans), answer=answer, _view_id="ner", **changes)


@pytest.fixture
def write(tmp_path):
    def write_rows(*rows, name="export.jsonl"):
        path = tmp_path / name
        lines = [row if isinstance(row, str) else json.dumps(row) for row in rows]
        path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
        return path

    return write_rows


@pytest.fixture
def read(write):
    def read_rows(*rows, **options):
        log = FileLog("export.jsonl")
        return list(prodigy.read(write(*rows), ReaderOptions(**options), log)), log

    return read_rows


@pytest.fixture
def read_one(read):
    def read_row(row, **options):
        (record,), log = read(row, **options)
        assert not log.problems
        return record

    return read_row


def recognises(path):
    text, whole = read_sample(path)
    return prodigy.recognises(Sample(path, text, whole))


@pytest.mark.parametrize(
    "row",
    [
        task(),
        {"text": "Nothing.", "answer": "accept"},
        {"text": "Nothing.", "_input_hash": 1, "_task_hash": 2},
        {"text": TEXT, "spans": [TEAM], "topic": "x"},
    ],
    ids=["manual", "answer alone", "hashes alone", "spans alone"],
)
def test_tasks_are_recognised(write, row):
    assert recognises(write(row))


@pytest.mark.parametrize(
    "row",
    [
        {"text": TEXT, "label": [[0, 8, "TEAM"]]},
        {"text": TEXT, "entities": [{"start_offset": 0, "end_offset": 8, "label": "TEAM"}]},
        {"image": "a.png", "spans": [TEAM], "answer": "accept"},
        {"text": TEXT, "spans": ["Payments"], "answer": 42},
        {"tokens": ["a"], "ner_tags": [0]},
    ],
    ids=["doccano", "doccano relations", "image", "a question's answer", "Hugging Face"],
)
def test_rows_of_other_kinds_are_not_recognised(write, row):
    assert not recognises(write(row))


def test_a_broken_first_line_does_not_hide_the_format(write):
    assert recognises(write("{", task()))


def test_a_first_row_longer_than_the_sample_is_recognised(write):
    path = write({"text": "a " * 50_000, "spans": [TEAM], "answer": "accept"})
    text, whole = read_sample(path)
    assert not whole
    assert prodigy.recognises(Sample(path, text, whole))


def test_a_task_keeps_its_text_spans_meta_and_place(read):
    (_, record), _ = read(task(), "", task(spans=[TEAM, INFRA], meta={"org": "a"}, _input_hash=7))
    assert record.text == TEXT
    assert [(span.start, span.end, span.label) for span in record.spans] == [(0, 8, "TEAM"), (14, 19, "INFRA")]
    assert (record.source, record.document, record.meta) == ("export.jsonl:3", "7", {"org": "a"})
    assert (record.unit, record.partial) == ("codepoint", False)


@pytest.mark.parametrize(
    ("given", "kept"), [(None, {}), (["a"], {"meta": ["a"]}), ({"a": [{"b": [[None]]}]}, {"a": [{"b": [[None]]}]})]
)
def test_strange_meta_is_kept(read_one, given, kept):
    assert read_one(task(meta=given)).meta == kept


def test_annotators_are_named_by_id_then_by_session(read):
    named = {"_annotator_id": "ann", "_session_id": "s"}
    records, _ = read(task(**named), task(_session_id="s-bob"), task(_session_id=None))
    assert [record.annotator for record in records] == ["ann", "s-bob", ""]


def test_an_accepted_task_without_spans_is_a_text_without_entities(read_one):
    record = read_one({"text": "Nothing.", "answer": "accept"})
    assert (record.answer, record.spans, record.partial) == ("accepted", (), False)


def test_manual_answers_are_told_and_their_spans_kept(read):
    records, _ = read(task(), task(answer="reject"), task(answer="ignore"))
    assert [record.answer for record in records] == ["accepted", "rejected", "ignored"]
    assert all(len(record.spans) == 1 and not record.spans[0].rejected for record in records)


def test_a_task_without_answer_is_accepted_and_that_is_said(read):
    (record,), log = read({"text": TEXT, "spans": [TEAM]})
    assert record.answer == "accepted"
    assert log.notes == ["tasks without `answer` count as accepted"]


@pytest.mark.parametrize("row", [teach(TEAM), task(_is_binary=True)], ids=["ner", "_is_binary"])
def test_an_accepted_yes_no_task_says_nothing_of_the_rest(read_one, row):
    record = read_one(row)
    assert (record.answer, record.partial) == ("accepted", True)
    assert record.spans == (SourceSpan(0, 8, "TEAM"),)


def test_a_rejected_yes_no_task_is_knowledge_of_what_is_no_entity(read_one):
    record = read_one(teach(TEAM, answer="reject"))
    assert (record.answer, record.partial, record.spans[0].rejected) == ("accepted", True, True)


def test_an_ignored_yes_no_task_is_ignored(read_one):
    record = read_one(teach(TEAM, answer="ignore"))
    assert (record.answer, record.spans[0].rejected) == ("ignored", False)


def test_the_answer_of_a_span_beats_that_of_its_yes_no_task(read):
    spans = [TEAM, INFRA | {"answer": "reject"}, {"start": 9, "end": 13, "label": "INFRA", "answer": "ignore"}]
    (judged, ignored), _ = read(teach(*spans))
    assert [span.rejected for span in judged.spans] == [False, True]
    assert judged.spans[1].repairs == ("the span's own answer overrides the task's: reject / accept",)
    assert (ignored.answer, ignored.spans[0].start) == ("ignored", 9)


OLD = {"text": TEXT, "answer": "accept"}
SCORED = TEAM | {"score": 0.5, "rank": 1}


@pytest.mark.parametrize(
    "row",
    [
        OLD | {"spans": [SCORED], "tokens": TOKENS},
        OLD | {"spans": [TEAM | {"pattern": 3}]},
        OLD | {"spans": [TEAM | {"answer": "accept"}, INFRA]},
    ],
    ids=["score and rank", "pattern without tokens", "answers on spans"],
)
def test_old_yes_no_tasks_are_told_by_their_spans(read_one, row):
    assert read_one(row).partial


def test_a_score_left_over_from_a_suggestion_does_not_make_a_manual_task_yes_no(read_one):
    assert not read_one(task(spans=[SCORED])).partial


def test_an_answer_left_over_on_a_span_of_a_manual_task_is_overruled_and_listed(read_one):
    (span,) = read_one(task(spans=[TEAM | {"answer": "reject"}])).spans
    assert (span.rejected, span.repairs) == (False, ("an older answer of the span ignored: reject",))


@pytest.mark.parametrize("row", [task(no_missing=False), task(meta={"no_missing": False})])
def test_a_task_that_says_it_is_incomplete_is_partial(read_one, row):
    assert read_one(row).partial


def test_spans_of_a_choice_are_predictions(read):
    (record,), log = read(task(_view_id="choice"))
    assert (record.answer, len(record.spans)) == ("prediction", 1)
    assert "'choice' does not ask for entities" in log.notes[0]


def test_predictions_are_taken_on_request(read_one):
    assert read_one(task(_view_id="choice"), predictions=True).answer == "accepted"


@pytest.mark.parametrize("row", [task(_view_id="classification", spans=[]), OLD | {"label": "SPAM"}])
def test_a_text_that_was_only_classified_is_not_a_text_without_entities(read_one, row):
    assert read_one(row).answer == "not annotated"


def test_spans_of_relations_are_annotations_and_relations_are_told(read):
    (record,), log = read(task(_view_id="relations", relations=[{"head": 0, "child": 1}]))
    assert (record.answer, len(record.spans), log.notes) == ("accepted", 1, ["relations are not read"])


def test_versions_under_review_are_not_counted(read_one):
    record = read_one(task(_view_id="review", view_id="ner_manual", versions=[task(), task(spans=[INFRA])]))
    assert (len(record.spans), record.partial) == (1, False)


def test_a_reviewed_yes_no_task_is_yes_no(read_one):
    assert read_one(task(_view_id="review", view_id="ner")).partial


def test_overlapping_spans_pass_through(read_one):
    spans = [TEAM, TEAM | {"end": 4}, TEAM]
    assert len(read_one(task(spans=spans, _view_id="spans_manual")).spans) == 3


def test_tokens_become_words_and_spaces(read_one):
    record = read_one(task(tokens=TOKENS))
    assert record.words == ("Payments", "uses", "Redis", ".")
    assert record.spaces == (True, True, False, False)


def test_tokens_without_ws_are_spaced_by_their_offsets(read_one):
    old = [{key: value for key, value in token.items() if key != "ws"} for token in TOKENS]
    assert read_one(task(tokens=old)).spaces == (True, True, False, False)


def test_a_space_after_the_last_token_that_the_text_lacks_is_left_out(read_one):
    assert read_one(task(tokens=[*TOKENS[:-1], TOKENS[-1] | {"ws": True}])).spaces == (True, True, False, False)


def test_tokens_that_do_not_make_up_the_text_are_not_used(read):
    (record,), log = read(task(tokens=TOKENS[:-1]))
    assert (record.words, record.spaces) == (None, None)
    assert log.notes == ["tokens that do not make up their text are not used"]


def at_tokens(first, last, **changes):
    return TEAM | {"token_start": first, "token_end": last} | changes


def test_stale_text_is_ignored_where_offsets_and_tokens_agree(read_one):
    (span,) = read_one(task(tokens=TOKENS, spans=[at_tokens(0, 0, text="Pay")])).spans
    assert (span.start, span.end, span.text) == (0, 8, None)
    assert span.repairs == ("stale text of the span ignored: 'Pay' / 'Payments'",)


def test_text_of_a_span_without_token_indices_is_passed_on(read_one):
    (span,) = read_one(task(spans=[TEAM | {"text": "Pay"}])).spans
    assert (span.text, span.repairs) == ("Pay", ())


def test_the_text_decides_between_offsets_and_tokens(read_one):
    (span,) = read_one(task(tokens=TOKENS, spans=[at_tokens(0, 1, text="Payments uses")])).spans
    assert (span.start, span.end) == (0, 13)
    assert span.repairs == ("token indices used where the offsets disagree: 0-13 instead of 0-8",)


@pytest.mark.parametrize("extra", [{}, {"text": "Payments"}])
def test_offsets_stand_where_no_text_speaks_for_the_tokens(read_one, extra):
    (span,) = read_one(task(tokens=TOKENS, spans=[at_tokens(0, 1, **extra)])).spans
    assert (span.start, span.end) == (0, 8)
    assert span.repairs == ("offsets used where the token indices disagree: the tokens are at 0-13",)


def test_a_span_of_tokens_alone_gets_its_offsets_from_them(read_one):
    (span,) = read_one(task(tokens=TOKENS, spans=[{"token_start": 2, "token_end": 3, "label": "INFRA"}])).spans
    assert (span.start, span.end) == (14, 20)


def test_impossible_offsets_are_passed_on_for_the_check(read_one):
    spans = [TEAM | {"end": 99}, TEAM | {"start": "zero"}, {"label": "TEAM"}]
    assert [(span.start, span.end) for span in read_one(task(spans=spans)).spans] == [
        (0, 99),
        ("zero", 8),
        (None, None),
    ]


def test_a_span_that_is_no_object_is_kept_with_its_fault(read_one):
    (span,) = read_one(task(spans=["Payments"])).spans
    assert span.fault == "it is 'Payments': expected an object with start, end and label"


BAD_ROWS = {
    "not an object": ("[1, 2]", "a JSON list; expected an object"),
    "broken JSON": ("{]}", "invalid JSON at column 2"),
    "deep nesting": (task(meta=json.loads("[" * 120 + "]" * 120)), "JSON nested more than 100 levels deep; expected"),
    "no text": ({"spans": [], "answer": "accept"}, "text is None; expected a passage"),
    "text is a number": (task(text=3), "text is 3; expected a passage"),
    "spans is no list": (task(spans="x"), "spans is a str; expected a list"),
    "unknown answer": (task(answer="maybe"), "answer 'maybe'; expected accept, reject or ignore"),
    "answer is a list": (task(answer=[]), r"answer \[\]; expected"),
}


@pytest.mark.parametrize(("bad", "message"), BAD_ROWS.values(), ids=BAD_ROWS)
def test_a_bad_row_is_a_problem_and_costs_no_other(read, bad, message):
    records, log = read(task(), bad, task())
    assert [record.line for record in records] == [1, 3]
    ((line, told),) = log.problems
    assert line == 2
    assert re.match(message, told)
    assert log.n_documents == 3


@pytest.mark.parametrize("cut", ['{"text": "a', '{"text": "a", "meta": {"b": 1}', '{"text": "ends in }', '{"a": tru'])
def test_a_file_that_was_cut_off_is_told_with_the_rows_before(read, cut):
    records, log = read(task(), task(), cut)
    assert (len(records), log.problems) == (2, [(3, "JSON ends early; 2 good rows before it")])


def test_line_separators_of_unicode_do_not_cut_a_row(write):
    path = write(json.dumps(task(text="a\u2028b\u0085c", spans=[]), ensure_ascii=False))
    (record,) = prodigy.read(path, ReaderOptions(), FileLog("a"))
    assert record.text == "a\u2028b\u0085c"


def test_half_a_character_becomes_the_replacement_character(read):
    (record,), log = read('{"text": "a\\ud83d b", "answer": "accept"}')
    assert record.text == "a\ufffd b"
    assert log.notes == ["half of a character (a lone surrogate) read as U+FFFD: line 1"]


def test_whole_characters_written_as_escapes_stay(read_one):
    assert read_one(task(text="🔥 Redis", spans=[])).text == "🔥 Redis"


@pytest.mark.parametrize("indent", [None, 2])
def test_an_array_of_tasks_is_read_and_numbered(tmp_path, indent):
    path = tmp_path / "export.json"
    path.write_text(json.dumps([task(meta={"score": 0.5}), 3, task(text="🔥")], indent=indent), encoding="utf-8")
    log = FileLog("export.json")
    records = list(prodigy.read(path, ReaderOptions(), log))
    assert recognises(path)
    assert [(record.line, record.text) for record in records] == [(1, TEXT), (3, "🔥")]
    assert (records[0].meta, log.n_documents) == ({"score": 0.5}, 3)
    assert log.problems == [(2, "a JSON int; expected an object")]


@pytest.mark.parametrize(("rest", "message"), [("", "JSON ends early; 1 good row before it"), ("]}", "invalid JSON")])
def test_a_damaged_array_keeps_the_tasks_before_the_damage(tmp_path, rest, message):
    path = tmp_path / "export.json"
    path.write_text(f'[{json.dumps(task())}, {{"text": {rest}', encoding="utf-8")
    log = FileLog("export.json")
    assert len(list(prodigy.read(path, ReaderOptions(), log))) == 1
    ((row, told),) = log.problems
    assert (row, told[: len(message)]) == (2, message)


def test_a_file_without_rows_is_an_error(write):
    with pytest.raises(DomainNerError, match=r"export.jsonl is empty"):
        list(prodigy.read(write("", " "), ReaderOptions(), FileLog("a")))
