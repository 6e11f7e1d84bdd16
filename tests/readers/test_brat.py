import pytest

from domain_ner.annotations.records import FileLog, ReaderOptions, Sample
from domain_ner.errors import DomainNerError
from domain_ner.readers.standoff import brat
from domain_ner.readers.text_files.decoding import read_sample

TEXT = "Anna met Ben\nSmith in Paris."


@pytest.fixture
def write(tmp_path):
    def write_pair(annotations, text=TEXT, name="doc.ann"):
        path = tmp_path / name
        path.write_bytes(annotations.encode())
        if text is not None:
            path.with_suffix(".txt").write_bytes(text.encode())
        return path

    return write_pair


def read(path, **options):
    log = FileLog(path.name)
    (record,) = brat.read(path, ReaderOptions(**options), log)
    return record, log


def found(record):
    return [(record.text[span.start : span.end], span.label) for span in record.spans if not span.fault]


def test_entities_are_read_with_their_words(write):
    record, log = read(write("T1\tPER 0 4\tAnna\nT2\tLOC 22 27\tParis\n"))
    assert found(record) == [("Anna", "PER"), ("Paris", "LOC")]
    assert [span.text for span in record.spans] == ["Anna", "Paris"]
    assert (record.document, log.n_documents) == ("doc", 1)


def test_fragments_over_white_space_are_one_entity(write):
    record, _ = read(write("T1\tPER 9 12;13 18\tBen Smith\n"))
    assert found(record) == [("Ben\nSmith", "PER")]
    assert record.spans[0].repairs == ("fragments joined over white space",)


@pytest.mark.parametrize(
    ("rule", "spans"),
    [
        ("drop", []),
        ("envelope", [("Anna met Ben", "PER")]),
        ("fragments", [("Anna", "PER"), ("Ben", "PER")]),
    ],
)
def test_a_discontinuous_entity_is_dealt_with_by_rule(write, rule, spans):
    record, _ = read(write("T1\tPER 0 4;9 12\tAnna Ben\n"), discontinuous=rule)
    assert found(record) == spans
    assert all("discontinuous" in (span.fault or span.repairs[0]) for span in record.spans)


def test_fragments_have_their_share_of_the_words(write):
    record, _ = read(write("T1\tPER 0 4;9 12\tAnna Ben\n"), discontinuous="fragments")
    assert [span.text for span in record.spans] == ["Anna", "Ben"]


def test_a_malformed_entity_is_a_fault_and_costs_no_other(write):
    record, _ = read(write("T1\ttwo words 0 4\tAnna\nT2\tLOC 22 27\tParis\n"))
    assert found(record) == [("Paris", "LOC")]
    (fault,) = [span.fault for span in record.spans if span.fault]
    assert fault.startswith("doc.ann:1: expected `T1<TAB>TYPE START END<TAB>words`")


def test_other_lines_are_counted(write):
    lines = "T1\tPER 0 4\tAnna\nR1\tx Arg1:T1 Arg2:T1\nA1\tY T1\nM1\tZ T1\n#1\tAnnotatorNotes T1\tq\n*\tEquiv T1 T2\n"
    _, log = read(write(lines))
    assert log.notes == ["not read: 1 relations, 2 attributes, 1 notes, 1 equivalences"]


def test_triggers_of_events_are_told(write):
    record, log = read(write("T1\tPER 0 4\tAnna\nT2\tMeet 5 8\tmet\nE1\tMeet:T2 Who:T1\n"))
    assert len(record.spans) == 2
    assert "1 of 2 annotations are triggers of events: read as entities nevertheless" in log.notes


def test_words_with_a_line_end_go_on_in_the_next_line(write):
    record, _ = read(write("T1\tPER 9 18\tBen\nSmith\nT2\tLOC 22 27\tParis\n"))
    assert [span.text for span in record.spans] == ["Ben\nSmith", "Paris"]


def test_a_line_that_is_no_annotation_is_told(write):
    _, log = read(write("T1\tPER 0 4\tAnna\nwhat?\n"))
    assert "1 lines are not annotations, the first is doc.ann:2: not read" in log.notes


def test_words_may_be_missing(write):
    record, _ = read(write("T1\tPER 0 4\n"))
    assert found(record) == [("Anna", "PER")]
    assert record.spans[0].text is None


def test_a_pair_of_a1_and_a2_is_one_document(write, tmp_path):
    path = write("T1\tPER 0 4\tAnna\n", name="doc.a1")
    (tmp_path / "doc.a2").write_text("T2\tMeet 5 8\tmet\n")
    assert found(read(path)[0]) == [("Anna", "PER"), ("met", "Meet")]


def test_line_ends_stay_as_they_are(write):
    record, _ = read(write("T1\tLOC 23 28\tParis\n", text=TEXT.replace("\n", "\r\n")))
    assert found(record) == [("Paris", "LOC")]


def test_offsets_from_before_line_ends_were_changed_are_understood(write):
    record, log = read(write("T1\tLOC 22 27\tParis\n", text=TEXT.replace("\n", "\r\n")))
    assert found(record) == [("Paris", "LOC")]
    assert any("line ends" in note for note in log.notes)


def test_a_byte_order_mark_that_offsets_count_is_understood(write):
    record, log = read(write("T1\tLOC 23 28\tParis\n", text="\ufeff" + TEXT))
    assert record.text == TEXT
    assert found(record) == [("Paris", "LOC")]
    assert "offsets count the byte-order mark" in log.notes


@pytest.mark.parametrize(("empty", "answer"), [("negative", "accepted"), ("skip", "not annotated")])
def test_an_empty_file_is_a_text_without_entities_or_unseen(write, empty, answer):
    record, _ = read(write(""), empty=empty)
    assert (record.text, record.spans, record.answer) == (TEXT, (), answer)


def test_annotations_without_their_text_cannot_be_read(write):
    with pytest.raises(DomainNerError, match=r"doc.txt is not beside it"):
        read(write("T1\tPER 0 4\tAnna\n", text=None))


@pytest.mark.parametrize(
    ("name", "text", "expected"),
    [
        ("doc.ann", "T1\tPER 0 4\tAnna\n", True),
        ("doc.a2", "*\tEquiv T1 T2\n", True),
        ("doc.ann", "", True),
        ("doc.ann", "Anna O\n", False),
        ("doc.txt", "T1\tPER 0 4\tAnna\n", False),
        ("annotation.conf", "[entities]\nPER\n", False),
    ],
)
def test_annotation_files_alone_are_recognised(tmp_path, name, text, expected):
    path = tmp_path / name
    path.write_text(text)
    sample = read_sample(path) if text else ("", True)
    assert brat.recognises(Sample(path, *sample)) == expected
