"""Tags of column files: their scheme, other signs, invalid tags, repairs and inner layers."""

from functools import partial

import pytest
from column_files import PLAIN, entities, read, recognised, write_file


@pytest.fixture
def write(tmp_path):
    return partial(write_file, tmp_path)


def test_lower_case_tags_are_read_like_upper_case_ones(write):
    records, _ = read(write(PLAIN.replace("B-", "b-").replace("I-", "i-").replace(" O", " o")))
    assert entities(records) == [("Anna Smith", "PER"), ("Oslo", "LOC")]


@pytest.mark.parametrize("separator", [":", ".", "/", "|", "_", "+"])
def test_letter_and_label_may_have_another_separator(write, separator):
    records, log = read(write(PLAIN.replace("B-", f"B{separator}").replace("I-", f"I{separator}")))
    assert entities(records) == [("Anna Smith", "PER"), ("Oslo", "LOC")]
    assert f'scheme IOB2, "{separator}" between letter and label; tags in column 2' in log.notes


@pytest.mark.parametrize("outside", ["NONE", "OUT", "null"])
def test_a_word_among_marked_tags_is_read_as_o(write, outside):
    path = write((PLAIN + "\nit O\nhas O\ncome O\n").replace(" O\n", f" {outside}\n"))
    records, log = read(path)
    assert recognised(path)
    assert entities(records) == [("Anna Smith", "PER"), ("Oslo", "LOC")]
    assert f'"{outside}" read as O' in log.notes


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("New B-LOC\nYork E-LOC\nin O\nMay S-DATE\n", "BIOES"),
        ("New B-LOC\nYork M-LOC\nCity E-LOC\nMay S-DATE\n", "BMES"),
        ("New B-LOC\nYork L-LOC\nin O\nMay U-DATE\n", "BILOU"),
        ("New I-LOC\nYork I-LOC\nOslo B-LOC\nin O\nMay I-DATE\n", "IOB1"),
        ("New LOC-B\nYork LOC-I\nin O\nMay DATE-B\n", "IOB2 with the letter after the label"),
    ],
)
def test_scheme_of_the_file_is_used_and_reported(write, text, name):
    records, log = read(write(text))
    assert entities(records)[0][0].startswith("New York")
    assert entities(records)[-1] == ("May", "DATE")
    assert f"scheme {name}; tags in column 2" in log.notes


def test_tags_without_marks_are_read_with_a_note_on_neighbouring_entities(write):
    records, log = read(write("John PER\nSmith PER\nlives O\n\nParis LOC\n. O\n"))
    assert entities(records) == [("John Smith", "PER"), ("Paris", "LOC")]
    assert any("neighbouring entities of one type cannot be told apart" in note for note in log.notes)


def test_underscore_is_read_as_o_and_reported(write):
    records, log = read(write("EU B-ORG\n. _\n\nPeter B-PER\n"))
    assert entities(records) == [("EU", "ORG"), ("Peter", "PER")]
    assert '1 tag "_" read as O, first line 2' in log.notes


def test_minus_is_read_as_not_annotated(write):
    records, log = read(write("He O\nsaw -\nEU B-ORG\n"))
    assert records[0].unknown == ((3, 6),)
    assert any("not annotated, first line 2" in note for note in log.notes)


def test_row_without_a_valid_tag_makes_only_its_token_unknown(write):
    records, log = read(write("EU B-ORG\nrejects\n\nPeter B-PER\n. O\n"))
    assert entities(records) == [("EU", "ORG"), ("Peter", "PER")]
    assert records[0].unknown == ((3, 10),)
    assert [line for line, _ in log.problems] == [2]
    assert 'no valid tag ("rejects")' in log.problems[0][1]
    assert log.n_documents == 2


@pytest.mark.parametrize(("tag", "hint"), [("o", "did you mean O"), ("B-", "expected O, or a tag like B-LOC")])
def test_invalid_tag_is_reported_with_its_line(write, tag, hint):
    _, log = read(write(f"EU B-ORG\n. {tag}\n\nPeter B-PER\n"))
    assert log.problems[0][0] == 2
    assert f'no valid tag ("{tag}"): {hint}' in log.problems[0][1]


def test_invalid_tag_makes_only_its_token_unknown(write):
    records, log = read(write("EU B-ORG\n. o\nPeter B-PER\n"))
    assert entities(records) == [("EU", "ORG"), ("Peter", "PER")]
    assert records[0].unknown == ((3, 4),)
    assert [line for line, _ in log.problems] == [2]


def test_row_without_a_token_is_left_out_if_its_tag_is_o(write):
    records, log = read(write("EU\tB-ORG\n\tO\n.\tO\n\nx\tO\n"))
    assert records[0].words == ("EU", ".")
    assert any("1 row without a token left out, first line 2" in note for note in log.notes)


def test_tag_without_a_token_is_a_problem(write):
    _, log = read(write("EU\tB-ORG\n\tB-LOC\n\nx\tO\n"))
    assert log.problems == [(2, 'no token for the tag "B-LOC"; the row is left out')]


def test_repairs_are_counted_with_their_first_line_and_noted_on_the_span(write):
    records, log = read(write("Peter B-PER\n\nEU O\nUnion I-LOC\n. O\nOslo I-LOC\n"))
    assert "2 tags do not fit IOB2, first line 4: I-LOC after O; read as a new entity" in log.notes
    assert records[1].spans[0].repairs == ("opens an entity: I-LOC after O",)


def test_entities_that_are_not_closed_are_reported(write):
    _, log = read(write("New B-LOC\nYork E-LOC\n\nOslo B-LOC\nis O\n"))
    assert "1 entity not closed as in BIOES, first line 4: ends with B-LOC; kept" in log.notes


def test_inner_layer_is_read_too(write):
    text = "1\tFC\tB-ORG\tO\n2\tKöln\tI-ORG\tB-LOC\n3\tund\tO\tO\n\n1\tOslo\tB-LOC\tO\n"
    records, log = read(write(text))
    assert entities(records) == [("FC Köln", "ORG"), ("Köln", "LOC"), ("Oslo", "LOC")]
    assert any("column 4 is an inner layer" in note for note in log.notes)


def test_second_column_of_tags_that_is_not_an_inner_layer_is_reported_and_not_read(write):
    text = "EU\tB-ORG\tEU\tB-ORG\nand\tO\tand\tO\n\nPeter\tB-PER\tPeter\tO\n"
    records, log = read(write(text))
    assert entities(records) == [("EU", "ORG"), ("Peter", "PER")]
    assert any(
        "columns 2, 4 have tags: column 2 is used" in note and "vars.reading (tag_column=…)" in note
        for note in log.notes
    )


def test_layer_of_other_labels_is_not_an_inner_layer(write):
    text = "FC\tB-org\tO\nKöln\tI-org\tB-comp.place\n\nOslo\tB-loc\tO\n"
    assert entities(read(write(text))[0]) == [("FC Köln", "org"), ("Oslo", "loc")]


def test_other_word_for_outside_is_read_as_o(write):
    records, log = read(write("the OTHER\nEU B-ORG\n. OTHER\n"))
    assert entities(records) == [("EU", "ORG")]
    assert '"OTHER" read as O' in log.notes


def test_label_o_is_kept_and_reported(write):
    records, log = read(write("From B-O\nEU B-ORG\nx O\n"))
    assert entities(records) == [("From", "O"), ("EU", "ORG")]
    assert any('with the label "O", first line 1' in note for note in log.notes)
