"""A corpus gives back its passages; and the command `export-annotations`."""

import json

import pytest
import spacy
from conftest import GUIDE
from exported_passages import INFRA, TEAM, TEXT, TOKENIZER, WHOLE, passage
from pipelines import run
from spacy.tokens import Doc

from domain_ner.annotations.passages import LabelledSpan, Passage
from domain_ner.corpus.docs import DocRules, make_doc, to_docbin
from domain_ner.errors import DomainNerError
from domain_ner.writers.passages import read_docbin, to_passage


def make(given, **rules):
    fields = {name: getattr(given, name) for name in given.__dataclass_fields__}
    numbers = tuple(range(len(given.spans)))
    return make_doc(Passage(**fields | {"rows": numbers}), DocRules(TOKENIZER, **rules)).doc


def same(one, other):
    names = ("text", "spans", "source", "meta", "document", "annotator", "rejected", "partial", "unknown")
    return {name: getattr(one, name) for name in names} == {name: getattr(other, name) for name in names}


@pytest.mark.parametrize(
    "given",
    [
        passage(TEAM, INFRA, WHOLE, meta={"org": "x"}, document="7", annotator="ann"),
        passage(),
        passage(TEAM, rejected=(INFRA,), partial=True),
        passage(partial=True),
        passage(TEAM, unknown=((9, 13), (19, 20))),
        passage(LabelledSpan(3, 8, "X")),
        passage(TEAM, text="Payments uses Redis .", words=("Payments", "uses", "Redis", ".")),
    ],
)
def test_a_corpus_gives_back_its_passages(tmp_path, given):
    to_docbin([make(given)]).to_disk(tmp_path / "x.spacy")
    (read,) = read_docbin(tmp_path / "x.spacy")
    assert same(read, given)


def test_the_original_text_is_written_if_white_space_was_normalised():
    text = "Pay\u200b \n uses Redis\u200bs now"
    given = passage(LabelledSpan(12, 17, "INFRA"), text=text, unknown=((20, 23),))
    assert (text[12:17], text[20:]) == ("Redis", "now")
    doc = make(given, normalize="whitespace")
    assert doc.text == "Pay uses Rediss now"
    assert same(to_passage(doc, "b:1"), given)


def test_documents_of_other_programs_are_named_by_file_and_number_and_trimmed(tmp_path):
    doc = Doc(spacy.blank("en").vocab, words=["Redis", " ", "up"], spaces=[False, False, False])
    doc.ents = [doc.char_span(0, 6, label="INFRA")]
    to_docbin([doc]).to_disk(tmp_path / "x.spacy")
    (read,) = read_docbin(tmp_path / "x.spacy")
    assert (read.source, read.spans) == ("x.spacy:1", (LabelledSpan(0, 5, "INFRA"),))


def test_documents_of_other_programs_with_span_groups_only_are_complete():
    doc = TOKENIZER(TEXT)
    doc.spans["sc"] = [doc.char_span(0, 8, label="TEAM")]
    read = to_passage(doc, "x:1")
    assert (read.spans, read.partial, read.unknown) == ((TEAM,), False, ())


def test_the_scores_of_predicted_spans_are_kept_as_their_mean():
    doc = TOKENIZER(TEXT)
    doc.spans["sc"] = [doc.char_span(0, 8, label="TEAM"), doc.char_span(14, 19, label="INFRA")]
    doc.spans["sc"].attrs["scores"] = [0.5, 1.0]
    assert to_passage(doc, "x:1").meta == {"score": 0.75}


def test_a_missing_and_a_broken_corpus_are_errors(tmp_path):
    with pytest.raises(DomainNerError, match="gone.spacy does not exist"):
        next(read_docbin(tmp_path / "gone.spacy"))
    (tmp_path / "junk.spacy").write_bytes(b"junk")
    with pytest.raises(DomainNerError, match="junk.spacy is not a DocBin, or damaged"):
        next(read_docbin(tmp_path / "junk.spacy"))


# The command


def test_the_command_writes_a_corpus_and_the_labelling_config(tmp_path):
    to_docbin([make(passage(TEAM)), make(passage(LabelledSpan(14, 19, "NEW")))]).to_disk(tmp_path / "x.spacy")
    output = tmp_path / "tasks.json"
    done = run("export_annotations", tmp_path / "x.spacy", output, "--to", "label_studio", "--guide", GUIDE)
    assert len(json.loads(output.read_text("utf8"))) == 2
    assert "<Labels" in (tmp_path / "tasks.xml").read_text("utf8")
    assert "wrote 2 passages with 2 annotations" in done.stdout
    assert f"labels that are not in {GUIDE}: NEW" in done.stdout


def test_the_command_writes_exports_in_another_format(tmp_path, write_jsonl):
    source = write_jsonl([{"text": TEXT, "spans": [{"start": 0, "end": 8, "label": "TEAM"}], "answer": "accept"}])
    run("export_annotations", source.parent, tmp_path / "x.conll", "--to", "conll")
    assert (tmp_path / "x.conll").read_text("utf8").startswith("Payments\t_\tB-TEAM\n")


@pytest.mark.parametrize(
    ("source", "output", "arguments", "expected"),
    [
        ("gone.spacy", "out", ["--to", "prodigy"], "gone.spacy does not exist"),
        ("gone", "out", ["--to", "xml"], "--to is 'xml'; expected one of"),
        ("same", "same", ["--to", "prodigy"], "would replace"),
        ("gone", "out", ["--to", "prodigy", "--lang", "qqq"], "vars.lang is 'qqq', which spaCy does not know"),
    ],
)
def test_the_command_says_what_is_wrong(tmp_path, source, output, arguments, expected):
    failed = run("export_annotations", tmp_path / source, tmp_path / output, *arguments, check=False)
    assert (failed.returncode, "Traceback" in failed.stderr) == (1, False)
    assert expected in failed.stderr
