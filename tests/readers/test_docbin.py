import zlib

import pytest
import spacy
from spacy.attrs import ENT_TYPE
from spacy.tokens import Doc, DocBin, Span

from domain_ner.annotations.passages import LabelledSpan, Passage
from domain_ner.annotations.records import FileLog, ReaderOptions, Sample
from domain_ner.corpus.docs import DocRules, make_doc, to_docbin
from domain_ner.errors import DomainNerError
from domain_ner.readers.spacy_files import docbin

VOCAB = spacy.blank("xx").vocab
WORDS = ["Anna", "met", "Ben", "."]


def doc(*ents, groups=None, missing=(), default="outside", spaces=(True, True, False, False)):
    made = Doc(VOCAB, words=WORDS, spaces=spaces)
    spans = [Span(made, start, end, label=label) for start, end, label in ents]
    made.set_ents(spans, missing=[Span(made, n, n + 1) for n in missing], default=default)
    for name, listed in (groups or {}).items():
        made.spans[name] = [Span(made, start, end, label=label) for start, end, label in listed]
    return made


@pytest.fixture
def write(tmp_path):
    def write_docs(*docs, **settings):
        path = tmp_path / "corpus.spacy"
        DocBin(docs=docs, **settings).to_disk(path)
        return path

    return write_docs


def read(path, **options):
    log = FileLog(path.name)
    return list(docbin.read(path, ReaderOptions(**options), log)), log


def found(record, *, rejected=False):
    spans = [span for span in record.spans if span.rejected == rejected]
    return [(record.text[span.start : span.end], span.label) for span in spans]


ANNA, BEN = (0, 1, "PER"), (2, 3, "PER")


def test_entities_and_tokens_are_read(write):
    (record,), log = read(write(doc(ANNA, BEN)))
    assert found(record) == [("Anna", "PER"), ("Ben", "PER")]
    assert (record.text, record.words, record.spaces) == ("Anna met Ben.", tuple(WORDS), (True, True, False, False))
    assert (record.line, record.partial, record.unknown, log.n_documents) == (1, False, (), 1)


def test_unknown_spaces_are_single_ones(write):
    (record,), _ = read(write(doc(BEN, spaces=None)))
    assert (record.text, record.spaces, found(record)) == ("Anna met Ben .", None, [("Ben", "PER")])


def test_missing_tokens_are_unknown(write):
    (record,), _ = read(write(doc(BEN, missing=[0])))
    assert (record.unknown, record.partial) == (((0, 4),), False)


def test_what_lies_outside_of_yes_no_answers_is_unknown(write):
    (record,), _ = read(write(doc(BEN, default="missing", groups={"incorrect_spans": [ANNA]})))
    assert record.partial
    assert found(record) == [("Ben", "PER")]
    assert found(record, rejected=True) == [("Anna", "PER")]


def test_a_document_without_any_annotation_is_not_a_negative(write):
    records, log = read(write(doc(default="missing", groups={"incorrect_spans": []}), doc()))
    assert [record.answer for record in records] == ["not annotated", "accepted"]
    assert log.notes == ["1 of 2 documents are unannotated (missing), not empty"]


def test_overlapping_spans_of_the_group_are_read_too(write):
    (record,), _ = read(write(doc(ANNA, groups={"sc": [ANNA, (0, 3, "EVENT"), (0, 3, "EVENT")]})))
    assert found(record) == [("Anna", "PER"), ("Anna met Ben", "EVENT"), ("Anna met Ben", "EVENT")]


def test_a_group_alone_is_a_full_annotation(write):
    records, _ = read(write(doc(default="missing", groups={"sc": [ANNA]}), doc(default="missing", groups={"sc": []})))
    assert [(record.answer, record.partial, record.unknown) for record in records] == [("accepted", False, ())] * 2


def test_the_only_group_is_read_where_there_are_no_entities(write):
    (record,), _ = read(write(doc(default="missing", groups={"health": [ANNA]})))
    assert found(record) == [("Anna", "PER")]


