"""Label Studio's rows with several texts, dialogues, and answers about regions."""

from functools import partial

import pytest
from label_studio_texts import (
    BODY,
    BOTH,
    CONFIG,
    FORMATS,
    SPANS,
    TITLE,
    found,
    read,
    read_tasks,
    result,
    row,
    task,
    two_text_rows,
    values,
    write,
    write_csv,
    write_rows_as,
)

from domain_ner.errors import DomainNerError


@pytest.fixture(params=FORMATS)
def write_rows(request, tmp_path):
    return partial(write_rows_as, request.param, tmp_path)


# Rows


def test_a_region_of_a_row_belongs_to_the_text_that_has_its_words(write_rows):
    records, _ = read(write_rows(two_text_rows()))
    assert sorted(found(records)) == sorted(BOTH)
    assert records[0].meta == {"site": "a"}


def test_without_words_the_user_is_asked_if_several_texts_are_long_enough(write_rows):
    path = write_rows(two_text_rows(said=False))
    with pytest.raises(DomainNerError, match="4 regions of 'names' may lie on (title or body|body or title)"):
        read(path)
    records, _ = read(path, field="names=title,people=body")
    assert sorted(found(records)) == sorted(BOTH)


def test_two_labelling_tags_may_label_one_text(write_rows):
    regions = {"people": values(BODY, SPANS["body"][:2]), "places": values(BODY, SPANS["body"][2:])}
    records, _ = read(write_rows([row(regions, text=BODY, source="Bob wrote it")]))
    assert found(records) == [(BODY, SPANS["body"])]
    assert records[0].meta == {"source": "Bob wrote it"}


def test_an_empty_text_is_an_empty_passage(write_rows):
    rows = [row({"label": values(BODY, SPANS["body"])}, text=BODY), row({}, n=2, text="")]
    records, log = read(write_rows(rows))
    assert (found(records), log.problems) == ([(BODY, SPANS["body"]), ("", [])], [])


def test_a_text_under_a_key_that_label_studio_renamed_is_found(tmp_path):
    path = write_csv(tmp_path / "x.csv", [row({"text": values(BODY, SPANS["body"])}, _data_text=BODY, site="a")])
    (record,), log = read(path)
    assert (found([record]), record.meta, log.notes) == ([(BODY, SPANS["body"])], {"site": "a"}, [])


def test_a_text_overwritten_by_its_regions_is_reported(tmp_path):
    _, log = read(write(tmp_path / "min.json", [row({"text": values(BODY, SPANS["body"])})]))
    assert "regions take the place of a text whose key is the name of their tag: export JSON" in log.problems[0][1]
    with pytest.raises(DomainNerError, match="occur in none of site"):
        read(write(tmp_path / "min.json", [row({"text": values(BODY, SPANS["body"])}, site="a")]))


@pytest.mark.parametrize("field", ["", "title"])
def test_the_user_is_asked_if_no_text_has_a_region(write_rows, field):
    path = write_rows([row({}, title="One thing", body="Another thing"), row({}, n=2, title="x", body="y")])
    if not field:
        with pytest.raises(DomainNerError, match="there is no region: (title or body|body or title)"):
            read(path)
    else:
        assert [one.text for one in read(path, field=field)[0]] == ["One thing", "x"]


def test_a_config_decides_the_text_of_each_labelling_tag(tmp_path, write_rows):
    write(tmp_path / "config.xml", CONFIG)
    records, _ = read(write_rows(two_text_rows(said=False)))
    assert sorted(found(records)) == sorted(BOTH)


# Dialogues

SPOKEN = [{"author": "Ann", "text": "Is Bob in Oslo?"}, {"author": "Eve", "text": "No, in Bonn."}]
JOINED = "Is Bob in Oslo?\nNo, in Bonn."


def said_at(number, words, label, paragraphs=SPOKEN, key="text"):
    start = paragraphs[number][key].index(words)
    where = {"start": str(number), "end": str(number), "startOffset": start, "endOffset": start + len(words)}
    return {**where, "text": words, "paragraphlabels": [label]}


IN_DIALOGUE = [said_at(0, "Bob", "PER"), said_at(0, "Oslo", "LOC"), said_at(1, "Bonn", "LOC")]
OF_DIALOGUE = (JOINED, [("Bob", "PER"), ("Oslo", "LOC"), ("Bonn", "LOC")])


