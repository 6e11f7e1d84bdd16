"""Label Studio's JSON: annotations, predictions, regions in text, HTML and dialogues, and damaged files."""

import json

import pytest
from label_studio_exports import ADA, PARIS, TEXT, annotation, found, read, read_tasks, recognised, region, task, write

from domain_ner.annotations.records import ReaderOptions
from domain_ner.errors import DomainNerError


def test_regions_become_spans_with_their_words(tmp_path):
    [record], log = read_tasks(tmp_path, task(annotation(ADA, PARIS)))
    assert [(s.start, s.end, s.label, s.text) for s in record.spans] == [(0, 3, "PER", "Ada"), (15, 20, "LOC", "Paris")]
    assert (record.text, record.document, record.source, record.annotator) == (TEXT, "7", "export.json:1", "1")
    assert log.n_documents == 1


def test_each_annotator_has_a_record(tmp_path):
    by_mail = annotation(ADA, completed_by={"id": 2, "email": "a@b.org"})
    records, _ = read_tasks(tmp_path, task(annotation(ADA, PARIS), by_mail))
    assert [(record.annotator, len(record.spans)) for record in records] == [("1", 2), ("a@b.org", 1)]


def test_cancelled_annotation_keeps_its_spans_and_is_marked(tmp_path):
    [record], _ = read_tasks(tmp_path, task(annotation(ADA, was_cancelled=True)))
    assert (record.answer, len(record.spans)) == ("cancelled", 1)


def test_task_without_annotation_is_not_a_negative(tmp_path):
    [record], _ = read_tasks(tmp_path, task())
    assert (record.answer, record.spans) == ("not annotated", ())


def test_annotation_without_regions_is_a_negative(tmp_path):
    [record], _ = read_tasks(tmp_path, task(annotation()))
    assert (record.answer, record.spans, record.unknown) == ("accepted", (), ())


def test_predictions_are_marked_with_their_model(tmp_path):
    predicted = {"model_version": "m1", "result": [region(PARIS)]}
    records, _ = read_tasks(tmp_path, task(predictions=[predicted]))
    assert [(record.answer, record.annotator) for record in records] == [("not annotated", ""), ("prediction", "m1")]


def test_predictions_are_used_on_request_for_tasks_without_annotations(tmp_path):
    predicted = {"model_version": "m1", "result": [region(PARIS)]}
    tasks = [task(predictions=[predicted]), task(annotation(ADA), predictions=[predicted])]
    records, _ = read_tasks(tmp_path, *tasks, options=ReaderOptions(predictions=True))
    assert [record.answer for record in records] == ["accepted", "accepted", "prediction"]


def test_predictions_and_drafts_that_the_export_names_by_id_cost_nothing(tmp_path):
    """As Label Studio's own JSON export does, whoever made them."""
    tasks = [task(annotation(ADA), predictions=[45, 46], drafts=[3]), task(predictions=[47])]
    for options in (ReaderOptions(), ReaderOptions(predictions=True)):
        records, log = read_tasks(tmp_path, *tasks, options=options)
        assert [record.answer for record in records] == ["accepted", "not annotated"] and not log.problems
        assert "predictions that are ids alone not read: 3" in log.notes and "drafts not read: 1" in log.notes


def test_drafts_relations_and_choices_are_counted_in_notes(tmp_path):
    given = annotation(ADA)
    given["result"] += [
        {"type": "relation", "from_id": "a", "to_id": "b"},
        {"type": "choices", "value": {"start": 0, "end": 3, "text": "Ada", "choices": ["x"]}},
    ]
    [record], log = read_tasks(tmp_path, task(given, drafts=[annotation(PARIS)]))
    assert len(record.spans) == 1
    assert set(log.notes) == {"drafts not read: 1", "relations not read: 1", "results of type choices not read: 1"}


def test_ground_truth_and_other_data_are_meta(tmp_path):
    given = task(annotation(ADA, ground_truth=True), meta={"batch": 3})
    given["data"]["url"] = "u"
    [record], _ = read_tasks(tmp_path, given)
    assert record.meta == {"url": "u", "batch": 3, "ground_truth": True}


def test_region_with_two_labels_is_two_spans(tmp_path):
    [record], _ = read_tasks(tmp_path, task(annotation({**PARIS, "labels": ["LOC", "ORG"]})))
    assert found(record) == [("Paris", "LOC"), ("Paris", "ORG")]


def test_region_without_label_is_a_span_without_label(tmp_path):
    given = {"id": 1, "result": [{"type": "text", "value": {"start": 0, "end": 3, "text": "Ada"}}]}
    [record], _ = read_tasks(tmp_path, task(given))
    assert [span.label for span in record.spans] == [None]


