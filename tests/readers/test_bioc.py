import json

import bioc
import pytest
from bioc import biocjson, biocxml

from domain_ner.annotations.records import FileLog, ReaderOptions, Sample
from domain_ner.conversion.offsets import locate
from domain_ner.errors import DomainNerError
from domain_ner.readers.standoff import bioc as reader
from domain_ner.readers.text_files.decoding import read_sample

TITLE, BODY = "😀 Anna left.", "Left and right ventricles of Bob."


def annotation(start, words, label="PER", *, name="T1", parts=(), **infons):
    found = bioc.BioCAnnotation()
    found.id, found.text, found.infons = name, words, {"type": label, **infons}
    for offset, length in parts or [(start, len(words))]:
        found.add_location(bioc.BioCLocation(offset, length))
    return found


def passage(offset, text, *annotations, sentences=(), **infons):
    found = bioc.BioCPassage()
    found.offset, found.infons = offset, infons
    if text is not None:
        found.text = text
    for one in annotations:
        found.add_annotation(one)
    for one in sentences:
        found.add_sentence(one)
    return found


def sentence(offset, text, *annotations):
    found = bioc.BioCSentence()
    found.offset, found.text = offset, text
    for one in annotations:
        found.add_annotation(one)
    return found


def collection(*documents):
    found = bioc.BioCCollection()
    found.source = found.date = found.key = "x"
    for n, passages in enumerate(documents, start=1):
        document = bioc.BioCDocument()
        document.id, document.infons = f"doc{n}", {"journal": "J"}
        for one in passages:
            document.add_passage(one)
        found.add_document(document)
    return found


@pytest.fixture(params=["xml", "json"])
def write(request, tmp_path):
    """Write a collection as the library does, as XML and as JSON."""

    def write_collection(found):
        path = tmp_path / f"export.{request.param}"
        path.write_text((biocxml if request.param == "xml" else biocjson).dumps(found), "utf8")
        return path

    return write_collection


@pytest.fixture
def write_text(tmp_path):
    def write_one(text, name="export.xml"):
        path = tmp_path / name
        path.write_text(text if isinstance(text, str) else json.dumps(text), "utf8")
        return path

    return write_one


def read(path, **options):
    log = FileLog(path.name)
    return list(reader.read(path, ReaderOptions(**options), log)), log


def recognises(path):
    text, whole = read_sample(path)
    return reader.recognises(Sample(path, text, whole))


def found(record):
    located = zip(record.spans, locate(record, None), strict=True)
    return [(record.text[at.start : at.end] if at.start is not None else None, span.label) for span, at in located]


def test_what_the_library_writes_is_recognised_and_read(write):
    path = write(collection([passage(0, TITLE, annotation(2, "Anna")), passage(13, BODY, annotation(42, "Bob"))]))
    records, log = read(path)
    assert recognises(path)
    assert [(record.text, found(record)) for record in records] == [
        (TITLE, [("Anna", "PER")]),
        (BODY, [("Bob", "PER")]),
    ]
    assert ({record.document for record in records}, log.n_documents, log.notes, log.problems) == ({"doc1"}, 1, [], [])


def test_infons_are_meta(write):
    ((record,), _) = read(write(collection([passage(0, TITLE, section="abstract")])))
    assert record.meta == {"journal": "J", "section": "abstract"}


@pytest.mark.parametrize("unit", ["utf-8", "utf-16-le"])
def test_offsets_in_bytes_or_utf16_are_told_by_the_words(write, unit):
    def size(text):
        return len(text.encode(unit)) // (2 if unit == "utf-16-le" else 1)

    text = "😀 Zoë met 😀 Anna."
    marks = [
        annotation(0, words, parts=[(size(text[: text.index(words)]), size(words))], name=words)
        for words in ("Zoë", "Anna")
    ]
    ((record,), _) = read(write(collection([passage(0, text, *marks)])))
    assert found(record) == [("Zoë", "PER"), ("Anna", "PER")]


def test_nested_and_overlapping_annotations_are_all_read(write):
    marks = [annotation(9, "right ventricles", "ORGAN"), annotation(15, "ventricles", "PART"), annotation(0, BODY, "S")]
    ((record,), _) = read(write(collection([passage(0, BODY, *marks)])))
    assert found(record) == [("right ventricles", "ORGAN"), ("ventricles", "PART"), (BODY, "S")]


@pytest.mark.parametrize(
    ("setting", "expected"),
    [
        ("drop", [(None, "ORGAN")]),
        ("envelope", [("Left and right ventricles", "ORGAN")]),
        ("fragments", [("Left", "ORGAN"), ("ventricles", "ORGAN")]),
    ],
)
def test_annotations_of_several_locations_are_read_as_the_user_says(write, setting, expected):
    mark = annotation(0, "Left ventricles", "ORGAN", parts=[(100, 4), (115, 10)])
    ((record,), _) = read(write(collection([passage(100, BODY, mark)])), discontinuous=setting)
    assert found(record) == expected
    assert ("discontinuous" in record.spans[0].fault) == (setting == "drop")