def test_a_dialogue_is_the_same_in_every_format(write_rows):
    rows = [row({"label": IN_DIALOGUE}, text=SPOKEN), row({}, n=2, text=SPOKEN[:1])]
    records, log = read(write_rows(rows))
    assert found(records) == [OF_DIALOGUE, ("Is Bob in Oslo?", [])]
    assert log.notes == ["dialogues: paragraphs joined by line ends"]


def test_the_spoken_text_of_a_dialogue_is_under_the_key_that_has_the_words(write_rows):
    spoken = [
        {"speaker": "Doctor Annabel Longname", "said": one["text"], "tone": "calm, and much longer than what is said"}
        for one in SPOKEN
    ]
    records, _ = read(write_rows([row({"label": IN_DIALOGUE}, talk=spoken)]))
    assert found(records) == [OF_DIALOGUE]


def test_a_config_names_the_key_of_the_spoken_text(tmp_path, write_rows):
    config = '<View><Paragraphs name="p" value="$talk" textKey="said" nameKey="speaker"/>{}</View>'
    write(tmp_path / "config.xml", config.format('<ParagraphLabels name="label" toName="p"/>'))
    spoken = [{"speaker": "Ann is here", "said": one["text"]} for one in SPOKEN]
    no_words = [{key: one[key] for key in one if key != "text"} for one in IN_DIALOGUE[:1]]
    records, _ = read(write_rows([row({"label": no_words}, talk=spoken)]))
    assert found(records) == [(JOINED, [("Bob", "PER")])]


def test_paragraphs_with_times_are_not_regions(write_rows):
    timed = [{"text": one["text"], "start": n, "end": n + 4} for n, one in enumerate(SPOKEN)]
    records, _ = read(write_rows([row({"label": IN_DIALOGUE}, talk=timed)]))
    assert found(records) == [OF_DIALOGUE]


def test_a_dialogue_beside_a_text_has_its_own_regions(write_rows):
    regions = {"label": IN_DIALOGUE, "names": values(TITLE, SPANS["title"])}
    records, _ = read(write_rows([row(regions, title=TITLE, talk=SPOKEN)]))
    assert sorted(found(records)) == sorted([(TITLE, SPANS["title"]), OF_DIALOGUE])


# Answers about regions


def answers(**changes):
    at = {"start": 5, "end": 8, "text": "Bob"}
    return [
        {"from_name": "canonical", "to_name": "text", "type": "textarea", "value": {**at, "text": ["Robert"]}},
        {"from_name": "sure", "to_name": "text", "type": "choices", "value": {**at, "choices": ["yes"]}},
        {"from_name": "stars", "to_name": "text", "type": "rating", "value": {**at, "rating": 4}},
        {"from_name": "kind", "to_name": "text", "type": "taxonomy", "value": {**at, "taxonomy": [["A", "B"]]}},
        {"from_name": "age", "to_name": "text", "type": "number", "value": {**at, "number": 40}},
    ]


def test_answers_about_regions_are_noted_and_not_read(tmp_path):
    records, log = read_tasks(tmp_path, [task({"text": BODY}, result("text", values(BODY, SPANS["body"])), answers())])
    assert found(records) == [(BODY, SPANS["body"])]
    kinds = ("textarea", "choices", "rating", "taxonomy", "number")
    assert log.notes == [f"results of type {kind} not read: 1" for kind in kinds]


def test_answers_about_regions_in_rows_are_noted_too(write_rows):
    told = {one["from_name"]: [one["value"], one["value"]] for one in answers()}
    records, log = read(write_rows([row({"label": values(BODY, SPANS["body"]), **told}, text=BODY)]))
    assert (found(records), records[0].meta) == ([(BODY, SPANS["body"])], {})
    assert sorted(log.notes) == sorted(f"answers under '{one['from_name']}' are not read" for one in answers())


def test_an_answer_that_repeats_the_words_is_not_read_as_a_text(write_rows):
    regions = {"label": values(BODY, SPANS["body"]), "canonical": "Bob"}
    records, _ = read(write_rows([row(regions, text=BODY)]))
    assert found(records) == [(BODY, SPANS["body"])]