def test_other_groups_are_read_where_they_are_named(write):
    path = write(doc(BEN, groups={"ruler": [ANNA]}))
    (record,), log = read(path)
    assert found(record) == [("Ben", "PER")]
    assert "span groups not read: ruler (1 spans); name one in vars.reading (field=…) to read it" in log.notes
    assert found(read(path, field="ruler")[0][0]) == [("Ben", "PER"), ("Anna", "PER")]


def test_blocked_tokens_are_no_entity(write):
    made = doc()
    made.set_ents([], blocked=[Span(made, 0, 1)])
    (record,), log = read(write(made))
    assert (record.spans, record.unknown) == ((), ())
    assert "1 of 1 documents have tokens blocked for entities: read as no entity" in log.notes


def test_user_data_is_kept(write):
    made = doc()
    made.user_data["source"] = "a.txt"
    (record,), _ = read(write(made, store_user_data=True))
    assert record.meta == {"source": "a.txt"}


def test_an_empty_document_is_left_out_and_counted(write):
    records, log = read(write(Doc(VOCAB), doc(ANNA)))
    assert [record.line for record in records] == [2]
    assert "1 of 2 documents hold no token: left out" in log.notes


def test_a_damaged_document_costs_no_other(write, tmp_path):
    bin_ = DocBin(docs=[doc(ANNA), doc(BEN)])
    bin_.user_data = [b"\xc1", None]
    bin_.store_user_data = True
    path = tmp_path / "corpus.spacy"
    bin_.to_disk(path)
    records, log = read(path)
    assert [record.line for record in records] == [2]
    ((line, message),) = log.problems
    assert (line, log.n_documents) == (1, 2)
    assert "cannot be unpacked" in message


def test_a_file_that_unpacks_to_more_than_is_stated_is_refused(write, monkeypatch):
    path = write(doc(ANNA))
    n_bytes = len(zlib.decompress(path.read_bytes()))
    monkeypatch.setattr(docbin, "CHUNK_BYTES", 16)
    monkeypatch.setattr(docbin, "MAX_UNPACKED_BYTES", n_bytes)
    assert len(read(path)[0]) == 1
    monkeypatch.setattr(docbin, "MAX_UNPACKED_BYTES", n_bytes - 1)
    with pytest.raises(DomainNerError, match=rf"corpus.spacy unpacks to more than {n_bytes - 1} bytes, which is the"):
        read(path)


@pytest.mark.parametrize(("cut", "message"), [(100, "is cut short or damaged"), (1, "is no DocBin")])
def test_junk_cannot_be_read(write, cut, message):
    path = write(*[doc(ANNA)] * 50)
    path.write_bytes(path.read_bytes()[:cut])
    with pytest.raises(DomainNerError, match=message):
        read(path)


def test_a_file_without_entities_cannot_be_read(write):
    with pytest.raises(DomainNerError, match="its attributes lack ENT_IOB or ENT_TYPE"):
        read(write(doc(ANNA), attrs=[ENT_TYPE]))


def test_a_docbin_is_recognised_by_its_content(write):
    path = write(doc(ANNA))
    other = path.rename(path.with_suffix(".bin"))
    assert docbin.recognises(Sample(other, "", whole=False))


@pytest.mark.parametrize(
    ("name", "data", "expected"),
    [("junk.spacy", b"junk", True), ("a.spacy", b'[{"id": 0}]', False), ("a.jsonl", b'{"text": "x"}', False)],
)
def test_other_files_are_told_by_their_names(tmp_path, name, data, expected):
    path = tmp_path / name
    path.write_bytes(data)
    assert docbin.recognises(Sample(path, data.decode(), whole=True)) == expected


def test_a_corpus_of_yes_no_answers_as_convert_writes_it_stays_partial(tmp_path):
    given = Passage(
        "Anna met Bob", (LabelledSpan(0, 4, "PER"),), "a:1", {"k": 1}, annotator="ann", document="7", partial=True
    )
    doc = make_doc(given, DocRules(spacy.blank("en").tokenizer)).doc
    to_docbin([doc]).to_disk(tmp_path / "x.spacy")
    (record,) = docbin.read(tmp_path / "x.spacy", ReaderOptions(), FileLog("x.spacy"))
    assert (record.partial, record.document, record.annotator, record.meta) == (True, "7", "ann", {"k": 1})
