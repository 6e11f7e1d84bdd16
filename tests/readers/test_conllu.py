import pytest

from domain_ner.annotations.records import FileLog, ReaderOptions, Sample
from domain_ner.errors import DomainNerError
from domain_ner.readers.columns import conllu
from domain_ner.readers.text_files.decoding import read_sample


@pytest.fixture
def write(tmp_path):
    def write_file(*rows, name="file.conllu"):
        path = tmp_path / name
        path.write_text("\n".join(rows) + "\n", encoding="utf-8")
        return path

    return write_file


def row(word_id, form, misc="_", *more):
    return "\t".join([str(word_id), form, form, "X", "_", "_", "0", "dep", "_", misc, *more])


def read(path, **options):
    log = FileLog(path.name)
    return list(conllu.read(path, ReaderOptions(**options), log)), log


def entities(records):
    return [(record.text[span.start : span.end], span.label) for record in records for span in record.spans]


def recognised(path):
    text, whole = read_sample(path)
    return conllu.recognises(Sample(path, text, whole))


@pytest.mark.parametrize("key", ["name", "NE", "NER", "ner", "Nertag"])
@pytest.mark.parametrize("label", ["PER", "Loc", "LOC2", "GPE-LOC"])
def test_tags_are_found_under_any_key_of_misc_and_labels_are_kept(write, key, label):
    path = write(row(1, "Per", f"{key}=B-{label}"), row(2, "Olsen", f"{key}=I-{label}"), row(3, "ler", f"{key}=O"))
    records, log = read(path)
    assert entities(records) == [("Per Olsen", label)]
    assert f"scheme IOB2; names in MISC ({key}=)" in log.notes


def test_word_without_the_key_is_outside(write):
    records, _ = read(write(row(1, "Oslo", "name=B-LOC"), row(2, "er", "Gloss=is")))
    assert entities(records) == [("Oslo", "LOC")]


def test_text_is_rebuilt_with_space_after(write):
    path = write(
        "# text = Oslo, ja.",
        row(1, "Oslo", "SpaceAfter=No|name=B-LOC"),
        row(2, ","),
        row(3, "ja", "SpaceAfter=No"),
        row(4, "."),
    )
    records, log = read(path)
    assert (records[0].text, records[0].spaces) == ("Oslo, ja.", (False, True, False, False))
    assert not any("# text" in note for note in log.notes)


def test_text_in_the_comment_stands_where_space_after_differs_and_it_is_told(write):
    path = write("# text = (Oslo)", row(1, "(", "SpaceAfter=No"), row(2, "Oslo", "name=B-LOC"), row(3, ")"))
    records, log = read(path)
    assert records[0].text == "(Oslo)"
    assert "1 text with other spaces in `# text` than by SpaceAfter, first line 2: `# text` is used" in log.notes


def test_text_of_other_words_is_told(write):
    records, log = read(write("# text = In Bergen", row(1, "I"), row(2, "Oslo", "name=B-LOC")))
    assert (records[0].text, records[0].spaces) == ("I Oslo", None)
    assert any("1 text does not agree with `# text`, first line 2" in note for note in log.notes)


def test_spaces_are_unknown_where_nothing_says_them(write):
    assert read(write(row(1, "Oslo", "name=B-LOC"), row(2, ".")))[0][0].spaces is None


def test_documents_and_sentences_are_named(write):
    path = write(
        "# sent_id = s0", row(1, "Oslo", "name=B-LOC"), "",
        "# newdoc id = d1", "# sent_id = s1", row(1, "Oslo", "name=B-LOC"), "", "",
        "# sent_id = s2", row(1, "Oslo", "name=B-LOC"), "",
        "# newdoc", row(1, "Oslo", "name=B-LOC"),
    )  # fmt: skip
    records, log = read(path)
    assert [record.document for record in records] == ["s0", "d1", "d1", "newdoc 2"]
    assert records[2].meta == {"sent_id": "s2"}
    assert [record.line for record in records] == [2, 6, 10, 13]
    assert log.n_documents == 4