def test_audio_region_is_not_a_span_of_the_text(tmp_path):
    [record], log = read_tasks(tmp_path, task(annotation({"start": 0.5, "end": 2.0, "channel": 0, "labels": ["A"]})))
    assert (record.spans, log.notes) == ((), ["results of type labels not read: 1"])


@pytest.mark.parametrize(("start", "end"), [(12, 22), (13, 23)])
def test_code_points_and_utf16_are_both_found_by_the_words(tmp_path, start, end):
    value = {"start": start, "end": end, "text": "annotation", "labels": ["X"]}
    [record], _ = read_tasks(tmp_path, task(annotation(value), text="\U0001f4a9This is an annotation."))
    assert record.unit is None
    assert found(record) == [("annotation", "X")]


def test_unit_is_the_code_point_if_no_character_is_astral(tmp_path):
    [record], _ = read_tasks(tmp_path, task(annotation(ADA), text="Ada mét Bob in Paris."))
    assert record.unit == "codepoint"


def test_old_completions_and_a_single_task_are_read(tmp_path):
    old = {"id": 1, "completions": [{**annotation(ADA), "skipped": True}, annotation(PARIS)], "data": {"text": TEXT}}
    records, _ = read(write(tmp_path / "1.json", old))
    assert [record.answer for record in records] == ["cancelled", "accepted"]


def test_annotation_that_holds_its_task_is_read(tmp_path):
    path = write(tmp_path / "12", {**annotation(ADA), "task": {"id": 9, "data": {"text": TEXT}}})
    [record], _ = read(path)
    assert (recognised(path), record.document, found(record)) == (["label_studio"], "9", [("Ada", "PER")])


def test_json_lines_are_read(tmp_path):
    lines = "\n".join(json.dumps(task(annotation(value))) for value in (ADA, PARIS))
    records, _ = read(write(tmp_path / "export.jsonl", lines))
    assert [found(record) for record in records] == [[("Ada", "PER")], [("Paris", "LOC")]]


def test_byte_order_mark_is_skipped(tmp_path):
    [record], log = read(write(tmp_path / "bom.json", "\ufeff" + json.dumps([task(annotation(ADA))])))
    assert found(record) == [("Ada", "PER")]
    assert log.notes == ["byte-order mark removed (utf-8)"]


def test_text_key_is_the_one_whose_text_has_the_words(tmp_path):
    given = task(annotation(PARIS))
    given["data"] = {"summary": "A much longer text about something else altogether.", "body": TEXT}
    [record], log = read_tasks(tmp_path, given)
    assert (record.text, log.notes) == (TEXT, ["the text is under 'body'"])


def test_text_key_is_taken_from_the_configuration_beside_the_export(tmp_path):
    config = '<View><Labels name="label" toName="text"/><Text name="text" value="$body"/></View>'
    write(tmp_path / "config.xml", config)
    given = task(annotation({"start": 0, "end": 3, "labels": ["PER"]}))
    given["data"] = {"summary": "A much longer text about something else altogether.", "body": TEXT}
    [record], _ = read_tasks(tmp_path, given)
    assert record.text == TEXT


def test_region_of_a_text_given_by_its_url_is_explained(tmp_path):
    given = task(annotation({"start": 204, "end": 215, "labels": ["X"]}), text="/data/upload/1/a.txt")
    [record], _ = read_tasks(tmp_path, given)
    expected = 'span 204-215, text has 20 characters (looks like a path: Label Studio valueType="url")'
    assert [span.fault for span in record.spans] == [expected]
    assert record.unknown == ((0, 20),)


HTML = "<div><style>p {}</style><p>Ada &amp; Bob<br>met in</p><p>Paris</p></div>"


def html_value(start, end, text, **offsets):
    return {"start": "/div[1]/p[1]/text()[1]", "end": "/div[1]/p[1]/text()[1]", "startOffset": start,
            "endOffset": end, "text": text, "hypertextlabels": ["PER"], **offsets}  # fmt: skip


def test_global_offsets_count_the_text_nodes_of_the_page(tmp_path):
    values = [
        html_value(6, 9, "Bob", globalOffsets={"start": 6, "end": 9}),
        html_value(0, 5, "Paris", globalOffsets={"start": 16, "end": 21}),
    ]
    [record], _ = read_tasks(tmp_path, task(annotation(*values), text=HTML))
    assert record.text == "Ada & Bob\nmet inParis"
    assert found(record) == [("Bob", "PER"), ("Paris", "PER")]


