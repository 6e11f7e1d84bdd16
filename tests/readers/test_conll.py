import pytest

from domain_ner.annotations.records import FileLog, ReaderOptions, Sample
from domain_ner.errors import DomainNerError
from domain_ner.readers.columns import conll
from domain_ner.readers.text_files.decoding import read_sample


@pytest.fixture
def write(tmp_path):
    def write_file(text, name="file.conll"):
        path = tmp_path / name
        path.write_bytes(text if isinstance(text, bytes) else text.encode("utf-8"))
        return path

    return write_file


def read(path, **options):
    log = FileLog(path.name)
    return list(conll.read(path, ReaderOptions(**options), log)), log


def entities(records):
    return [(record.text[span.start : span.end], span.label) for record in records for span in record.spans]


def recognised(path):
    text, whole = read_sample(path)
    return conll.recognises(Sample(path, text, whole))


PLAIN = "Anna B-PER\nSmith I-PER\nsings O\n\nOslo B-LOC\n. O\n"


def test_sentences_become_records_with_words_and_text_of_single_spaces(write):
    records, log = read(write(PLAIN))
    assert [(record.text, record.line, record.words, record.spaces) for record in records] == [
        ("Anna Smith sings", 1, ("Anna", "Smith", "sings"), None),
        ("Oslo .", 5, ("Oslo", "."), None),
    ]
    assert entities(records) == [("Anna Smith", "PER"), ("Oslo", "LOC")]
    assert (log.n_documents, log.problems) == (2, [])


def test_scheme_and_column_are_told(write):
    assert "scheme IOB2; tags in column 2" in read(write(PLAIN))[1].notes


def test_tags_in_small_letters_are_read_as_those_in_capitals(write):
    records, _ = read(write(PLAIN.replace("B-", "b-").replace("I-", "i-").replace(" O", " o")))
    assert entities(records) == [("Anna Smith", "PER"), ("Oslo", "LOC")]


@pytest.mark.parametrize("separator", [":", ".", "/", "|", "_", "+"])
def test_letter_and_label_may_have_another_separator(write, separator):
    records, log = read(write(PLAIN.replace("B-", f"B{separator}").replace("I-", f"I{separator}")))
    assert entities(records) == [("Anna Smith", "PER"), ("Oslo", "LOC")]
    assert f'scheme IOB2, "{separator}" between letter and label; tags in column 2' in log.notes


@pytest.mark.parametrize("outside", ["NONE", "OUT", "null"])
def test_a_word_beside_marked_tags_is_outside(write, outside):
    path = write((PLAIN + "\nit O\nhas O\ncome O\n").replace(" O\n", f" {outside}\n"))
    records, log = read(path)
    assert recognised(path)
    assert entities(records) == [("Anna Smith", "PER"), ("Oslo", "LOC")]
    assert f'"{outside}" read as O' in log.notes


@pytest.mark.parametrize(
    "row",
    ["{tag} {pos} {word}", "{pos} {tag} {word}", "{tag} 0 0 {pos} {word} x x 0", "{word} {pos} {tag}"],
    ids=["tag first", "tag between", "Illinois", "tag last"],
)
def test_words_are_told_from_parts_of_speech(write, row):
    sentences = [
        [("Anna", "NNP", "B-PER"), ("Smith", "NNP", "I-PER"), ("sings", "VBZ", "O")],
        [("Oslo", "NNP", "B-LOC"), ("fell", "VBD", "O")],
    ]
    lines = [[row.format(word=word, pos=pos, tag=tag) for word, pos, tag in sentence] for sentence in sentences]
    records, _ = read(write("\n\n".join(map("\n".join, lines)) + "\n"))
    assert [record.text for record in records] == ["Anna Smith sings", "Oslo fell"]
    assert entities(records) == [("Anna Smith", "PER"), ("Oslo", "LOC")]


@pytest.mark.parametrize("line_end", ["\r\n", "\r"])
def test_other_line_ends_are_line_ends(write, line_end):
    assert entities(read(write(PLAIN.replace("\n", line_end)))[0]) == [("Anna Smith", "PER"), ("Oslo", "LOC")]


