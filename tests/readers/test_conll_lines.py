"""Lines of column files: what stands between word and tag, and which lines are comments, ids and white space."""

import pytest

from domain_ner.annotations.records import FileLog, ReaderOptions, Sample
from domain_ner.readers.columns import conll
from domain_ner.readers.text_files.decoding import read_sample


@pytest.fixture
def read(tmp_path):
    def read_file(text, name="file.txt"):
        path = tmp_path / name
        path.write_text(text, encoding="utf8")
        assert conll.recognises(Sample(path, *read_sample(path)))
        log = FileLog(name)
        return list(conll.read(path, ReaderOptions(), log)), log

    return read_file


def entities(records):
    return [(record.text[span.start : span.end], span.label) for record in records for span in record.spans]


@pytest.mark.parametrize(
    "tags",
    ["B-ORG I-ORG O B-LOC O", "B_ORG I_ORG O B_LOC O", "ORG-B ORG-I O LOC-B O", "ORG_B ORG_I O LOC_B O",
     "ORG ORG O LOC O"],
)  # fmt: skip
@pytest.mark.parametrize("joint", ["|", "/", "_", "\\"])
def test_a_word_and_its_tag_may_be_joined_by_a_sign(read, joint, tags):
    if joint == "_" and "_" in tags and "B_" not in tags:
        pytest.skip("ORG_B after a low line cannot be told from a word")
    rows = [f"{word}{joint}{tag}\n" for word, tag in zip(["EU", "bank", "in", "Oslo", "."], tags.split(), strict=True)]
    records, log = read("".join([*rows, "\n", *rows[2:]]))
    assert [record.text for record in records] == ["EU bank in Oslo .", "in Oslo ."]
    assert entities(records) == [("EU bank", "ORG"), ("Oslo", "LOC"), ("Oslo", "LOC")]
    assert f'columns are separated by "{joint}"' in log.notes


@pytest.mark.parametrize("joint", ["|", "/", "_"])
def test_a_word_may_hold_the_sign_too(read, joint):
    text = "a|b|O\n1|2|3|B-X\n||O\n\nEU|B-ORG\nis|O\nso|O\nand|O\nso|O\n".replace("|", joint)
    records, _ = read(text)
    assert records[0].words == ("a|b".replace("|", joint), "1|2|3".replace("|", joint), joint)
    assert entities(records) == [(f"1{joint}2{joint}3", "X"), ("EU", "ORG")]


def test_a_part_of_speech_between_word_and_tag_is_no_part_of_the_word(read):
    records, log = read("The|DT|O\nEU|NN|B-ORG\n||SYM|O\n\nOslo|NN|B-LOC\n")
    assert [record.words for record in records] == [("The", "EU", "|"), ("Oslo",)]
    assert "scheme IOB2; tags in column 3" in log.notes


def test_sentences_a_line_may_be_joined_by_other_signs(read):
    records, log = read("The/O EU/B-ORG 1/2/O\nOslo/B-LOC is/O\n")
    assert [record.text for record in records] == ["The EU 1/2", "Oslo is"]
    assert entities(records) == [("EU", "ORG"), ("Oslo", "LOC")]
    assert 'scheme IOB2; one sentence per line, "/" between word and tag' in log.notes


@pytest.mark.parametrize("text", ["and/or\nyes/no\n\nhome/away\n", "some words\nof text\n", "a|b c|d\ne|f g|h\n"])
def test_words_with_a_sign_in_them_are_no_tags(tmp_path, text):
    (tmp_path / "a.txt").write_text(text, encoding="utf8")
    assert not conll.recognises(Sample(tmp_path / "a.txt", text, whole=True))


SENTENCES = ("EU\tB-ORG\nis\tO\n", "yes\tO\nno\tO\n", "Oslo\tB-LOC\n.\tO\n")