def test_locations_with_only_white_space_between_them_are_one(write):
    mark = annotation(0, "Left and", parts=[(0, 4), (5, 3)])
    assert found(read(write(collection([passage(0, BODY, mark)])))[0][0]) == [("Left and", "PER")]


def test_a_passage_of_sentences_has_their_texts_at_their_offsets(write):
    inside = [sentence(10, "Anna left.", annotation(10, "Anna")), sentence(22, "Bob too.", annotation(22, "Bob"))]
    ((record,), _) = read(write(collection([passage(10, None, sentences=inside)])))
    assert (record.text, found(record)) == ("Anna left.  Bob too.", [("Anna", "PER"), ("Bob", "PER")])


def test_a_sentence_far_behind_its_passage_is_a_problem_and_no_long_text(write):
    far = passage(0, None, sentences=[sentence(10**12, "Anna left.")])
    records, log = read(write(collection([far], [passage(0, TITLE)])))
    assert [record.document for record in records] == ["doc2"]
    assert "a sentence at 1000000000000 where the passage at 0 has 0 characters" in log.problems[0][1]


def test_annotations_of_the_document_belong_to_the_passage_in_which_they_begin(write):
    whole = collection([passage(0, TITLE), passage(13, BODY)])
    whole.documents[0].add_annotation(annotation(42, "Bob"))
    assert [found(record) for record in read(write(whole))[0]] == [[], [("Bob", "PER")]]


def test_annotators_whom_the_annotations_name_have_a_record_each(write):
    marks = [annotation(2, "Anna", annotator="ann"), annotation(7, "left", "ACT", annotator="bob")]
    records, _ = read(write(collection([passage(0, TITLE, *marks), passage(13, BODY)])))
    assert [(record.annotator, found(record)) for record in records] == [
        ("ann", [("Anna", "PER")]), ("bob", [("left", "ACT")]), ("ann", []), ("bob", []),
    ]  # fmt: skip


def test_what_names_nobody_is_of_the_one_who_is_named_and_of_several_nobodys(write):
    ours, other = annotation(2, "Anna", annotator="ann"), annotation(7, "left")
    records, _ = read(write(collection([passage(0, TITLE, ours, other)])))
    assert [(record.annotator, len(record.spans)) for record in records] == [("ann", 2)]
    third = annotation(7, "left", annotator="bob")
    records, _ = read(write(collection([passage(0, TITLE, ours, other, third)])))
    assert [(record.annotator, len(record.spans)) for record in records] == [("ann", 1), ("bob", 1), ("", 1)]


def test_the_infon_with_the_type_can_be_named(write):
    path = write(collection([passage(0, TITLE, annotation(2, "Anna", semantic="Human"))]))
    assert found(read(path, field="semantic")[0][0]) == [("Anna", "Human")]
    (span,) = read(path, field="other")[0][0].spans
    assert "has no infon 'other' (it has type, semantic): name that of the type in vars.reading (field=…)" in span.fault


@pytest.mark.parametrize(("empty", "answer"), [("negative", "accepted"), ("skip", "not annotated")])
def test_a_document_without_annotations_means_what_the_user_says(write, empty, answer):
    records, _ = read(write(collection([passage(0, TITLE)], [passage(0, BODY, annotation(29, "Bob"))])), empty=empty)
    assert [record.answer for record in records] == [answer, "accepted"]


def test_relations_are_counted(write):
    whole = collection([passage(0, TITLE, annotation(2, "Anna"))])
    relation = bioc.BioCRelation()
    relation.id = "R1"
    relation.add_node(bioc.BioCNode("T1", "x"))
    whole.documents[0].add_relation(relation)
    whole.documents[0].passages[0].add_relation(relation)
    assert read(write(whole))[1].notes == ["not read: 2 relations"]


def test_an_annotation_without_a_location_is_a_fault(write):
    mark = annotation(0, "Anna")
    mark.locations.clear()
    assert read(write(collection([passage(0, TITLE, mark)])))[0][0].spans[0].fault == "annotation T1 has no location"


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("<offset>0</offset>", "<offset>x</offset>", "ValueError"),
        ("<offset>0</offset>", "", "TypeError"),
        (' id="T1"', "", "KeyError: 'id'"),
        ('offset="2"', 'offset=""', "ValueError"),
    ],
)
def test_a_bad_document_does_not_cost_the_others(write_text, old, new, told):
    whole = collection(*[[passage(0, TITLE, annotation(2, "Anna"))]] * 3)
    text = biocxml.dumps(whole)
    first, second, third = text.split("<document>")[1:]
    head = text.split("<document>")[0]
    records, log = read(write_text("<document>".join([head, first, second.replace(old, new), third])))
    assert [record.document for record in records] == ["doc1", "doc3"]
    ((line, message),) = log.problems
    assert (line, log.n_documents) == (6 + first.count("\n"), 3)
    assert told in message