@pytest.mark.parametrize("blank", [" ", "\t", " \t "])
def test_line_of_white_space_ends_a_sentence(write, blank):
    assert len(read(write(PLAIN.replace("\n\n", f"\n{blank}\n")))[0]) == 2


def test_byte_order_mark_is_no_part_of_the_first_token(write):
    records, log = read(write(b"\xef\xbb\xbf" + PLAIN.encode()))
    assert records[0].words[0] == "Anna"
    assert any("byte-order mark" in note for note in log.notes)


def test_tags_are_found_in_the_last_of_four_columns_beside_base_phrases(write):
    text = "EU NNP B-NP B-ORG\nrejects VBZ B-VP O\n\nPeter NNP I-NP B-PER\n. . O O\n"
    records, log = read(write(text))
    assert entities(records) == [("EU", "ORG"), ("Peter", "PER")]
    assert any("column 4" in note for note in log.notes)


def test_base_phrases_are_read_where_there_is_nothing_else(write):
    assert entities(read(write("EU NNP B-NP\nrejects VBZ B-VP\n. . O\n"))[0]) == [("EU", "NP"), ("rejects", "VP")]


def test_tags_before_the_tokens_are_found(write):
    assert entities(read(write("O\tfilms\nO\tby\nB-DIR\tJane\nI-DIR\tCampion\n"))[0]) == [("Jane Campion", "DIR")]


def test_tags_between_an_index_and_an_annotator_are_found_in_rows_of_different_length(write):
    text = "# text = The AP .\n1\tThe\tO\n2\tAP\tB-ORG\t-\tkim\n3\t.\tO\n\n1\tYes\tO\n"
    records, log = read(write(text))
    assert entities(records) == [("AP", "ORG")]
    assert records[0].words == ("The", "AP", ".")
    assert log.problems == []


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
def test_scheme_of_the_file_is_used_and_told(write, text, name):
    records, log = read(write(text))
    assert entities(records)[0][0].startswith("New York")
    assert entities(records)[-1] == ("May", "DATE")
    assert f"scheme {name}; tags in column 2" in log.notes


def test_tags_without_marks_are_read_and_what_they_cannot_tell_is_told(write):
    records, log = read(write("John PER\nSmith PER\nlives O\n\nParis LOC\n. O\n"))
    assert entities(records) == [("John Smith", "PER"), ("Paris", "LOC")]
    assert any("neighbouring entities of one type cannot be told apart" in note for note in log.notes)


def test_docstart_lines_number_the_documents(write):
    text = f"-DOCSTART- -X- -X- O\n\n{PLAIN}\n-DOCSTART-\tO\n\nBonn B-LOC\n"
    records, log = read(write(text))
    assert [record.document for record in records] == ["1", "1", "2"]
    assert "2 documents (-DOCSTART-)" in log.notes


def test_comments_are_skipped_and_give_id_and_meta(write):
    text = "# sent_id = 7\n# lang = en\nEU B-ORG\n. O\n\n# sent_id = 8\nPeter B-PER\n"
    records, log = read(write(text))
    assert [(record.document, record.text) for record in records] == [("7", "EU ."), ("8", "Peter")]
    assert records[0].meta == {"sent_id": "7", "lang": "en"}
    assert "3 comment lines skipped" in log.notes


def test_document_of_a_comment_holds_until_the_next(write):
    text = "# newdoc id = a\n# sent_id = 1\nEU B-ORG\n\n# sent_id = 2\nx O\n\n# newdoc id = b\ny O\n"
    assert [record.document for record in read(write(text))[0]] == ["a", "a", "b"]


@pytest.mark.parametrize("token", ["#MH17", "#"])
def test_token_that_begins_like_a_comment_is_kept(write, token):
    records, _ = read(write(f"RIP\tO\n{token}\tB-EVENT\n\n# a comment\nx\tO\n"))
    assert entities(records) == [(token, "EVENT")]


def test_text_in_a_comment_gives_the_spaces(write):
    records, _ = read(write("# text = Yes (EU).\nYes O\n( O\nEU B-ORG\n) O\n. O\n"))
    assert records[0].text == "Yes (EU)."
    assert entities(records) == [("EU", "ORG")]


