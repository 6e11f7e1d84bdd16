import json

import pytest

from domain_ner.annotations.records import FileLog, ReaderOptions, Sample
from domain_ner.errors import DomainNerError
from domain_ner.readers.argilla import rows as argilla
from domain_ner.readers.folder import find_exports
from domain_ner.readers.text_files.decoding import read_sample

TEXT = "Anna met Ben"
ANNA = {"start": 0, "end": 4, "label": "PER"}
BEN = {"start": 9, "end": 12, "label": "PER"}


def flat(*responses, suggestion=None, **changes):
    """A flattened record. responses: (user, status, spans)."""
    users, statuses, values = zip(*responses, strict=True) if responses else (None, None, None)
    listed = {"": values, ".users": users, ".status": statuses}
    row = {"id": "r1", "status": "pending", "_server_id": "s", "text": TEXT}
    row |= {f"ner.responses{key}": list(value) if value else None for key, value in listed.items()}
    return row | {"ner.suggestion": suggestion, "ner.suggestion.agent": "m", "ner.suggestion.score": None} | changes


def nested(**changes):
    row = {"id": "r1", "fields": {"text": TEXT}, "metadata": {"k": 1}, "vectors": {}, "_server_id": "s"}
    return row | {"responses": {"ner": [{"value": [ANNA], "user_id": "u"}]}, "suggestions": {}} | changes


@pytest.fixture
def write(tmp_path):
    def write_rows(*rows, array=True):
        path = tmp_path / "records.json"
        lines = [json.dumps(row) for row in rows]
        path.write_text(json.dumps(rows) if array else "\n".join(lines), "utf8")
        return path

    return write_rows


def read(path, **options):
    log = FileLog(path.name)
    return list(argilla.read(path, ReaderOptions(**options), log)), log


def found(record):
    return [(record.text[span.start : span.end], span.label) for span in record.spans]


def recognises(path):
    return argilla.recognises(Sample(path, *read_sample(path)))


@pytest.mark.parametrize("array", [True, False])
def test_submitted_responses_are_annotations(write, array):
    (record,), log = read(write(flat(("u", "submitted", [ANNA, BEN])), array=array))
    assert found(record) == [("Anna", "PER"), ("Ben", "PER")]
    assert (record.answer, record.annotator, record.document, record.line) == ("accepted", "u", "r1", 1)
    assert (record.unit, log.n_documents) == (None, 1)


def test_responses_that_were_not_submitted_are_not_used(write):
    row = flat(("a", "submitted", [ANNA]), ("b", "draft", [BEN]), ("c", "discarded", [BEN]), ("d", None, [BEN]))
    records, _ = read(write(row))
    assert [record.answer for record in records] == ["accepted", "not annotated", "ignored", "not annotated"]
    assert all(record.spans for record in records)


def test_an_empty_response_is_a_text_without_entities(write):
    (record,), _ = read(write(flat(("u", "submitted", []))))
    assert (record.answer, record.spans) == ("accepted", ())


def test_suggestions_are_predictions(write):
    records, _ = read(write(flat(("u", "submitted", [ANNA]), suggestion=[BEN])))
    assert [(record.answer, found(record)) for record in records] == [
        ("accepted", [("Anna", "PER")]),
        ("prediction", [("Ben", "PER")]),
    ]


def test_suggestions_are_used_where_asked_for_and_nobody_answered(write):
    path = write(flat(suggestion=[BEN]), flat(("u", "submitted", [ANNA]), suggestion=[BEN]))
    records, _ = read(path, predictions=True)
    assert [record.answer for record in records] == ["accepted", "accepted", "prediction"]


def test_a_record_without_any_answer_is_not_annotated(write):
    records, _ = read(write(flat(), flat(("u", "submitted", [ANNA]))))
    assert [record.answer for record in records] == ["not annotated", "accepted"]


def test_nested_records_are_read(write):
    (record,), log = read(write(nested()))
    assert found(record) == [("Anna", "PER")]
    assert (record.annotator, record.meta) == ("u", {"k": 1})
    assert "responses have no status: all count as submitted" in log.notes


