#!/usr/bin/env bash
# `spacy.blank("en")` imports the factories of every installed package, also of those that no pipeline names: where
# spacy-transformers is installed, that is PyTorch and transformers, for an empty pipeline. Shown here with spacy-llm.
set -euo pipefail
room=$(mktemp -d)
trap 'rm -rf "$room"' EXIT
python3 -m venv "$room/venv"
"$room/venv/bin/pip" install --quiet spacy==3.8.18 spacy-llm==0.7.4
"$room/venv/bin/python" - <<'PYTHON'
import sys
from importlib.metadata import version

import spacy

print("spacy", version("spacy"), "spacy-llm", version("spacy-llm"))
before = "spacy_llm" in sys.modules
nlp = spacy.blank("en")
after = "spacy_llm" in sys.modules
print("components:", nlp.pipe_names)
print("spacy_llm is imported after `import spacy`:", before, "and after `spacy.blank`:", after)
assert (nlp.pipe_names, before, after) == ([], False, True)
PYTHON
