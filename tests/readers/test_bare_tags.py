"""Tags that do not say all: marks without a type, and other signs for "no entity" than O."""

import json

import pytest

from domain_ner.annotations.records import FileLog, ReaderOptions
from domain_ner.errors import DomainNerError
from domain_ner.readers.folder import find_exports


@pytest.fixture
def read(tmp_path):
    def read_file(name, content, **options):
        (tmp_path / name).write_text(content, encoding="utf8")
        [file] = find_exports(tmp_path / name, options=ReaderOptions(**options))
        log = FileLog(name)
        return list(file.records(log)), log

    return read_file


def entities(records):
    return [(record.text[span.start : span.end], span.label) for record in records for span in record.spans]


def columns(tags, word="w", gap="\t"):
    return "".join(f"{word}{n}{gap}{tag}\n" if tag else "\n" for n, tag in enumerate(tags.split(" ")))


BARE = [
    ("a.tsv", columns("O B I O  B O")),
    ("a.txt", columns("O B I O  B O", gap=" ")),
    ("a.txt", columns("O B I O  B O", gap="|")),
    ("a.txt", "w0|O w1|B w2|I w3|O\nw5|B w6|O\n"),
    ("a.csv", "word,tag\n" + columns("O B I O O B O", gap=",")),
    (
        "a.jsonl",
        json.dumps({"tokens": ["w0", "w1", "w2"], "ner_tags": ["O", "B", "I"]})
        + "\n"
        + json.dumps({"tokens": ["w5", "w6"], "ner_tags": ["B", "O"]}),
    ),
    (
        "a.conllup",
        "# global.columns = ID FORM NER\n1\tw0\tO\n2\tw1\tB\n3\tw2\tI\n\n1\tw5\tB\n2\tw6\tO\n",
    ),
]


@pytest.mark.parametrize(("name", "content"), BARE)
def test_marks_without_a_type_ask_for_one(read, name, content):
    with pytest.raises(DomainNerError, match=rf"{name}: its tags are B, I and the like without a type") as error:
        read(name, content)
    assert "vars.reading (label=…)" in error.value.fix


@pytest.mark.parametrize(("name", "content"), BARE)
def test_marks_without_a_type_are_entities_of_the_type_that_is_named(read, name, content):
    records, log = read(name, content, label="DISEASE")
    assert entities(records) == [("w1 w2", "DISEASE"), ("w5", "DISEASE")]
    assert any("without a type: every entity is DISEASE (label=…)" in note for note in log.notes)


@pytest.mark.parametrize(
    ("tags", "scheme", "found"),
    [
        ("B I E O S  S O", "BIOES", ["w0 w1 w2", "w4", "w6"]),
        ("B M E O S  S O", "BMES", ["w0 w1 w2", "w4", "w6"]),
        ("B I L O U  U O", "BILOU", ["w0 w1 w2", "w4", "w6"]),
        ("I I O I  O I", "IOB1", ["w0 w1", "w3", "w6"]),
        ("S O S  O S", "BIOES", ["w0", "w2", "w5"]),
        ("b i o o  o b o o o", "IOB2", ["w0 w1", "w6"]),
        ("B I - - -  - B - -", "IOB2", ["w0 w1", "w7"]),
        ("B I O x  B O B I O", "IOB2", ["w0 w1", "w5", "w7 w8"]),
    ],
)
def test_all_schemes_have_marks_without_a_type(read, tags, scheme, found):
    records, log = read("a.tsv", columns(tags), label="X")
    assert entities(records) == [(words, "X") for words in found]
    assert log.notes[0].startswith(f"scheme {scheme} without a type")


@pytest.mark.parametrize("tags", ["L M O  M O L L M", "LOC O LOC  O PER PER"])
def test_letters_that_no_entity_begins_with_are_types(read, tags):
    assert {label for _, label in entities(read("a.tsv", columns(tags))[0])} == set(tags.split()) - {"O"}


def test_a_type_that_is_named_changes_no_other_file(read):
    assert entities(read("a.tsv", columns("B-LOC I-LOC O"), label="X")[0]) == [("w0 w1", "LOC")]


def test_types_stand_before_marks_in_other_columns(read):
    text = "EU B B-NP B-ORG\nsays O O O\n\nOslo B B-NP B-LOC\n"
    assert entities(read("a.conll", text)[0]) == [("EU", "ORG"), ("Oslo", "LOC")]


@pytest.mark.parametrize("outside", ["-", "o", "0"])
@pytest.mark.parametrize("tag", ["B-ORG I-ORG", "B_ORG I_ORG", "ORG_B ORG_I"])
def test_the_commonest_sign_is_outside_where_there_is_no_o(read, outside, tag):
    tags = f"X {tag} X X  X X".replace("X", outside) + "  " + tag.replace("ORG", "LOC") + f" {outside}"
    records, log = read("a.tsv", columns(tags))
    assert [label for _, label in entities(records)] == ["ORG", "LOC"]
    assert [record.unknown for record in records] == [()] * 3
    assert f'"{outside}" read as O, there being no O: known to be no entity' in log.notes
    assert log.problems == []


def test_minus_is_outside_of_types_without_marks(read):
    records, _ = read("a.tsv", columns("- LOC - -  PER - -  LOC - PER"))
    assert entities(records) == [("w1", "LOC"), ("w5", "PER"), ("w9", "LOC"), ("w11", "PER")]


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.csv", "word,tag\n" + columns("- B-ORG - - -", gap=",")),
        ("a.jsonl", json.dumps({"tokens": [f"w{n}" for n in range(5)], "ner_tags": ["-", "B-ORG", "-", "-", "-"]})),
        ("a.txt", "w0|- w1|B-ORG w2|- w3|- w4|-\n"),
    ],
)
def test_every_format_with_tags_knows_other_signs_for_outside(read, name, content):
    records, log = read(name, content)
    assert (entities(records), records[0].unknown) == ([("w1", "ORG")], ())
    assert any('"-" read as O' in note for note in log.notes)


def test_minus_is_not_annotated_where_there_is_an_o(read):
    records, _ = read("a.tsv", columns("- B-ORG O - - -"))
    assert len(records[0].unknown) == 4


def test_minus_is_not_annotated_where_it_is_not_by_far_the_commonest(read):
    records, _ = read("a.tsv", columns("- B-ORG I-ORG I-ORG B-LOC"))
    assert records[0].unknown == ((0, 2),)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.tsv", columns("B_PER I_PER O")),
        ("a.csv", "word,tag\n" + columns("B_PER I_PER O", gap=",")),
        ("a.jsonl", json.dumps({"tokens": ["w0", "w1"], "ner_tags": ["B_PER", "I_PER"]})),
        ("a.txt", "w0|B_PER w1|I_PER\n"),
        ("a.conllup", "# global.columns = ID FORM NER\n1\tw0\tB_PER\n2\tw1\tI_PER\n"),
    ],
)
def test_the_separator_is_told_for_every_format_with_tags(read, name, content):
    records, log = read(name, content)
    assert entities(records) == [("w0 w1", "PER")]
    assert any('"_" between letter and label' in note for note in log.notes)