@pytest.mark.parametrize(
    ("marks", "documents"),
    [
        (("###MEDLINE:95\n\n", "", "###MEDLINE:96\n\n"), ["MEDLINE:95", "MEDLINE:95", "MEDLINE:96"]),
        (("###MEDLINE:95\n", "", "###MEDLINE:96\n"), ["MEDLINE:95", "MEDLINE:95", "MEDLINE:96"]),
        (("## k-0\tEU is\n", "## k-1\t<yes:X> no\n", "## k-2\tOslo .\n"), ["k-0", "k-1", "k-2"]),
        (("#a1\n", "#a2\n", "#a3\n"), ["a1", "a2", "a3"]),
        (("# id 5-a\tdomain=en\n", "# id 6-a\tdomain=en\n", "# id 7-a\tdomain=en\n"), ["5-a", "6-a", "7-a"]),
        (("#id: 5\n", "#id: 6\n", "#id: 7\n"), ["5", "6", "7"]),
        (("<doc id='x'>\n", "", "<doc id='y'>\n"), ["x", "x", "y"]),
        (("% one of\n", "% two three\n", "% four\n"), ["", "", ""]),
        (("; EU is\n$EU is so\n", "; yes no\n$yes and no\n", "; Oslo .\n$Oslo .\n"), ["", "", ""]),
        (("## Chapter one\n", "## And so on\n", "## Some more\n"), ["", "", ""]),
    ],
)
@pytest.mark.parametrize("gap", ["\t", " "])
def test_lines_before_a_sentence_are_ids_or_comments_and_no_tokens(read, marks, documents, gap):
    sentences = [sentence.replace("\t", gap) for sentence in SENTENCES]
    records, log = read("\n".join(f"{mark}{sentence}" for mark, sentence in zip(marks, sentences, strict=True)))
    assert [record.text for record in records] == ["EU is", "yes no", "Oslo ."]
    assert [record.document for record in records] == documents
    assert log.problems == []


def test_ids_are_told_with_their_number_and_comments_with_theirs(read):
    text = "\n".join(f"###M:{n}\n% a comment\n{sentence}" for n, sentence in enumerate(SENTENCES))
    notes = read(text)[1].notes
    assert "3 lines with the id of a document, first line 1 (M:0)" in notes
    assert "3 comment lines skipped" in notes


def test_an_id_ends_a_sentence_without_a_blank_line(read):
    records, _ = read("###M:1\nEU\tB-ORG\nis\tO\n###M:2\nyes\tO\n\nno\tO\n")
    assert [(record.text, record.document) for record in records] == [("EU is", "M:1"), ("yes", "M:2"), ("no", "M:2")]


def test_markup_parts_sentences_and_documents(read):
    sentences = [f"<s>\n{sentence}</s>\n" for sentence in SENTENCES]
    text = f'<doc id="a">\n{sentences[0]}{sentences[1]}</doc>\n<doc id="b">\n{sentences[2]}</doc>\n'
    records, log = read(text)
    assert [(record.text, record.document) for record in records] == [("EU is", "a"), ("yes no", "a"), ("Oslo .", "b")]
    assert not any("no blank lines" in note for note in log.notes)


def test_a_token_with_a_tag_is_a_token_whatever_it_looks_like(read):
    text = "\n".join(f"{word}\tB-X\nis\tO\n" for word in ["#MH17", "##ing", "%", ";", "<s>", "$5"])
    assert [text for text, _ in entities(read(text)[0])] == ["#MH17", "##ing", "%", ";", "<s>", "$5"]


def test_a_single_line_with_a_sign_and_no_tag_is_a_problem(read):
    text = "EU\tB-ORG\nis\tO\n\n#broken\nyes\tO\n\n%\nno\tO\n"
    _, log = read(text)
    assert [line for line, _ in log.problems] == [4, 7]


def test_a_token_that_is_a_space_is_the_texts_own(read):
    text = "특\tO\n히\tO\n \tO\n영\tB-LC\n동\tI-LC\n \tI-LC\n로\tI-LC\n\n나\tO\n는\tO\n"
    records, log = read(text)
    assert [record.text for record in records] == ["특히 영동 로", "나는"]
    assert entities(records) == [("영동 로", "LC")]
    assert log.problems == []


def test_a_token_that_is_a_space_is_found_among_columns_apart_by_spaces(read):
    records, log = read("특 O\n히 O\n  O\n영 B-LC\n  I-LC\n로 I-LC\n\n나 O\n는 O\n")
    assert [record.text for record in records] == ["특히 영 로", "나는"]
    assert (entities(records), log.problems) == ([("영 로", "LC")], [])


@pytest.mark.parametrize("n_rows", [1, 20, 400])
def test_a_file_without_sentence_breaks_is_told_whatever_its_length(read, n_rows):
    _, log = read("EU\tB-ORG\n" + "word\tO\n" * n_rows)
    assert f"no blank lines: 1 document, the first of {n_rows + 1} tokens" in log.notes