def test_header_names_the_columns(write):
    text = "TOKEN\tNE-COARSE-LIT\tMISC\nthe\tO\t_\nEU\tB-ORG\tNoSpaceAfter\n.\tO\tEndOfLine\n"
    records, log = read(write(text))
    assert records[0].text == "the EU."
    assert entities(records) == [("EU", "ORG")]
    assert "scheme IOB2; tags in column 2 (NE-COARSE-LIT)" in log.notes


@pytest.mark.parametrize("tag_column", ["3", "fine", "FINE"])
def test_named_column_is_taken(write, tag_column):
    text = "token\tner\tfine\nEU\tB-ORG\tB-union\nis\tO\tO\n"
    assert entities(read(write(text), tag_column=tag_column)[0]) == [("EU", "union")]


def test_column_that_is_not_there_is_an_error(write):
    with pytest.raises(DomainNerError, match="there is no column '5'; the file has 2 columns"):
        read(write(PLAIN), tag_column="5")


def test_column_without_tags_is_an_error(write):
    with pytest.raises(DomainNerError, match="column 1 has no tags"):
        read(write(PLAIN), tag_column="1")


def test_file_without_tags_is_an_error_that_names_it(write):
    with pytest.raises(DomainNerError, match="file.conll: no column has tags"):
        read(write("just words\nof text\n"))


def test_file_without_rows_is_an_error(write):
    with pytest.raises(DomainNerError, match="has no rows"):
        read(write("# nothing\n\n"))


def test_no_break_space_belongs_to_its_token(write):
    records, log = read(write("New\u00a0York\tB-LOC\nis\tO\n"))
    assert entities(records) == [("New\u00a0York", "LOC")]
    assert any("1 token with white space, first line 1" in note for note in log.notes)


def test_token_with_a_space_in_a_file_split_at_spaces_is_put_together(write):
    records, log = read(write("in O\nNew York B-LOC\n. O\nOslo B-LOC\n"))
    assert entities(records) == [("New York", "LOC"), ("Oslo", "LOC")]
    assert any("1 row of another length, first line 2 (3 columns, most have 2)" in note for note in log.notes)


def test_row_split_at_a_space_among_rows_split_at_tabs_is_read(write):
    text = "a\tO\n" * 19 + "Gruber B-PER\n"
    assert entities(read(write(text))[0]) == [("Gruber", "PER")]


def test_columns_of_offsets_are_told_and_give_the_spaces(write):
    records, log = read(write("(\t0\t1\tO\nEU\t1\t3\tB-ORG\nsays\t4\t8\tO\n"))
    assert records[0].text == "(EU says"
    assert "columns 2 and 3 are offsets" in log.notes


def test_column_of_plus_and_minus_gives_the_spaces(write):
    records, _ = read(write("a O +\nFrench B-LOC -\n- O -\nspeaking O +\n"))
    assert records[0].text == "a French-speaking"


def test_spaces_after_a_token_are_read_from_a_column_of_features(write):
    records, _ = read(write("1\tEU\tB-ORG\tSpaceAfter=No|x=1\n2\t.\tO\t_\n"))
    assert (records[0].text, records[0].spaces) == ("EU.", (False, False))


def test_underscore_is_read_as_o_and_told(write):
    records, log = read(write("EU B-ORG\n. _\n\nPeter B-PER\n"))
    assert entities(records) == [("EU", "ORG"), ("Peter", "PER")]
    assert '1 tag "_" read as O, first line 2' in log.notes


def test_minus_is_read_as_not_annotated(write):
    records, log = read(write("He O\nsaw -\nEU B-ORG\n"))
    assert records[0].unknown == ((3, 6),)
    assert any("not annotated, first line 2" in note for note in log.notes)


def test_row_without_a_valid_tag_costs_its_token_alone(write):
    records, log = read(write("EU B-ORG\nrejects\n\nPeter B-PER\n. O\n"))
    assert entities(records) == [("EU", "ORG"), ("Peter", "PER")]
    assert records[0].unknown == ((3, 10),)
    assert [line for line, _ in log.problems] == [2]
    assert 'no valid tag ("rejects")' in log.problems[0][1]
    assert log.n_documents == 2