def test_head_of_a_page_is_counted_if_the_words_show_it(tmp_path):
    page = "<html><head><title>Title</title></head><body><p>Ada</p></body></html>"
    [inside], _ = read_tasks(
        tmp_path, task(annotation(html_value(0, 3, "Ada", globalOffsets={"start": 0, "end": 3})), text=page)
    )
    [after], _ = read_tasks(
        tmp_path, task(annotation(html_value(0, 3, "Ada", globalOffsets={"start": 5, "end": 8})), text=page)
    )
    assert (inside.text, after.text) == ("Ada", "TitleAda")


def test_region_with_xpaths_alone_cannot_be_used(tmp_path):
    [record], _ = read_tasks(tmp_path, task(annotation(html_value(0, 3, "Ada")), text=HTML))
    assert record.spans[0].fault == "the region points into HTML; offsets into the rendered text are needed"
    assert record.unknown == ((0, len(record.text)),)


def test_plain_text_with_tags_in_it_stays_as_it_is(tmp_path):
    [record], _ = read_tasks(tmp_path, task(annotation({"start": 3, "end": 6, "labels": ["PER"]}), text="<p>Ada</p>"))
    assert found(record) == [("Ada", "PER")]


def test_dialogue_is_joined_and_its_regions_moved(tmp_path):
    value = {"start": "1", "end": "1", "startOffset": 3, "endOffset": 6, "text": "Bob", "paragraphlabels": ["PER"]}
    given = task(annotation(value, {**value, "start": "5", "end": "5"}))
    given["data"] = {"dialogue": [{"author": "x", "text": "Who?"}, {"author": "y", "text": "Hi Bob."}]}
    [record], _ = read_tasks(tmp_path, given)
    assert record.text == "Who?\nHi Bob."
    assert found(record) == [("Bob", "PER")]
    assert record.spans[1].fault == "it points to paragraph '5', character 3 of 2 paragraphs"


@pytest.mark.parametrize(
    ("bad", "message"),
    [
        (5, "a JSON int; expected a task, with `data` and `annotations`"),
        ({"id": 1}, "an object with id; expected a task, with `data` and `annotations`"),
        ({"id": 1, "data": {"n": 5}, "annotations": [annotation()]},
         "no text in the task (its data holds n); expected a text under text"),
        (task(12), "an annotation is a JSON int; expected an object with `result`, a list of regions"),
    ],
)  # fmt: skip
def test_bad_task_is_a_problem_and_the_others_are_read(tmp_path, bad, message):
    records, log = read_tasks(tmp_path, bad, task(annotation(ADA)))
    assert log.problems == [(1, message)]
    assert (len(records), log.n_documents) == (1, 2)


def test_truncated_file_is_read_up_to_its_last_complete_task(tmp_path):
    content = json.dumps([task(annotation(ADA)), task(annotation(PARIS))])[:-40]
    records, log = read(write(tmp_path / "cut.json", content))
    assert len(records) == 1
    assert log.problems == [(2, "JSON ends early; 1 good row before it")]


def test_nan_is_read(tmp_path):
    records, log = read_tasks(tmp_path, task(annotation(ADA)), task(annotation(PARIS, lead_time=float("nan"))))
    assert (len(records), log.problems) == (2, [])


def test_file_without_a_task_is_refused(tmp_path):
    with pytest.raises(DomainNerError, match="has no rows"):
        read(write(tmp_path / "none.json", "[]"))


def test_file_truncated_in_its_first_task_is_a_problem(tmp_path):
    records, log = read(write(tmp_path / "cut.json", '[{"id": 1, "annotations'))
    assert (records, log.problems) == ([], [(1, "JSON ends early; 0 good rows before it")])
    assert log.failures[0].cost == "rest"


def test_task_longer_than_the_sample_is_recognised(tmp_path):
    long = {"text": "Ada " * 40_000}
    last = write(tmp_path / "last.json", [{**task(annotation(ADA)), "data": long}])
    first = write(tmp_path / "first.json", [{"id": 1, "data": long, "annotations": [annotation(ADA)]}])
    assert recognised(last) == recognised(first) == ["label_studio"]


@pytest.mark.parametrize(
    "content",
    [
        '[{"text": "x", "entities": [{"start": 0, "end": 1, "label": "A"}]}]',
        '{"text": "x", "label": [[0, 1, "A"]], "annotator": "me"}',
        '{"classes": ["A"], "annotations": [["x", {"entities": [[0, 1, "A"]]}]]}',
        '[{"tokens": ["x"], "labels": ["O"]}]',
        "Sentence #,Word,POS,Tag\n1,Ada,NNP,B-PER\n",
        "Ada B-PER\nmet O\n",
        "{",
    ],
)
def test_other_formats_are_not_recognised(tmp_path, content):
    assert recognised(write(tmp_path / "other", content)) == []
