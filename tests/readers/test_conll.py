"""Files of columns: sentences, documents, which column is which, and where spaces are."""

from functools import partial

import pytest
from column_files import PLAIN, entities, read, recognised, write_file

from domain_ner.errors import DomainNerError


@pytest.fixture
def write(tmp_path):
    return partial(write_file, tmp_path)


def test_sentences_become_records_with_words_joined_by_single_spaces(write):
    records, log = read(write(PLAIN))
    assert [(record.text, record.line, record.words, record.spaces) for record in records] == [
        ("Anna Smith sings", 1, ("Anna", "Smith", "sings"), None),
        ("Oslo .", 5, ("Oslo", "."), None),
    ]
    assert entities(records) == [("Anna Smith", "PER"), ("Oslo", "LOC")]
    assert (log.n_documents, log.problems) == (2, [])


def test_scheme_and_column_are_reported(write):
    assert "scheme IOB2; tags in column 2" in read(write(PLAIN))[1].notes


@pytest.mark.parametrize(
    "row",
    ["{tag} {pos} {word}", "{pos} {tag} {word}", "{tag} 0 0 {pos} {word} x x 0", "{word} {pos} {tag}"],
    ids=["tag first", "tag between", "Illinois", "tag last"],
)
def test_words_and_parts_of_speech_are_told_apart(write, row):
    sentences = [
        [("Anna", "NNP", "B-PER"), ("Smith", "NNP", "I-PER"), ("sings", "VBZ", "O")],
        [("Oslo", "NNP", "B-LOC"), ("fell", "VBD", "O")],
    ]
    lines = [[row.format(word=word, pos=pos, tag=tag) for word, pos, tag in sentence] for sentence in sentences]
    records, _ = read(write("\n\n".join(map("\n".join, lines)) + "\n"))
    assert [record.text for record in records] == ["Anna Smith sings", "Oslo fell"]
    assert entities(records) == [("Anna Smith", "PER"), ("Oslo", "LOC")]


@pytest.mark.parametrize("line_end", ["\r\n", "\r"])
def test_other_line_ends_are_read_too(write, line_end):
    assert entities(read(write(PLAIN.replace("\n", line_end)))[0]) == [("Anna Smith", "PER"), ("Oslo", "LOC")]


@pytest.mark.parametrize("blank", [" ", "\t", " \t "])
def test_line_of_white_space_ends_a_sentence(write, blank):
    assert len(read(write(PLAIN.replace("\n\n", f"\n{blank}\n")))[0]) == 2


def test_byte_order_mark_is_not_part_of_the_first_token(write):
    records, log = read(write(b"\xef\xbb\xbf" + PLAIN.encode()))
    assert records[0].words[0] == "Anna"
    assert any("byte-order mark" in note for note in log.notes)


def test_entity_tags_are_preferred_to_base_phrases(write):
    text = "EU NNP B-NP B-ORG\nrejects VBZ B-VP O\n\nPeter NNP I-NP B-PER\n. . O O\n"
    records, log = read(write(text))
    assert entities(records) == [("EU", "ORG"), ("Peter", "PER")]
    assert any("column 4" in note for note in log.notes)


def test_base_phrases_are_read_if_there_are_no_other_tags(write):
    assert entities(read(write("EU NNP B-NP\nrejects VBZ B-VP\n. . O\n"))[0]) == [("EU", "NP"), ("rejects", "VP")]


def test_tags_before_the_tokens_are_found(write):
    assert entities(read(write("O\tfilms\nO\tby\nB-DIR\tJane\nI-DIR\tCampion\n"))[0]) == [("Jane Campion", "DIR")]


def test_tags_between_an_index_and_an_annotator_are_found_in_rows_of_different_length(write):
    text = "# text = The AP .\n1\tThe\tO\n2\tAP\tB-ORG\t-\tkim\n3\t.\tO\n\n1\tYes\tO\n"
    records, log = read(write(text))
    assert entities(records) == [("AP", "ORG")]
    assert records[0].words == ("The", "AP", ".")
    assert log.problems == []


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


def test_document_named_by_a_comment_lasts_until_the_next(write):
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
def test_named_column_is_used(write, tag_column):
    text = "token\tner\tfine\nEU\tB-ORG\tB-union\nis\tO\tO\n"
    assert entities(read(write(text), tag_column=tag_column)[0]) == [("EU", "union")]


