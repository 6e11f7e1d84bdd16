"""Short passages, and what the writers make of them."""

import json

import spacy

from domain_ner.annotations.passages import LabelledSpan, Passage
from domain_ner.corpus.tokenizer import create_tokenizer
from domain_ner.writers.formats import export
from domain_ner.writers.options import WriterOptions

TOKENIZER = create_tokenizer()(spacy.blank("en"))
OPTIONS, LOSSY = WriterOptions(TOKENIZER), WriterOptions(TOKENIZER, lossy=True)
TEXT = "Payments uses Redis."
TEAM, INFRA = LabelledSpan(0, 8, "TEAM"), LabelledSpan(14, 19, "INFRA")
WHOLE = LabelledSpan(0, 19, "CLAIM")


def passage(*spans, text=TEXT, **fields):
    return Passage(text, tuple(sorted(spans)), "a.jsonl:3", **fields)


def written(tmp_path, to, *passages, options=OPTIONS):
    export(passages, tmp_path / "out", to, options)
    return (tmp_path / "out").read_text("utf-8")


def rows(tmp_path, to, *passages, options=OPTIONS):
    return [json.loads(line) for line in written(tmp_path, to, *passages, options=options).splitlines()]


def lost(tmp_path, to, *passages):
    return dict(export(passages, tmp_path / "lossy", to, LOSSY).lost)