def test_nested_suggestions_are_predictions(write):
    row = nested(responses={}, suggestions={"ner": {"value": [ANNA], "score": None, "agent": "m"}})
    (record,), _ = read(write(row))
    assert (record.answer, found(record)) == ("prediction", [("Anna", "PER")])


def test_responses_by_annotator_are_read(write):
    responses = [{"user_id": "u", "status": "submitted", "values": {"ner": {"value": [ANNA]}}}]
    (record,), _ = read(write(nested(responses=responses, suggestions=[])))
    assert (record.answer, record.annotator, found(record)) == ("accepted", "u", [("Anna", "PER")])


def test_records_of_argilla_1_are_read(write):
    columns = {"start": [0], "end": [4], "label": ["PER"], "text": ["Anna"]}
    answer = {"user_id": "u", "value": columns, "status": "submitted"}
    (record,), _ = read(write({"text": TEXT, "ner": [answer], "ner-suggestion": None, "external_id": "e"}))
    assert found(record) == [("Anna", "PER")]
    assert (record.spans[0].text, record.document) == ("Anna", "e")


def token_record(**changes):
    row = {"text": TEXT, "tokens": TEXT.split(), "annotation": [["PER", 0, 4]], "annotation_agent": "u", "id": 1}
    return row | {"prediction": [BEN | {"score": 0.5}], "prediction_agent": "m", "status": "Validated"} | changes


def test_token_classifications_of_argilla_1_are_read(write):
    records, _ = read(write(token_record()))
    assert [(record.answer, record.annotator, found(record)) for record in records] == [
        ("accepted", "u", [("Anna", "PER")]),
        ("prediction", "m", [("Ben", "PER")]),
    ]


def test_discarded_token_classifications_are_not_used(write):
    records, _ = read(write(token_record(status="Discarded")), predictions=True)
    assert [record.answer for record in records] == ["ignored", "prediction"]


def test_several_span_questions_need_one_to_be_named(write):
    row = flat(("u", "submitted", [ANNA]))
    row |= {"other.responses": [[BEN]], "other.responses.status": ["submitted"], "other.responses.users": ["u"]}
    path = write(row)
    with pytest.raises(DomainNerError, match="the questions ner and other may each have the entities"):
        read(path)
    assert found(read(path, field="other")[0][0]) == [("Ben", "PER")]


def test_questions_that_are_not_about_spans_are_left_alone(write):
    row = flat(("u", "submitted", [ANNA]))
    row |= {"topic.responses": ["news"], "topic.responses.status": ["submitted"], "topic.responses.users": ["u"]}
    (record,), _ = read(write(row))
    assert found(record) == [("Anna", "PER")]


def spans_on(text, *words):
    return [{"start": text.index(word), "end": text.index(word) + len(word), "label": "PER"} for word in words]


def two_fields(n=1, *, words=("Anna", "Ben"), **changes):
    """A nested record with the spans on its title."""
    title, body = f"Anna met Ben {n}", f"Uninterruptedly counterrevolutionary {n}"
    answer = {"value": spans_on(title, *words), "user_id": "u", "status": "submitted"}
    return nested(fields={"title": title, "text": body}, responses={"ner": [answer]}, **changes)


def test_which_field_the_spans_lie_on_is_asked_for_where_nothing_tells_it(write):
    path = write(two_fields(), two_fields(2))
    with pytest.raises(DomainNerError, match="4 spans of 'ner' may lie on title or text") as error:
        read(path)
    assert "vars.reading (field=title)" in error.value.fix
    for field in ("title", "ner,title"):
        records, log = read(path, field=field)
        assert [found(record) for record in records] == [[("Anna", "PER"), ("Ben", "PER")]] * 2
        assert "the text is the field 'title'" in log.notes
    assert records[0].meta == {"text": "Uninterruptedly counterrevolutionary 1", "k": 1}


def test_the_settings_of_the_dataset_name_the_field(write, tmp_path):
    questions = [
        {"name": "kind", "settings": {"type": "label_selection"}},
        {"name": "ner", "settings": {"type": "span", "field": "title"}},
    ]
    for place in (".argilla/settings.json", "settings.json"):
        (tmp_path / place).parent.mkdir(exist_ok=True)
        (tmp_path / place).write_text(json.dumps({"questions": questions, "fields": []}))
        (record,), _ = read(write(two_fields()))
        assert record.text == "Anna met Ben 1"
        (tmp_path / place).unlink()


