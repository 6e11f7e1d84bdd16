"""Documents with the rows of their ledger, inspected: what the tests of `inspect` and of its page are made of."""

import spacy

from domain_ner.annotations.outcomes import IMPORTED
from domain_ner.annotations.passages import LabelledSpan, Passage
from domain_ner.conversion.accounts import enter_doc
from domain_ner.conversion.ledger import Ledger
from domain_ner.conversion.ledger_rows import Row
from domain_ner.corpus.docs import DocRules, make_doc
from domain_ner.inspection.passages import inspect

TOKENIZE = spacy.blank("en", config={"nlp": {"tokenizer": {"@tokenizers": "domain_ner.Tokenizer.v1"}}}).tokenizer


def row(source, text, label, outcome, reasons=(), *, document="", start=0):
    return Row(
        source,
        document,
        "",
        start,
        start + len(text),
        label,
        text,
        outcome,
        list(reasons),
        "train" * (outcome == IMPORTED),
    )


def make(text, *found, source="a:1", rules=None, **fields):
    """(document, rows of the ledger); found: (surface, label)."""
    ledger = Ledger()
    spans = sorted(LabelledSpan(text.index(words), text.index(words) + len(words), label) for words, label in found)
    given = [Row(source, "", "", s.start, s.end, s.label, text[s.start : s.end]) for s in spans]
    rows = tuple(map(ledger.open, given))
    passage = Passage(text, tuple(spans), source, rows=rows, **fields)
    return enter_doc(make_doc(passage, rules or DocRules(TOKENIZE)), ledger, split="train"), ledger.rows


def reasons(passage):
    """Why the passage is suspicious."""
    return {finding.reason for finding in passage.findings}


def inspected(*made, extra=(), tokenizer=None):
    rows = [row for _, rows in made for row in rows] + list(extra)
    return inspect([("train", doc) for doc, _ in made], rows, tokenizer)