@pytest.mark.parametrize(("tag", "hint"), [("o", "did you mean O"), ("B-", "expected O, or a tag like B-LOC")])
def test_invalid_tag_is_told_with_its_line(write, tag, hint):
    _, log = read(write(f"EU B-ORG\n. {tag}\n\nPeter B-PER\n"))
    assert log.problems[0][0] == 2
    assert f'no valid tag ("{tag}"): {hint}' in log.problems[0][1]


def test_invalid_tag_costs_its_token_alone(write):
    records, log = read(write("EU B-ORG\n. o\nPeter B-PER\n"))
    assert entities(records) == [("EU", "ORG"), ("Peter", "PER")]
    assert records[0].unknown == ((3, 4),)
    assert [line for line, _ in log.problems] == [2]


def test_row_without_a_token_is_left_out_where_it_is_outside(write):
    records, log = read(write("EU\tB-ORG\n\tO\n.\tO\n\nx\tO\n"))
    assert records[0].words == ("EU", ".")
    assert any("1 row without a token left out, first line 2" in note for note in log.notes)


def test_tag_without_a_token_is_a_problem(write):
    _, log = read(write("EU\tB-ORG\n\tB-LOC\n\nx\tO\n"))
    assert log.problems == [(2, 'no token for the tag "B-LOC"; the row is left out')]


def test_repairs_are_told_with_their_number_and_first_line_and_stand_on_the_span(write):
    records, log = read(write("Peter B-PER\n\nEU O\nUnion I-LOC\n. O\nOslo I-LOC\n"))
    assert "2 tags do not fit IOB2, first line 4: I-LOC after O; read as a new entity" in log.notes
    assert records[1].spans[0].repairs == ("opens an entity: I-LOC after O",)


def test_entities_that_are_not_closed_are_told(write):
    _, log = read(write("New B-LOC\nYork E-LOC\n\nOslo B-LOC\nis O\n"))
    assert "1 entity not closed as in BIOES, first line 4: ends with B-LOC; kept" in log.notes


def test_inner_layer_is_read_too(write):
    text = "1\tFC\tB-ORG\tO\n2\tKöln\tI-ORG\tB-LOC\n3\tund\tO\tO\n\n1\tOslo\tB-LOC\tO\n"
    records, log = read(write(text))
    assert entities(records) == [("FC Köln", "ORG"), ("Köln", "LOC"), ("Oslo", "LOC")]
    assert any("column 4 is an inner layer" in note for note in log.notes)


def test_second_column_of_tags_that_is_no_inner_layer_is_told_and_not_read(write):
    text = "EU\tB-ORG\tEU\tB-ORG\nand\tO\tand\tO\n\nPeter\tB-PER\tPeter\tO\n"
    records, log = read(write(text))
    assert entities(records) == [("EU", "ORG"), ("Peter", "PER")]
    assert any(
        "columns 2, 4 have tags: column 2 is used" in note and "vars.reading (tag_column=…)" in note
        for note in log.notes
    )


def test_layer_of_other_labels_is_no_inner_layer(write):
    text = "FC\tB-org\tO\nKöln\tI-org\tB-comp.place\n\nOslo\tB-loc\tO\n"
    assert entities(read(write(text))[0]) == [("FC Köln", "org"), ("Oslo", "loc")]


def test_language_before_every_token_is_removed(write):
    records, log = read(write("en:Sioux\tB-LOC\nen:Falls\tI-LOC\nen::\tO\n"))
    assert records[0].words == ("Sioux", "Falls", ":")
    assert any('"en:" removed' in note for note in log.notes)


def test_file_without_blank_lines_is_one_document_and_says_so(write):
    records, log = read(write("word O\n" * 150 + "EU B-ORG\n"))
    assert len(records) == 1
    assert "no blank lines: 1 document, the first of 151 tokens" in log.notes


def test_comments_part_documents_where_there_are_no_blank_lines(write):
    records, _ = read(write("# file: a\nEU B-ORG\nsays O\n# file: b\nyes O\n"))
    assert [(record.text, record.meta) for record in records] == [("EU says", {"file": "a"}), ("yes", {"file": "b"})]


