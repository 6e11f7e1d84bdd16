"""BioC as its library writes it, in XML and JSON."""

import bioc
import pytest
from bioc import biocjson, biocxml
from bioc_exports import BODY, TITLE, annotation, collection, found, passage, read, recognises, sentence


@pytest.fixture(params=["xml", "json"])
def write(request, tmp_path):
    """Write a collection as the library does, as XML and as JSON."""

    def write_collection(found):
        path = tmp_path / f"export.{request.param}"
        path.write_text((biocxml if request.param == "xml" else biocjson).dumps(found), "utf8")
        return path

    return write_collection


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
def test_offsets_in_bytes_or_utf16_are_recognised_by_the_words(write, unit):
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
def test_annotations_with_several_locations_are_read_as_the_user_chooses(write, setting, expected):
    mark = annotation(0, "Left ventricles", "ORGAN", parts=[(100, 4), (115, 10)])
    ((record,), _) = read(write(collection([passage(100, BODY, mark)])), discontinuous=setting)
    assert found(record) == expected
    assert ("discontinuous" in record.spans[0].fault) == (setting == "drop")


def test_locations_with_only_white_space_between_them_are_one_span(write):
    mark = annotation(0, "Left and", parts=[(0, 4), (5, 3)])
    assert found(read(write(collection([passage(0, BODY, mark)])))[0][0]) == [("Left and", "PER")]


def test_a_passage_of_sentences_has_their_texts_at_their_offsets(write):
    inside = [sentence(10, "Anna left.", annotation(10, "Anna")), sentence(22, "Bob too.", annotation(22, "Bob"))]
    ((record,), _) = read(write(collection([passage(10, None, sentences=inside)])))
    assert (record.text, found(record)) == ("Anna left.  Bob too.", [("Anna", "PER"), ("Bob", "PER")])


def test_a_sentence_far_beyond_its_passage_is_a_problem_and_not_padded(write):
    far = passage(0, None, sentences=[sentence(10**12, "Anna left.")])
    records, log = read(write(collection([far], [passage(0, TITLE)])))
    assert [record.document for record in records] == ["doc2"]
    assert "a sentence at 1000000000000 where the passage at 0 has 0 characters" in log.problems[0][1]


def test_annotations_of_the_document_belong_to_the_passage_in_which_they_begin(write):
    whole = collection([passage(0, TITLE), passage(13, BODY)])
    whole.documents[0].add_annotation(annotation(42, "Bob"))
    assert [found(record) for record in read(write(whole))[0]] == [[], [("Bob", "PER")]]


def test_each_annotator_named_by_annotations_has_a_record(write):
    marks = [annotation(2, "Anna", annotator="ann"), annotation(7, "left", "ACT", annotator="bob")]
    records, _ = read(write(collection([passage(0, TITLE, *marks), passage(13, BODY)])))
    assert [(record.annotator, found(record)) for record in records] == [
        ("ann", [("Anna", "PER")]), ("bob", [("left", "ACT")]), ("ann", []), ("bob", []),
    ]  # fmt: skip


def test_an_anonymous_annotation_belongs_to_the_only_annotator_but_to_none_of_several(write):
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
def test_the_user_chooses_what_a_document_without_annotations_means(write, empty, answer):
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