def test_missing_column_is_an_error(write):
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


def test_token_with_a_space_is_joined_in_a_file_split_at_spaces(write):
    records, log = read(write("in O\nNew York B-LOC\n. O\nOslo B-LOC\n"))
    assert entities(records) == [("New York", "LOC"), ("Oslo", "LOC")]
    assert any("1 row of another length, first line 2 (3 columns, most have 2)" in note for note in log.notes)


def test_row_split_at_a_space_among_rows_split_at_tabs_is_read(write):
    text = "a\tO\n" * 19 + "Gruber B-PER\n"
    assert entities(read(write(text))[0]) == [("Gruber", "PER")]


def test_columns_of_offsets_are_reported_and_give_the_spaces(write):
    records, log = read(write("(\t0\t1\tO\nEU\t1\t3\tB-ORG\nsays\t4\t8\tO\n"))
    assert records[0].text == "(EU says"
    assert "columns 2 and 3 are offsets" in log.notes


def test_column_of_plus_and_minus_gives_the_spaces(write):
    records, _ = read(write("a O +\nFrench B-LOC -\n- O -\nspeaking O +\n"))
    assert records[0].text == "a French-speaking"


def test_spaces_after_a_token_are_read_from_a_column_of_features(write):
    records, _ = read(write("1\tEU\tB-ORG\tSpaceAfter=No|x=1\n2\t.\tO\t_\n"))
    assert (records[0].text, records[0].spaces) == ("EU.", (False, False))


def test_language_prefix_of_every_token_is_removed(write):
    records, log = read(write("en:Sioux\tB-LOC\nen:Falls\tI-LOC\nen::\tO\n"))
    assert records[0].words == ("Sioux", "Falls", ":")
    assert any('"en:" removed' in note for note in log.notes)


def test_file_without_blank_lines_is_one_document_with_a_note(write):
    records, log = read(write("word O\n" * 150 + "EU B-ORG\n"))
    assert len(records) == 1
    assert "no blank lines: 1 document, the first of 151 tokens" in log.notes


def test_comments_separate_documents_if_there_are_no_blank_lines(write):
    records, _ = read(write("# file: a\nEU B-ORG\nsays O\n# file: b\nyes O\n"))
    assert [(record.text, record.meta) for record in records] == [("EU says", {"file": "a"}), ("yes", {"file": "b"})]


def test_restarted_token_numbers_separate_sentences_if_there_are_no_blank_lines(write):
    records, _ = read(write("0\tEU\tB-ORG\n1\tsays\tO\n0\tyes\tO\n1\t.\tO\n"))
    assert [record.text for record in records] == ["EU says", "yes ."]


LABEL_STUDIO = "-DOCSTART- -X- O\nAngela -X- _ B-PER\nsmiles -X- _ O\n\nNo -X- _ O\n"


def test_export_of_label_studio_is_recognised_and_refused(write):
    path = write(LABEL_STUDIO)
    assert recognised(path)
    with pytest.raises(DomainNerError, match="Label Studio's CONLL2003 export, which loses annotations"):
        read(path)


def test_export_of_label_studio_is_read_if_it_is_forced(write):
    assert entities(read(write(LABEL_STUDIO), forced=True)[0]) == [("Angela", "PER")]


def test_labels_with_spaces_of_label_studio_are_refused_too_and_read_whole_if_forced(write):
    path = write(LABEL_STUDIO.replace("smiles -X- _ O", "Bo -X- _ I-first name").replace("B-PER", "B-first name"))
    with pytest.raises(DomainNerError, match="Label Studio's CONLL2003 export"):
        read(path)
    records, log = read(path, forced=True)
    assert entities(records) == [("Angela Bo", "first name")]
    assert not log.problems


def test_one_sentence_per_line_is_read(write):
    records, log = read(write("I|PRP|O like|O London|NNP|B-GPE\n\nParis|B-GPE ||O\n", "file.iob"))
    assert [(record.text, record.line) for record in records] == [("I like London", 1), ("Paris |", 3)]
    assert entities(records) == [("London", "GPE"), ("Paris", "GPE")]
    assert "scheme IOB2; one sentence per line" in log.notes


def test_line_of_a_sentence_with_an_invalid_tag_is_a_problem(write):
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
def test_columns_and_one_sentence_per_line_are_recognised(write, text):
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
