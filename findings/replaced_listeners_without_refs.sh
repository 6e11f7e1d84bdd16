#!/usr/bin/env bash
# After `nlp.replace_listeners`, a component's own tok2vec has no references any more: `get_ref("embed")` and
# `get_ref("encode")` raise, although spaCy's Tok2Vec sets both. thinc's Model.copy() copies layers, parameters and
# attributes, but no references. A pipeline that was saved and loaded has them again: its layers are made from the config.
# Code that exports or inspects the layers of a pipeline works on one from disk, and fails on one in memory.
set -euo pipefail
room=$(mktemp -d)
trap 'rm -rf "$room"' EXIT
python3 -m venv "$room/venv"
"$room/venv/bin/pip" install --quiet spacy==3.8.18 thinc==8.3.14
"$room/venv/bin/python" - "$room/nlp" <<'PYTHON'
import sys
from importlib.metadata import version

import spacy
from spacy.training import Example


def references(nlp):
    return sorted(nlp.get_pipe("ner").model.get_ref("tok2vec").layers[0].ref_names)


print("spacy", version("spacy"), "thinc", version("thinc"))
nlp = spacy.blank("en")
nlp.add_pipe("tok2vec")
nlp.add_pipe("ner", config={"model": {"tok2vec": {"@architectures": "spacy.Tok2VecListener.v1", "width": 96}}})
nlp.initialize(lambda: [Example.from_dict(nlp.make_doc("Redis failed."), {"entities": [(0, 5, "INFRA")]})])
shared = sorted(nlp.get_pipe("tok2vec").model.ref_names)
print("of the shared tok2vec:", shared)
nlp.replace_listeners("tok2vec", "ner", ["model.tok2vec"])
replaced = references(nlp)
print("of ner's own, after replace_listeners:", replaced)
nlp.to_disk(sys.argv[1])
loaded = references(spacy.load(sys.argv[1]))
print("of ner's own, saved and loaded:", loaded)
assert (shared, replaced, loaded) == (["embed", "encode"], [], ["embed", "encode"]), (shared, replaced, loaded)
PYTHON