def test_tokens_counted_anew_part_sentences_where_there_are_no_blank_lines(write):
    records, _ = read(write("0\tEU\tB-ORG\n1\tsays\tO\n0\tyes\tO\n1\t.\tO\n"))
    assert [record.text for record in records] == ["EU says", "yes ."]


def test_other_word_for_outside_is_read_as_o(write):
    records, log = read(write("the OTHER\nEU B-ORG\n. OTHER\n"))
    assert entities(records) == [("EU", "ORG")]
    assert '"OTHER" read as O' in log.notes


def test_label_o_is_kept_and_told(write):
    records, log = read(write("From B-O\nEU B-ORG\nx O\n"))
    assert entities(records) == [("From", "O"), ("EU", "ORG")]
    assert any('with the label "O", first line 1' in note for note in log.notes)


LABEL_STUDIO = "-DOCSTART- -X- O\nAngela -X- _ B-PER\nsmiles -X- _ O\n\nNo -X- _ O\n"


def test_export_of_label_studio_is_recognised_and_refused(write):
    path = write(LABEL_STUDIO)
    assert recognised(path)
    with pytest.raises(DomainNerError, match="Label Studio's CONLL2003 export, which loses annotations"):
        read(path)


def test_export_of_label_studio_is_read_where_it_is_forced(write):
    assert entities(read(write(LABEL_STUDIO), forced=True)[0]) == [("Angela", "PER")]


def test_labels_with_spaces_of_label_studio_are_refused_too_and_read_whole_where_it_is_forced(write):
    path = write(LABEL_STUDIO.replace("smiles -X- _ O", "Bo -X- _ I-first name").replace("B-PER", "B-first name"))
    with pytest.raises(DomainNerError, match="Label Studio's CONLL2003 export"):
        read(path)
    records, log = read(path, forced=True)
    assert entities(records) == [("Angela Bo", "first name")]
    assert not log.problems


def test_sentences_a_line_are_read(write):
    records, log = read(write("I|PRP|O like|O London|NNP|B-GPE\n\nParis|B-GPE ||O\n", "file.iob"))
    assert [(record.text, record.line) for record in records] == [("I like London", 1), ("Paris |", 3)]
    assert entities(records) == [("London", "GPE"), ("Paris", "GPE")]
    assert "scheme IOB2; one sentence per line" in log.notes


def test_sentence_a_line_without_a_valid_tag_is_a_problem(write):
    text = "a|O b|O c|O d|O e|O f|B-X\ng|O h|x\ni|O j|O k|O l|O m|O n|O o|O p|O\n"
    records, log = read(write(text, "file.iob"))
    assert [record.line for record in records] == [1, 3]
    assert log.problems[0][0] == 2


@pytest.mark.parametrize(
    "text",
    [
        PLAIN,
        "John PER\nSmith PER\nlives O\n",
        "EU B-ORG\n. o\n\nPeter B-PER\n",
        "I|O like|O London|I-GPE\n",
        "1\tEU\tB-ORG\tO\n2\t.\tO\tO\n",
        "x O\ny O\n",
    ],
)
def test_columns_and_sentences_a_line_are_recognised(write, text):
    assert recognised(write(text))


@pytest.mark.parametrize(
    "text",
    [
        "Some words on a line.\nAnd O no others\n",
        '{"text": "O", "label": []}\n',
        '["EU", "O"]\n',
        "T1\tPER 0 4\tAnna\nT2\tLOC 5 9\tOslo\n",
        "Sentence #,Word,POS,Tag\nSentence: 1,EU,NNP,B-org\n,rejects,VBZ,O\n",
        "Sentence: 1\tEU\tNNP\tB-org\n\trejects\tVBZ\tO\n",
        "#FORMAT=WebAnno TSV 3.3\n\n#Text=EU .\n1-1\t0-2\tEU\tB-ORG\n1-2\t3-4\t.\tO\n",
        "#id=1\n1-1\tEU\tB-ORG|B-ORG\t\n1-2\tsays\tO\t\n",
        "1\tEU\tEU\tPROPN\t_\t_\t0\troot\t_\tname=B-ORG\n",
        "one\n",
    ],
)
def test_other_formats_are_not_recognised(write, text):
    assert not recognised(write(text))
