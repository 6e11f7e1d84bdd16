import pytest

from domain_ner.annotations.records import FileLog, ReaderOptions, Sample
from domain_ner.errors import DomainNerError
from domain_ner.readers.columns import token_csv
from domain_ner.readers.text_files.decoding import read_sample

KAGGLE = (
    "Sentence #,Word,POS,Tag\r\n"
    "Sentence: 1,Anna,NNP,B-per\r\n,met,VBD,O\r\n,NA,NNP,B-org\r\n"
    'Sentence: 2,New,NNP,B-geo\r\n,York,NNP,I-geo\r\n,",",",",O\r\n,"""",``,O\r\n'
)


@pytest.fixture
def write(tmp_path):
    def write_text(text, name="data.csv", encoding="utf-8"):
        path = tmp_path / name
        path.write_bytes(text.encode(encoding))
        return path

    return write_text


def read(path, **options):
    log = FileLog(path.name)
    return list(token_csv.read(path, ReaderOptions(**options), log)), log


def found(records):
    return [[(record.text[span.start : span.end], span.label) for span in record.spans] for record in records]


def recognises(path):
    return token_csv.recognises(Sample(path, *read_sample(path)))


def test_the_id_on_the_first_row_begins_a_sentence(write):
    records, log = read(write(KAGGLE))
    assert found(records) == [[("Anna", "per"), ("NA", "org")], [("New York", "geo")]]
    assert [(record.line, record.document) for record in records] == [(2, "Sentence: 1"), (5, "Sentence: 2")]
    assert log.n_documents == 2


def test_quoted_commas_and_quotes_are_words(write):
    records, _ = read(write(KAGGLE))
    assert records[1].words == ("New", "York", ",", '"')


def test_the_id_on_each_row_begins_a_sentence_where_it_changes(write):
    text = "sentence_idx,word,tag\n1.0,Anna,B-per\n1.0,met,O\n2.0,Ben,B-per\n2.0,left,O\n"
    assert found(read(write(text))[0]) == [[("Anna", "per")], [("Ben", "per")]]


def test_empty_rows_end_sentences_where_there_is_no_id(write):
    text = "Word,Tag\nAnna,B-per\nmet,O\n,\nBen,B-per\nleft,O\n"
    assert found(read(write(text))[0]) == [[("Anna", "per")], [("Ben", "per")]]


def test_columns_are_told_by_their_content_where_there_is_no_header(write):
    text = "Sentence: 1,Anna,NNP,B-per\n,met,VBD,O\n,Ben,NNP,B-per\nSentence: 2,Paris,NNP,B-geo\n"
    assert found(read(write(text))[0]) == [[("Anna", "per"), ("Ben", "per")], [("Paris", "geo")]]


def test_a_column_of_row_numbers_is_no_sentence(write):
    text = "0,Anna,B-per\n1,met,O\n2,Ben,B-per\n"
    assert found(read(write(text))[0]) == [[("Anna", "per"), ("Ben", "per")]]


def test_other_is_outside(write):
    text = "Sentence #,Word,Tag\nSentence: 1,Anna,B-per\n,met,OTHER\n,Ben,B-per\n"
    assert found(read(write(text))[0]) == [[("Anna", "per"), ("Ben", "per")]]


@pytest.mark.parametrize("tag", ["B-PER", "PER"])
def test_a_cell_left_blank_is_outside_where_no_cell_says_so(write, tag):
    records, log = read(write(f"Sentence #,Word,Tag\n1,Anna,{tag}\n,met,\n,Ben,{tag}\n2,so,\n"))
    assert found(records) == [[("Anna", "PER"), ("Ben", "PER")], []]
    assert any("a cell without one is outside" in note for note in log.notes)


def test_a_cell_left_blank_beside_others_that_say_o_is_a_fault(write):
    records, log = read(write("Sentence #,Word,Tag\n1,Anna,B-per\n,met,\n2,Ben,B-per\n,is,O\n,old,O\n"))
    assert found(records) == [[("Ben", "per")]]
    assert [problem.line for problem in log.failures] == [3]


def test_texts_with_a_label_now_and_then_are_no_words_with_tags(write):
    assert not recognises(write("text,label\nvery good,POS\nso so,\nnot bad,POS\nno idea,\n"))


def test_tags_without_marks_are_read_and_said_to_lose_neighbours(write):
    records, log = read(write("Sentence #,Word,Tag\n1,New,LOC\n,York,LOC\n,is,O\n,big,O\n"))
    assert found(records) == [[("New York", "LOC")]]
    assert any("neighbouring entities of one type cannot be told apart" in note for note in log.notes)


def test_a_mark_before_a_plus_sign_is_a_mark(write):
    records, log = read(write("Sentence#,Word,Pos,Tag\n1,flu,NN,B-DISEASE\n,of,IN,O\n,x,NN,I+D446-DISEASE\n"))
    assert found(records) == [[("flu", "DISEASE"), ("x", "D446-DISEASE")]]
    assert any("1 tags do not fit IOB2, first in the sentence of line 2" in note for note in log.notes)