def test_settings_beside_the_records_are_no_export(write, tmp_path):
    (tmp_path / "settings.json").write_text('{"questions": []}')
    write(nested())
    assert [file.name for file in find_exports(tmp_path)] == ["records.json"]


def test_the_edges_of_words_tell_the_field_of_many_spans(write):
    records, _ = read(write(*(two_fields(n) for n in range(3))))
    assert [record.text for record in records] == [f"Anna met Ben {n}" for n in range(3)]


def test_spans_do_not_lie_on_metadata_that_are_too_short(write):
    told = {"text": None, "sentence": TEXT, "url": "http://x.y", "org": "acme", "year": 2020}
    draft = flat(("v", "draft", [BEN]), **told | {"url": "u"})
    (record, other), log = read(write(flat(("u", "submitted", [ANNA, BEN]), **told), draft))
    assert found(record) == [("Anna", "PER"), ("Ben", "PER")]
    assert record.meta == {"url": "http://x.y", "org": "acme", "year": 2020}
    assert (other.answer, log.notes) == ("not annotated", ["the text is the field 'sentence'"])


def test_words_tell_the_field(write):
    columns = {"start": [0], "end": [4], "label": ["PER"], "text": ["Anna"]}
    answer = {"user_id": "u", "value": columns, "status": "submitted"}
    (record,), _ = read(write({"title": "Note 7", "body": TEXT, "ner": [answer], "ner-suggestion": None}))
    assert (record.text, record.meta) == (TEXT, {"title": "Note 7"})


def test_fields_without_any_span_are_asked_for_only_if_somebody_has_answered(write):
    nobody = nested(fields={"title": "a", "text": "b"}, responses={})
    assert [record.answer for record in read(write(nobody))[0]] == ["not annotated"]
    answered = nested(fields={"title": "a", "text": "b"}, responses={"ner": [{"value": [], "user_id": "u"}]})
    with pytest.raises(DomainNerError, match="no span of 'ner' to decide: title or text"):
        read(write(answered))


def test_a_span_that_is_none_is_a_fault(write):
    (record,), _ = read(write(flat(("u", "submitted", [ANNA, "x"]))))
    assert [bool(span.fault) for span in record.spans] == [False, True]


def test_an_unreadable_record_costs_no_other(write):
    records, log = read(
        write(
            flat(("u", "submitted", "x")), flat(("u", "submitted", [ANNA]), text=None), flat(("u", "submitted", [BEN]))
        )
    )
    assert [found(record) for record in records] == [[("Ben", "PER")]]
    assert [line for line, _ in log.problems] == [1, 2]
    assert "expected a list of spans" in log.problems[0][1]
    assert log.n_documents == 3


@pytest.mark.parametrize("row", [flat(), nested(), token_record()])
def test_its_records_are_recognised(write, row):
    assert recognises(write(row))


@pytest.mark.parametrize(
    "row",
    [
        {"text": TEXT, "spans": [ANNA], "answer": "accept"},
        {"id": 1, "text": TEXT, "label": [[0, 4, "PER"]], "Comments": []},
        {"id": 1, "data": {"text": TEXT}, "annotations": [], "predictions": []},
        {"tokens": ["a"], "ner_tags": ["O"]},
    ],
)
def test_records_of_other_tools_are_not_recognised(write, row):
    assert not recognises(write(row))


@pytest.mark.parametrize("key", ["responses", "suggestions"])
@pytest.mark.parametrize("odd", [3, "x", [3, "x"], {"ner": 3}, {"ner": ["x"]}, [{"values": 3}]])
def test_answers_of_another_shape_cost_no_other_record(write, key, odd):
    records, _ = read(write(nested(), nested(id="r2", **{key: odd})))
    assert (records[0].document, found(records[0])) == ("r1", [("Anna", "PER")])
    assert all(record.document in ("r1", "r2") for record in records)
