#!/usr/bin/env bash
# A label as a key of a spaCy config (thresholds or weights by type) may not survive `nlp.to_disk`: confection writes and
# reads configs as INI, where `:` and `=` end a key and `#`, `;` and `[` begin something else. Nothing is said: the key
# comes back as another one, or not at all, and `spacy.load` hands the component other settings than were saved. Labels with
# a colon are common in public corpora (LOC:city). Pairs in a list come back as they were.
set -euo pipefail
room=$(mktemp -d)
trap 'rm -rf "$room"' EXIT
python3 -m venv "$room/venv"
"$room/venv/bin/pip" install --quiet spacy==3.8.18 confection==1.3.4
"$room/venv/bin/python" - <<'PYTHON'
from importlib.metadata import version

import spacy
from spacy.language import Language


@Language.factory("thresholds", default_config={"by_label": {}, "pairs": []})
def create(nlp, name, by_label: dict, pairs: list):
    def component(doc):
        return doc

    return component


print("spacy", version("spacy"), "confection", version("confection"))
labels = ["PER", "first name", "LOC:city", "x=y", "#tag", "; note", "[REDACTED]"]
seen = {}
for label in labels:
    nlp = spacy.blank("en")
    nlp.add_pipe("thresholds", config={"by_label": {label: 0.9}, "pairs": [[label, 0.9]]})
    back = spacy.Config().from_str(nlp.config.to_str())["components"]["thresholds"]
    seen[label] = back["by_label"], back["pairs"] == [[label, 0.9]]
    print(f"{label!r:14} as a key: {back['by_label']}; in a list: {back['pairs']}")
assert seen == {
    "PER": ({"PER": 0.9}, True),
    "first name": ({"first name": 0.9}, True),
    "LOC:city": ({"LOC": "city = 0.9"}, True),
    "x=y": ({"x": "y = 0.9"}, True),
    "#tag": ({}, True),
    "; note": ({}, True),
    "[REDACTED]": ({}, True),
}, seen
PYTHON
