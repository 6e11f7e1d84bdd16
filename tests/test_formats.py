"""Real exports with counts known from elsewhere: `pytest --formats FOLDER`, where EXPECTED.json lies beside them."""

import json
from pathlib import Path

import pytest

from domain_ner.annotations.outcomes import DROPPED, LEFT_OUT
from domain_ner.annotations.records import ReaderOptions
from domain_ner.conversion.accounts import enter_doc, enter_merged
from domain_ner.conversion.importing import import_files
from domain_ner.conversion.merging import MergeRules, merge
from domain_ner.corpus.docs import DocRules, make_doc
from domain_ner.corpus.tokenizer import create_tokenizer
from domain_ner.readers.folder import find_exports

# What the counts of EXPECTED.json leave out, and why ours differ: (annotations, reason).
EXPLAINED = {
    "conll2003/NER-de-dev.tsv": (212, "the inner layer's entities are read too"),
    "conll2003/flair_column_with_whitespaces/eng.testa": (1, "column 2 holds tags, not column 3"),
    "conll2003/flair_column_with_whitespaces/eng.testb": (1, "column 2 holds tags, not column 3"),
    "conll2003/flair_column_with_whitespaces/eng.train": (1, "column 2 holds tags, not column 3"),
    "label_studio/html_document/1.json": (3, "regions that point into HTML are listed as dropped"),
    "label_studio/converter_tricky/JSON_MIN/result.json": (1, "a region with two labels is two annotations"),
    "label_studio/converter_tricky/CSV/result.csv": (1, "a region with two labels is two annotations"),
    "label_studio/converter_tricky/TSV/result.csv": (1, "a region with two labels is two annotations"),
    "brat/edsnlp/": (1, "a malformed line is listed as dropped"),
}


@pytest.fixture(scope="module")
def formats(request):
    folder = request.config.getoption("--formats")
    if not folder:
        pytest.skip("real exports are tested with --formats FOLDER")
    return Path(folder)


@pytest.fixture(scope="module")
def expected(formats):
    return json.loads((formats / "EXPECTED.json").read_text(encoding="utf8"))


def import_one(path):
    return import_files(find_exports(path, options=ReaderOptions(forced=True)))


def test_every_export_is_read_with_the_annotations_it_has(formats, expected):
    differences = {}
    for name, known in expected.items():
        read = import_one(formats / name)
        n_known = (known.get("accepted") or known).get("spans", known.get("span_labels"))
        n_read = sum(row.outcome not in LEFT_OUT for row in read.ledger.rows)
        if name == "prodigy/emerson_annotated_text.jsonl":
            n_read = len(read.ledger.rows)  # what a `choice` task shows is a prediction
        if n_read - n_known != EXPLAINED.get(name, (0,))[0]:
            differences[name] = (n_read, n_known)
    assert differences == {}


def test_every_annotation_of_every_export_ends_in_the_corpus_or_says_why_not(formats, expected, tmp_path):
    import spacy

    rules = DocRules(create_tokenizer()(spacy.blank("xx")))
    for name in expected:
        read = import_one(formats / name)
        merged, _ = enter_merged(merge(read.passages, MergeRules(prefer=["*"])), read.ledger)
        docs = [enter_doc(make_doc(passage, rules), read.ledger, split="train") for passage in merged]
        read.ledger.check_balance()
        assert all(row.reasons for row in read.ledger.rows if row.outcome == DROPPED), name
        n_kept = sum(row.split == "train" for row in read.ledger.rows)
        assert n_kept == sum(len(doc.spans["sc"]) for doc in docs), name


def test_what_cannot_be_read_is_told(formats):
    told = {
        "column/lower_o.conll": 'lower_o.conll:2: no valid tag ("o"): did you mean O',
        "other/hf_length_mismatch.jsonl": "hf_length_mismatch.jsonl:1: 3 tokens, 2 tags",
        "other/jsonl_truncated.jsonl": "jsonl_truncated.jsonl:2: JSON ends early; 1 good row before it",
    }
    for name, message in told.items():
        (loss,) = import_one(formats / "crafted" / name).ledger.losses()
        assert loss.startswith(message)