def test_a_file_that_ends_early_is_told_with_what_was_read(write_text):
    text = biocxml.dumps(collection(*[[passage(0, TITLE)]] * 3))
    records, log = read(write_text(text[: text.rindex("<passage>")]))
    assert len(records) == 2
    (problem,) = log.failures
    assert problem.message == "XML ends early; 2 good documents before it"
    assert (problem.cost, problem.n_behind) == ("rest", None)


def test_what_is_behind_a_break_is_guessed_from_what_was_before_it(write_text):
    text = biocxml.dumps(collection(*[[passage(0, TITLE)]] * 100))
    parts = text.split("<document>")
    parts[21] = parts[21].replace("</passage>", "</message>")
    records, log = read(write_text("<document>".join(parts)))
    assert len(records) == 20
    (problem,) = log.failures
    assert problem.cost == "rest"
    assert "invalid XML (Opening and ending tag mismatch" in problem.message
    assert 75 <= problem.n_behind <= 85


def test_the_dtd_that_bioc_names_is_passed_over_and_entities_are_refused(write_text):
    head, body = biocxml.dumps(collection([passage(0, TITLE, annotation(2, "Anna"))])).split("?>", 1)
    path = write_text(f'{head}?><!DOCTYPE collection SYSTEM "BioC.dtd">{body}')
    assert recognises(path)
    assert found(read(path)[0][0]) == [("Anna", "PER")]
    path = write_text(f'{head}?><!DOCTYPE collection SYSTEM "BioC.dtd" [ <!ENTITY a "b"> ]>{body}')
    assert recognises(path)
    with pytest.raises(DomainNerError, match="has a document type declaration"):
        read(path)


MARK = {"infons": {"type": "PER"}, "text": "Anna", "locations": [{"offset": 0, "length": 4}]}
PASSAGE = {"offset": 0, "text": "Anna left", "annotations": [MARK]}
DOCUMENT = {"id": "7", "passages": [PASSAGE]}
SENTENCE = {"bioctype": "BioCSentence"} | PASSAGE


@pytest.mark.parametrize(
    "whole",
    [
        {"PubTator3": [DOCUMENT]}, {"documents": [DOCUMENT]}, [{"source": "PMC", "documents": [DOCUMENT]}], DOCUMENT,
        [DOCUMENT], {"bioctype": "BioCPassage"} | PASSAGE, SENTENCE,
    ],
)  # fmt: skip
def test_json_of_services_and_with_keys_missing_is_read(write_text, whole):
    path = write_text(whole, "export.json")
    ((record,), log) = read(path)
    assert recognises(path)
    assert (record.text, found(record), log.problems) == ("Anna left", [("Anna", "PER")], [])


def test_rows_of_json_are_read_one_a_line(write_text):
    path = write_text("".join(f"{json.dumps(DOCUMENT | {'id': n})}\n" for n in range(3)), "export.jsonl")
    records, _ = read(path)
    assert recognises(path)
    assert [(record.document, record.line) for record in records] == [("0", 1), ("1", 2), ("2", 3)]


@pytest.mark.parametrize(
    "bad",
    [
        5,
        {"passages": [7]},
        {"passages": 3},
        {"passages": [PASSAGE], "infons": "x"},
        {"passages": [PASSAGE | {"text": []}]},
        {"passages": [{"offset": "x", "sentences": [{"offset": 1}]}]},
    ],
)
def test_bad_rows_of_json_do_not_cost_the_others(write_text, bad):
    records, log = read(write_text({"documents": [DOCUMENT, bad, DOCUMENT]}, "export.json"))
    assert len([record for record in records if record.spans]) == 2
    assert log.n_documents == 3
    assert len(log.problems) + len(records) == 3


@pytest.mark.parametrize(("offset", "length"), [("0", 4.0), (0.0, "4")])
def test_offsets_are_whole_numbers_however_they_are_written(write_text, offset, length):
    mark = MARK | {"locations": [{"offset": offset, "length": length}]}
    path = write_text({"documents": [{"passages": [PASSAGE | {"offset": "0", "annotations": [mark]}]}]}, "export.json")
    assert found(read(path)[0][0]) == [("Anna", "PER")]


def test_offsets_that_are_no_numbers_are_a_fault(write_text):
    mark = MARK | {"locations": [{"offset": "x", "length": 4}]}
    path = write_text({"documents": [{"passages": [PASSAGE | {"annotations": [mark]}]}]}, "export.json")
    assert "expected whole numbers" in read(path)[0][0].spans[0].fault


@pytest.mark.parametrize(
    "text", ["<collection><x/></collection>", "<View/>", '{"documents": [{"text": "a"}]}', "[]", "[1]", "{", "x"]
)
def test_other_files_are_not_recognised(write_text, text):
    assert not recognises(write_text(text, "some.json"))
