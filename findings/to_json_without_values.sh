#!/usr/bin/env bash
# `doc.to_json(underscore=["confidence"])` with a registered Span extension works only for documents in which some span has a
# value of its own. Where none has (a text without entities, or spans that have the default), it raises E106 as if the
# extension were not registered, and for a Doc, so that an export of many documents stops at the first without entities.
set -euo pipefail
room=$(mktemp -d)
trap 'rm -rf "$room"' EXIT
python3 -m venv "$room/venv"
"$room/venv/bin/pip" install --quiet spacy==3.8.18
"$room/venv/bin/python" - <<'PYTHON'
from importlib.metadata import version

import spacy
from spacy.tokens import Span

print("spacy", version("spacy"))
Span.set_extension("confidence", default=None)
nlp = spacy.blank("en")


def to_json(text, value=None):
    """The custom attributes of a document whose first word is an entity, where a value is given."""
    doc = nlp(text)
    if value is not None:
        doc.ents = [Span(doc, 0, 1, label="INFRA")]
        doc.ents[0]._.confidence = value
    try:
        return list(doc.to_json(underscore=["confidence"])["underscore_span"])
    except ValueError as err:
        return str(err)


with_value, without = to_json("Redis failed.", 0.9), to_json("It failed.")
print("an entity with a value:", with_value)
print("no entity:", without)
assert with_value == ["confidence"], with_value
assert without.startswith("[E106]") and "doc._.confidence" in without, without
PYTHON
