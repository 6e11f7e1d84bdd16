"""Label Studio's tasks with several texts: each region is read on its own text, or the user is asked."""

import pytest
from label_studio_texts import (
    BODY,
    BOTH,
    CONFIG,
    SPANS,
    TITLE,
    found,
    read_tasks,
    result,
    task,
    two_texts,
    value,
    values,
    write,
)

from domain_ner.errors import DomainNerError


@pytest.mark.parametrize("names", [("title", "body"), ("t1", "t2"), ("body", "title")])
def test_a_region_belongs_to_the_text_that_has_its_words(tmp_path, names):
    records, log = read_tasks(tmp_path, two_texts(names))
    assert found(records) == BOTH
    assert [(one.document, one.line, one.meta) for one in records[:2]] == [("1", 1, {"site": "a"})] * 2
    assert log.notes == ["the texts are under 'title' and 'body'"]


def test_without_words_a_region_belongs_to_the_text_named_like_its_tag(tmp_path):
    records, _ = read_tasks(tmp_path, two_texts(said=False))
    assert found(records) == BOTH


def test_the_user_is_asked_if_nothing_decides_and_the_answer_is_used(tmp_path):
    one, other = "Ada met Bob in Oslo.", "Bob met Ada in Rome."
    spans = [("Ada", "PER"), ("Bob", "PER")]
    regions = [result(name, values(text, spans, said=False)) for name, text in (("t1", one), ("t2", other))]
    given = [task({"lead": one, "story": other}, *regions)]
    with pytest.raises(DomainNerError) as error:
        read_tasks(tmp_path, given)
    told = "2 regions of 't1' may lie on lead or story; 2 regions of 't2' may lie on lead or story."
    assert f"tasks.json: cannot determine which text was annotated: {told}" in str(error.value)
    assert "vars.reading (field=t1=lead,t2=lead)" in error.value.fix
    with pytest.raises(DomainNerError, match="may lie on lead or story"):
        read_tasks(tmp_path, given, field="lead")
    assert found(read_tasks(tmp_path, given, field="t1=lead,t2=story")[0]) == [(one, spans), (other, spans[::-1])]
    records, _ = read_tasks(tmp_path, [task({"lead": one, "story": other}, regions[1])], field="story")
    assert found(records) == [(other, spans[::-1])]


def test_regions_beyond_the_end_of_a_text_do_not_belong_to_it(tmp_path):
    given = task({"headline": "Short", "story": BODY}, result("t", values(BODY, SPANS["body"], said=False)))
    records, _ = read_tasks(tmp_path, [given])
    assert found(records) == [(BODY, SPANS["body"])]
    assert records[0].meta == {"headline": "Short"}


def test_words_decide_against_the_text_named_like_the_tag(tmp_path):
    data = {"text": "A much longer summary, of something else altogether.", "body": BODY}
    records, _ = read_tasks(tmp_path, [task(data, result("text", values(BODY, SPANS["body"])))])
    assert found(records) == [(BODY, SPANS["body"])]


def test_without_words_the_user_is_asked_if_word_edges_contradict_the_name_of_the_tag(tmp_path):
    summary = "Uninterruptedly counterrevolutionary internationalisations"
    data = {"text": summary, "body": BODY}
    five = [(word, "X") for word in ("Then", "Bob", "met", "went", "both")]
    with pytest.raises(DomainNerError, match="5 regions of 'text' may lie on text or body"):
        read_tasks(tmp_path, [task(data, result("text", values(BODY, five, said=False)))])


def test_word_edges_decide_the_text_of_many_regions(tmp_path):
    data = {"raw": "Uninterruptedly counterrevolutionary internationalisations", "body": BODY}
    five = [(word, "X") for word in ("Then", "Bob", "met", "went", "both")]
    records, _ = read_tasks(tmp_path, [task(data, result("t", values(BODY, five, said=False)))])
    assert [one.text for one in records] == [BODY]


def test_identical_texts_count_as_one(tmp_path):
    given = task({"raw": BODY, "copy": BODY}, result("t", values(BODY, SPANS["body"])))
    records, _ = read_tasks(tmp_path, [given])
    assert found(records) == [(BODY, SPANS["body"])]


def test_two_texts_with_the_same_beginning_are_told_apart_by_regions_after_it(tmp_path):
    begin = "Then Bob met Ada"
    near = task({"lead": begin, "story": BODY}, result("t", values(BODY, SPANS["body"][:2])))
    far = task({"lead": begin, "story": BODY}, result("t", values(BODY, SPANS["body"])))
    with pytest.raises(DomainNerError, match="2 regions of 't' may lie on lead or story"):
        read_tasks(tmp_path, [near])
    records, _ = read_tasks(tmp_path, [far])
    assert [one.text for one in records] == [BODY]
    records, _ = read_tasks(tmp_path, [near], field="lead")
    assert [one.text for one in records] == [begin]


