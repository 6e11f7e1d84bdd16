"""Gold and predicted entities in few words, and reports of them."""

import re

import spacy
from hypothesis import strategies as st

from domain_ner.evaluation.predicting import EvaluatedDoc
from domain_ner.evaluation.report import Measured, make_report

TEXT = "The Payments squad restarted Redis and Kafka after 09:14"


def doc(gold=(), predicted=(), text=TEXT, *, sure=0.9, **meta):
    """Entities are given as (words, label)."""

    def spans(some):
        return tuple(sorted((text.index(words), text.index(words) + len(words), label) for words, label in some))

    tokens = tuple(match.span() for match in re.finditer(r"\S+", text))
    found = spans(predicted)
    return EvaluatedDoc("a.jsonl:1", text, meta, tokens, spans(gold), found, dict.fromkeys(found, sure))


def report(*docs, **measured):
    return make_report(Measured("en_x 0.1.0", docs, **measured))


ENGLISH = spacy.blank("en")


def trained(text, *entities):
    made = ENGLISH.make_doc(text)
    made.ents = [made.char_span(text.index(words), text.index(words) + len(words), label) for words, label in entities]
    return made


NAMES = st.lists(
    st.tuples(st.sampled_from(["Payments", "Payments squad", "Redis", "Kafka", "The"]), st.sampled_from("AB")),
    max_size=3,
    unique_by=lambda one: one[0],
)
DOCS = st.lists(st.tuples(NAMES, NAMES, st.floats(0, 1)), min_size=1, max_size=4)