def test_comment_inside_a_sentence_does_not_end_it(write):
    assert len(read(write(row(1, "Oslo", "name=B-LOC"), "# remark", row(2, ".")))[0]) == 1


def test_column_named_in_global_columns_is_read(write):
    path = write("# global.columns = ID FORM NER MISC", "1\tOslo\tB-LOC\tSpaceAfter=No", "2\t.\tO\t_", name="x.conllup")
    records, log = read(path)
    assert records[0].text == "Oslo."
    assert entities(records) == [("Oslo", "LOC")]
    assert "scheme IOB2; names in NER" in log.notes


def test_eleventh_column_without_a_header_is_read(write):
    records, log = read(write(row(1, "Oslo", "_", "B-LOC"), row(2, "by", "_", "I-LOC"), row(3, ".", "_", "O")))
    assert entities(records) == [("Oslo by", "LOC")]
    assert "scheme IOB2; names in column 11" in log.notes


def test_numbered_entities_of_a_column_are_read(write):
    path = write(
        row(1, "Formula", "_", "1:EVENT"), row(2, "1", "_", "1;2:NUMBER"), row(3, "a", "_", "*"), row(4, "x", "_", "1")
    )
    records, log = read(path)
    spans = [
        (record.text[span.start : span.end], span.label, span.fault) for record in records for span in record.spans
    ]
    assert spans == [("Formula 1 a x", "EVENT", "discontinuous"), ("1", "NUMBER", "")]
    assert "numbers; names in column 11" in log.notes


BRACKETS = (
    row(1, "The", "Entity=(e1-organization-1-x(e2-object-1"), row(2, "port", "Entity=e2)"), row(3, "of"),
    row(4, "Oslo", "Entity=(e3-place-1)e1)"),
)  # fmt: skip


def test_brackets_are_read_with_what_is_nested_in_them(write):
    records, log = read(write(*BRACKETS))
    assert sorted(entities(records)) == [
        ("Oslo", "place"),
        ("The port", "object"),
        ("The port of Oslo", "organization"),
    ]
    assert "brackets; names in MISC (Entity=)" in log.notes


@pytest.mark.parametrize(
    ("fields", "opening", "closing"),
    [
        ("eid-etype-head", "e1-place-1", "e1"),
        ("entity-GRP-infstat", "place-7-new", "7"),
        ("etype-identity", "place-Oslo", "place"),
    ],
)
def test_fields_of_brackets_are_taken_from_the_header(write, fields, opening, closing):
    path = write(
        f"# global.Entity = {fields}", row(1, "Oslo", f"Entity=({opening}"), row(2, "by", f"Entity={closing})")
    )
    assert entities(read(path)[0]) == [("Oslo by", "place")]


def test_bracket_that_is_not_closed_is_kept_with_its_fault(write):
    records, _ = read(write(row(1, "Oslo", "Entity=(e1-place-1"), row(2, "by")))
    assert [(span.label, span.fault) for span in records[0].spans] == [("place", "its bracket is not closed")]


def test_bracket_that_closes_nothing_is_kept_with_its_fault(write):
    records, _ = read(write(row(1, "a", "Entity=(e1-place-1)"), row(2, "b", "Entity=e9)")))
    assert records[0].spans[1].fault == "the bracket 'e9' closes nothing"


def test_coreference_without_types_is_not_taken_for_names(write):
    path = write("# global.Entity = eid-head", row(1, "Oslo", "Entity=(e1-1)"))
    with pytest.raises(DomainNerError, match="no named entities"):
        read(path)


def test_multiword_token_is_one_token_of_the_text(write):
    path = write(row("1-2", "Vámonos", "SpaceAfter=No"), row(1, "Vamos"), row(2, "nos"), row(3, "Oslo", "name=B-LOC"))
    records, _ = read(path)
    assert records[0].words == ("Vámonos", "Oslo")
    assert entities(records) == [("Oslo", "LOC")]


