"""Passages with names that the recogniser of `watched` knows, and new ones, which a language model knows too."""

import spacy
from watched import passages

# Some that training had, and some that it did not.
INFRA = ["Redis", "Kafka", "Zorvex", "Quillmar stack"]
TEAMS = ["Payments squad", "Yelvin guild", "Ostrow chapter"]
NAMES = dict.fromkeys(INFRA, "INFRA") | dict.fromkeys(TEAMS, "TEAM")
GIVEN = passages(120, "new", names={"INFRA": INFRA, "TEAM": TEAMS})
GUIDE = """
types:
  - {label: INFRA, definition: What is operated.}
  - {label: TEAM, definition: A group.}
"""


def golds(given=GIVEN):
    english = spacy.blank("en")
    made = []
    for text, entities in given:
        doc = english.make_doc(text)
        doc.ents = [doc.char_span(*entity) for entity in entities]
        made.append(doc)
    return made