def test_the_user_may_choose_one_of_the_texts(tmp_path):
    records, log = read_tasks(tmp_path, two_texts(("t1", "t2")), field="body")
    assert found(records) == [BOTH[1], BOTH[3]]
    assert "regions of 't1' are not read: vars.reading wants another text (field=…)" in log.notes
    assert records[0].meta == {"title": TITLE, "site": "a"}


def test_a_field_meant_for_other_files_changes_nothing(tmp_path):
    records, _ = read_tasks(tmp_path, two_texts(), field="ner_tags")
    assert found(records) == BOTH


def test_words_found_in_no_text_are_an_error_that_lists_the_texts(tmp_path):
    given = task({"url": "s3://x/y.txt", "note": "checked"}, result("t", values(BODY, SPANS["body"])))
    with pytest.raises(DomainNerError, match="the words of the 3 regions of 't' occur in none of url, note"):
        read_tasks(tmp_path, [given])


def test_words_missing_from_the_only_text_are_an_error(tmp_path):
    given = task({"customer": "Acme"}, result("t", values(BODY, SPANS["body"][:1])))
    with pytest.raises(DomainNerError, match="the words of the 1 regions of 't' occur in none of customer"):
        read_tasks(tmp_path, [given])


def test_the_name_of_a_tag_alone_does_not_decide(tmp_path):
    swapped = task({"summary": f"{BODY} {BODY}", "body": BODY}, result("summary", values(BODY, SPANS["body"][:2])))
    bare = task({"summary": "Ada met Bob", "body": BODY}, result("summary", [value(BODY, "Bob", "PER", said=False)]))
    for given in (swapped, bare):
        with pytest.raises(DomainNerError, match="'summary' may lie on summary or body") as error:
            read_tasks(tmp_path, [given])
        assert "field=summary" in error.value.fix
        records, _ = read_tasks(tmp_path, [given], field="body")
        assert [one.text for one in records] == [BODY]


def test_words_in_one_task_decide_the_text_of_the_tag_in_all_tasks(tmp_path):
    data = {"summary": f"Ada, says {BODY}", "body": BODY}
    given = [
        task(data, result("summary", values(BODY, SPANS["body"][:1]))),
        task(data, result("summary", values(BODY, SPANS["body"][1:2], said=False)), n=2),
    ]
    records, _ = read_tasks(tmp_path, given)
    assert [one.text for one in records] == [BODY, BODY]


@pytest.mark.parametrize("said", [True, False])
def test_a_usual_project_is_read_without_asking_the_user(tmp_path, said):
    texts = [
        ("Ada Lovelace met Bob in Oslo.", ["Ada Lovelace", "Bob", "Oslo"]), ("Nothing is told.", []),
        ("Then she and Eve went on to Rome by train.", ["Eve", "Rome"]),
    ]  # fmt: skip
    given = [
        task(
            {"text": text, "title": f"Incident of day {n}", "url": f"https://x.y/{n}", "customer": "Acme"},
            result("text", [value(text, one, "X", said=said) for one in words]), n=n,
        )
        for n, (text, words) in enumerate(texts, start=1)
    ]  # fmt: skip
    records, log = read_tasks(tmp_path, given)
    assert found(records) == [(text, [(one, "X") for one in words]) for text, words in texts]
    assert log.notes == []


def test_repeated_spans_count_once_as_evidence(tmp_path):
    data = {"lead": "Uninterruptedly internationalised", "body": BODY}
    given = task(data, result("t", [value(BODY, "met", "X", said=False)] * 9))
    with pytest.raises(DomainNerError, match="9 regions of 't' may lie on lead or body"):
        read_tasks(tmp_path, [given])


def test_the_user_is_asked_if_the_sources_of_regions_differ(tmp_path):
    regions = result("t", values(BODY, SPANS["body"][:2], said=False))
    regions[0]["source"], regions[1]["source"] = "$title", "$body"
    given = task({"title": "A title as long as a body is", "body": BODY}, regions)
    with pytest.raises(DomainNerError, match="2 regions of 't' may lie on body or title"):
        read_tasks(tmp_path, [given])
    regions[0]["source"] = "$body"
    assert [one.text for one in read_tasks(tmp_path, [given])[0]] == [BODY]


def test_the_user_is_asked_if_word_edges_contradict_a_config(tmp_path):
    write(tmp_path / "config.xml", '<View><Text name="t" value="$raw"/><Labels name="label" toName="t"/></View>')
    data = {"raw": "Uninterruptedly counterrevolutionary internationalisations", "body": BODY}
    five = [(word, "X") for word in ("Then", "Bob", "met", "went", "both")]
    with pytest.raises(DomainNerError, match="5 regions of 't' may lie on raw or body"):
        read_tasks(tmp_path, [task(data, result("t", values(BODY, five, said=False)))])