def test_name_in_a_multiword_token_that_is_made_up_of_its_words_is_exact(write):
    records, _ = read(write(row("1-2", "Osloby"), row(1, "Oslo", "name=B-LOC"), row(2, "by")))
    assert entities(records) == [("Oslo", "LOC")]
    assert records[0].spans[0].repairs == ()


def test_name_in_another_multiword_token_is_all_of_it_and_says_so(write):
    records, _ = read(write(row("1-2", "du"), row(1, "de"), row(2, "le", "name=B-LOC"), row(3, "Lac", "name=I-LOC")))
    assert entities(records) == [("du Lac", "LOC")]
    assert records[0].spans[0].repairs == ("part of a multiword token: read as all of it",)


def test_empty_node_is_no_token(write):
    records, _ = read(write(row(1, "Oslo", "name=B-LOC"), row("1.1", "_"), row(2, "by", "name=I-LOC")))
    assert entities(records) == [("Oslo by", "LOC")]


def test_tags_without_marks_are_read_under_a_key_that_names_them(write):
    path = write(row(1, "Oslo", "NER=LOC"), row(2, "by", "NER=LOC"), row(3, "er"), row(4, "x", "Lang=no"))
    assert entities(read(path)[0]) == [("Oslo by", "LOC")]


def test_wanted_key_is_taken(write):
    path = write(row(1, "Oslo", "name=B-LOC|fine=B-city"), row(2, "er", "name=O|fine=O"))
    records, log = read(path)
    assert entities(records) == [("Oslo", "LOC")]
    assert any("names in MISC (fine=) too" in note for note in log.notes)
    assert entities(read(path, tag_column="fine")[0]) == [("Oslo", "city")]


def test_wanted_column_without_names_is_an_error(write):
    with pytest.raises(DomainNerError, match="no named entities in 'Gloss'"):
        read(write(row(1, "Oslo", "name=B-LOC|Gloss=x")), tag_column="Gloss")


def test_repairs_are_told_with_their_line(write):
    records, log = read(write(row(1, "i"), row(2, "Oslo", "name=I-LOC"), "", row(1, "Per", "name=B-PER")))
    assert "1 tag does not fit IOB2, first line 2: I-LOC after O; read as a new entity" in log.notes
    assert records[0].spans[0].repairs == ("opens an entity: I-LOC after O",)


@pytest.mark.parametrize(
    ("bad", "message"),
    [
        (row(2, "by", "name=o"), 'no valid tag ("o")'),
        ("2\tby", "2 columns, expected 10"),
        (row("x", "by"), "the word number is 'x'; expected 1, 1-2 or 1.1"),
    ],
)
def test_bad_row_costs_its_sentence_and_no_other(write, bad, message):
    records, log = read(write(row(1, "Oslo", "name=B-LOC"), bad, "", row(1, "Bergen", "name=B-LOC")))
    assert entities(records) == [("Bergen", "LOC")]
    assert log.problems[0][0] == 2
    assert log.problems[0][1].startswith(message)
    assert log.n_documents == 2


def test_file_without_names_is_an_error_that_lists_what_is_there(write):
    with pytest.raises(DomainNerError, match="no named entities.*found Gloss"):
        read(write(row(1, "Oslo", "Gloss=x")))


def test_file_without_rows_is_an_error(write):
    with pytest.raises(DomainNerError, match="no rows of CoNLL-U"):
        read(write("# nothing"))


def test_rows_of_ten_and_more_columns_and_global_columns_are_recognised(write):
    assert recognised(write("# text = Oslo", row(1, "Oslo", "name=B-LOC")))
    assert recognised(write(row("1-2", "du"), row(1, "de"), row("2.1", "le", "_", "O")))
    assert recognised(write("# global.columns = ID FORM NER", "1\tOslo\tB-LOC"))


@pytest.mark.parametrize("text", ["Oslo\tB-LOC", "1\tOslo\tB-LOC\tO", '{"text": "x"}', "1-1\t0-2\tEU\t_", "a\t" * 11])
def test_other_formats_are_not_recognised(write, text):
    assert not recognised(write(text))
