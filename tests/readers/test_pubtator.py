import pytest
from bioc import pubtator as library

from domain_ner.annotations.records import FileLog, ReaderOptions, Sample
from domain_ner.conversion.offsets import locate
from domain_ner.readers.standoff import pubtator
from domain_ner.readers.text_files.decoding import read_sample


@pytest.fixture
def write(tmp_path):
    def write_text(text):
        path = tmp_path / "export.pubtator"
        path.write_text(text, "utf8")
        return path

    return write_text


def read(path, **options):
    log = FileLog(path.name)
    return list(pubtator.read(path, ReaderOptions(**options), log)), log


def recognises(path):
    text, whole = read_sample(path)
    return pubtator.recognises(Sample(path, text, whole))


def found(record):
    located = zip(record.spans, locate(record, None), strict=True)
    return [(record.text[at.start : at.end], span.label) for span, at in located if at.start is not None]


def document(name, title, abstract, *annotations):
    made = library.PubTator(name, title, abstract)
    for start, words, label in annotations:
        made.add_annotation(library.PubTatorAnn(name, start, start + len(words), words, label, "-"))
    return made


def test_what_the_library_writes_is_recognised_and_read(write):
    marks = [(2, "BRCA1", "Gene"), (2, "BRCA1 gene", "Locus"), (18, "cancer", "Disease")]
    made = [document("1", "😀 BRCA1 gene.", "In cancer.", *marks), document("2", "Empty", "")]
    made[0].add_relation(library.PubTatorRel("1", "CID", "D1", "D2"))
    path = write(library.dumps(made))
    (first, second), log = read(path)
    assert recognises(path)
    assert (first.text, first.document, first.line) == ("😀 BRCA1 gene.\nIn cancer.", "1", 1)
    assert found(first) == [("BRCA1", "Gene"), ("BRCA1 gene", "Locus"), ("cancer", "Disease")]
    assert (second.text, second.document, found(second)) == ("Empty", "2", [])
    assert log.notes == ["not read: 1 relations"]


def test_white_space_at_the_edges_of_a_title_counts(write):
    ((record,), _) = read(write("1|t| Anna \n1|a|met Bob\n1\t1\t5\tAnna\tPER\t\n1\t11\t14\tBob\tPER\n"))
    assert (record.text, found(record)) == (" Anna \nmet Bob", [("Anna", "PER"), ("Bob", "PER")])


def test_documents_need_no_blank_line_between_them(write):
    records, log = read(write("1|t|Anna\n1\t0\t4\tAnna\tPER\tx\n2|t|Bob\n2|a|left\n2|t|Again\n"))
    assert [(record.text, len(record.spans)) for record in records] == [("Anna", 1), ("Bob\nleft", 0), ("Again", 0)]
    assert log.n_documents == 3


def test_lines_end_where_lines_end_and_nowhere_else(write):
    ((record,), _) = read(write("1|t|A\u2028B\x85C\n1\t4\t5\tC\tX\t-\n"))
    assert found(record) == [("C", "X")]


@pytest.mark.parametrize("line", ["1\tx\t4\tAnna\tPER\t-", "2\t0\t4\tAnna\tPER\t-", "1\t0", "what is this"])
def test_a_line_that_cannot_be_read_is_a_fault(write, line):
    ((record,), _) = read(write(f"1|t|Anna\n{line}\n1\t0\t4\tAnna\tPER\t-\n"))
    assert [bool(span.fault) for span in record.spans] == [True, False]
    assert record.spans[0].fault.startswith("line 2: expected 1<TAB>START")


@pytest.mark.parametrize(("empty", "answer"), [("negative", "accepted"), ("skip", "not annotated")])
def test_a_document_without_annotations_means_what_the_user_says(write, empty, answer):
    assert read(write("1|t|Anna\n"), empty=empty)[0][0].answer == answer


@pytest.mark.parametrize("text", ["1|t|Anna\n", "\n1|t|Anna\n1|a|x\n", "1|t|A\n\n2|t|B\n", "x1|t|A\nx1\t0\t1\tA\tX\n"])
def test_a_title_first_is_the_mark(write, text):
    assert recognises(write(text))


@pytest.mark.parametrize("text", ["Anna|PER left|O\n", "a|t|b c|t|d\nno|O\n", "Anna\tB-PER\n", "1|a|x\n", "text\n"])
def test_other_files_are_not_recognised(write, text):
    assert not recognises(write(text))