def test_a_chosen_text_gets_no_regions_that_cannot_belong_to_it(tmp_path):
    data = {"title": "A", "body": BODY, "copy": f"{BODY} Again."}
    given = task(data, result("t1", [value("A", "A", "X")]), result("t2", values(BODY, SPANS["body"])))
    records, log = read_tasks(tmp_path, [given], field="title")
    assert found(records) == [("A", [("A", "X")])]
    assert "regions of 't2' are not read: vars.reading wants another text (field=…)" in log.notes


def test_spans_that_fit_into_a_url_by_chance_are_faults_too(tmp_path):
    regions = result("text", [value(BODY, one, "PER", said=False) for one in ("Then", "Bonn")])
    (record,), _ = read_tasks(tmp_path, [task({"text": "s3://x/y.txt"}, regions)])
    assert all("looks like a path" in span.fault for span in record.spans)


def test_regions_beyond_the_end_of_every_text_are_an_error(tmp_path):
    given = task({"a": "Short", "b": "One"}, result("t", [value(BODY, "Bonn", "LOC", said=False)]))
    with pytest.raises(DomainNerError, match="the 1 regions of 't' fit into none of a, b"):
        read_tasks(tmp_path, [given])


def test_words_at_utf16_offsets_decide_the_text(tmp_path):
    body = "🔥 Then Bob met Ada."
    shifted = [{**one, "start": one["start"] + 1, "end": one["end"] + 1} for one in values(body, SPANS["body"][:2])]
    records, _ = read_tasks(tmp_path, [task({"a": "Bob met Ada Bob", "b": body}, result("t", shifted))])
    assert found(records) == [(body, SPANS["body"][:2])]


def test_a_cancelled_or_unannotated_task_is_one_record(tmp_path):
    data = {"title": "x", "body": "y"}
    more = [task(data, n=3, was_cancelled=True), {"id": 4, "data": data, "annotations": []}]
    records, _ = read_tasks(tmp_path, [*two_texts(), *more])
    assert [one.answer for one in records] == ["accepted"] * 4 + ["cancelled", "not annotated"]


def test_a_region_on_a_text_missing_from_its_task_is_a_fault(tmp_path):
    first, second = two_texts()
    second["annotations"][0]["result"] += result("body", [value("Bob", "Bob", "PER")])
    del second["data"]["body"]
    records, _ = read_tasks(tmp_path, [first, second])
    assert [(span.text, span.fault) for span in records[2].spans] == [
        ("Eve", ""), ("Rome", ""), ("Bob", "it lies on 'body', which the task does not hold"),
    ]  # fmt: skip


def test_a_text_within_an_object_is_found(tmp_path):
    data = {"article": {"lead": "Short", "body": BODY, "words": 9}, "source": "wire"}
    records, log = read_tasks(tmp_path, [task(data, result("t", values(BODY, SPANS["body"])))])
    assert found(records) == [(BODY, SPANS["body"])]
    assert (records[0].meta, log.notes) == ({"source": "wire"}, ["the text is under 'article.body'"])


def test_a_config_decides_the_text_of_each_tag(tmp_path):
    write(tmp_path / "config.xml", CONFIG)
    records, _ = read_tasks(tmp_path, two_texts(("t1", "t2"), said=False))
    assert found(records) == BOTH


def test_a_config_shows_which_texts_were_annotated_without_any_region(tmp_path):
    write(tmp_path / "config.xml", CONFIG)
    tasks = [task({"title": TITLE, "body": "Nothing.", "site": "a"}, result("t1", values(TITLE, SPANS["title"])))]
    records, _ = read_tasks(tmp_path, tasks)
    assert found(records) == [(TITLE, SPANS["title"]), ("Nothing.", [])]


def test_a_config_of_another_project_is_ignored(tmp_path):
    write(tmp_path / "config.xml", '<View><Text name="t" value="$title"/><Labels name="label" toName="t"/></View>')
    given = task({"title": "Another title", "body": BODY}, result("t", values(BODY, SPANS["body"])))
    records, _ = read_tasks(tmp_path, [given])
    assert (BODY, SPANS["body"]) in found(records)


@pytest.mark.parametrize("empty", ["", None])
def test_an_empty_text_of_a_task_is_an_empty_passage(tmp_path, empty):
    tasks = [task({"text": BODY}, result("text", values(BODY, SPANS["body"]))), task({"text": empty}, n=2)]
    records, log = read_tasks(tmp_path, tasks)
    assert ([one.text for one in records], log.problems) == ([BODY, ""], [])


def test_the_user_is_not_asked_about_texts_that_nobody_annotated(tmp_path):
    tasks = [{"id": 1, "data": {"title": "x", "body": "y"}, "annotations": [], "predictions": []}]
    assert [one.answer for one in read_tasks(tmp_path, tasks)[0]] == ["not annotated"]