@pytest.mark.parametrize("encoding", ["cp1252", "utf-8-sig", "utf-16"])
def test_any_encoding_is_read(write, encoding):
    text = "Sentence #,Word,Tag\nSentence: 1,Müller,B-per\n,isst,O\n,Käse,O\n,in,O\n,Köln,B-geo\n,für,O\n,zwölf,O\n"
    assert found(read(write(text, encoding=encoding))[0]) == [[("Müller", "per"), ("Köln", "geo")]]


def test_semicolons_separate_too(write):
    assert found(read(write("Sentence #;Word;Tag\n1;Anna;B-per\n;met;O\n"))[0]) == [[("Anna", "per")]]


def test_the_last_sentence_of_a_cut_file_is_kept_and_noted(write):
    records, log = read(write("Sentence #,Word,POS,Tag\n1,Anna,NNP,B-per\n,met,VBD,O\n2,Ben,NNP,B-per\n,lef"))
    assert found(records)[1] == [("Ben", "per")]
    assert records[1].unknown == ((4, 7),)
    assert "no line end after the last row: the last sentence may be incomplete" in log.notes
    assert not log.problems


def test_a_stray_quote_costs_no_other_row(write):
    records, _ = read(write('Sentence #,Word,Tag\n1,",O\n,Anna,B-per\n,left,O\n'))
    assert records[0].words == ('"', "Anna", "left")


def test_a_row_without_a_word_is_left_out_and_counted(write):
    records, log = read(write("Sentence #,Word,Tag\n1,Anna,B-per\n,,O\n,left,O\n"))
    assert records[0].words == ("Anna", "left")
    assert "1 rows without a word, tagged O: left out" in log.notes


@pytest.mark.parametrize(
    ("row", "message"),
    [
        (",left", "2 columns; expected 3"),
        (",left,o", 'no valid tag ("o")'),
        (",left,B-", 'no valid tag ("B-")'),
        (",,B-per", "no word beside the tag 'B-per'"),
    ],
)
def test_a_bad_row_costs_its_sentence_alone(write, row, message):
    records, log = read(write(f"Sentence #,Word,Tag\n1,Anna,B-per\n{row}\n2,Ben,B-per\n,is,O\n,in,O\n,it,O\n,to,O\n"))
    assert found(records) == [[("Ben", "per")]]
    ((line, told),) = log.problems
    assert line == 3
    assert message in told


def test_a_row_may_be_a_sentence_with_a_list_of_tags(write):
    text = (
        "Sentence #,Sentence,POS,Tag\nSentence: 1,Anna met Ben,\"['NNP', 'VBD', 'NNP']\",\"['B-per', 'O', 'B-per']\"\n"
    )
    assert found(read(write(text))[0]) == [[("Anna", "per"), ("Ben", "per")]]


def test_a_row_may_be_a_sentence_with_tags_between_blanks(write):
    assert found(read(write("text,labels\nAnna met Ben,B-per O B-per\nno one here,O O O\n"))[0]) == [
        [("Anna", "per"), ("Ben", "per")],
        [],
    ]


def test_lists_as_numpy_prints_them_are_read(write):
    text = "tokens,ner_tags\n\"['New' 'York'\n 'is']\",\"['B-geo' 'I-geo' 'O']\"\n"
    assert found(read(write(text))[0]) == [[("New York", "geo")]]


def test_a_sentence_with_more_words_than_tags_is_a_problem(write):
    records, log = read(write("text,labels\nAnna met Ben,B-per O B-per\nBen left,O O O\n" + "so be it,O O O\n" * 20))
    assert len(records) == 21
    assert log.problems == [(3, "2 tokens, 3 tags; expected a tag each")]


def test_numbers_are_named_by_label_names(write):
    path = write("tokens,ner_tags\n\"['Anna', 'left']\",\"[1, 0]\"\n")
    assert found(read(path, label_names=("O", "B-per"))[0]) == [[("Anna", "per")]]
    with pytest.raises(DomainNerError, match=r"the tags are numbers 0\.\.1"):
        read(path)


def test_two_columns_of_tags_need_one_to_be_named(write):
    path = write("Anna,B-per,B-x\nmet,O,O\nBen,B-per,O\n")
    with pytest.raises(DomainNerError, match="data.csv: Columns 2 and 3 both have tags"):
        read(path)
    assert found(read(path, tag_column="3")[0]) == [[("Anna", "x")]]


def test_a_file_without_tags_cannot_be_read(write):
    with pytest.raises(DomainNerError, match="no column of words beside a column of tags"):
        read(write("a,b\n1,2\n"))


@pytest.mark.parametrize(
    "text",
    [
        "id,text,label\n1,good,positive\n2,bad,negative\n",
        "text,label\ngood film,1\nbad film,0\n",
        'id,label,text\n1,"[{""start"": 0, ""end"": 3, ""labels"": [""A""]}]",Anna\n',
        "Anna B-per\nmet O\n",
        "TOKEN\tNE\nAnna\tB-per\nmet\tO\n",
        '{"text": "a,O"}\n{"text": "b,O"}\n',
    ],
)
def test_other_files_are_not_recognised(write, text):
    assert not recognises(write(text))


def test_kaggles_file_is_recognised(write):
    assert recognises(write(KAGGLE))


@pytest.mark.parametrize("text", [",,\n,,\n", "a,b\n", "\n,\n"])
def test_rows_without_cells_are_of_no_format(write, text):
    assert not recognises(write(text))
