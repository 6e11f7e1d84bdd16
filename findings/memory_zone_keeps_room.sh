#!/usr/bin/env bash
# Memory still grows with every new word within `nlp.memory_zone()`. The zone forgets a batch's words: `len(vocab.strings)`
# is the same afterwards. But `len(vocab)` counts every word that there ever was, and the tables behind it double again and
# again, as if they held all of them. Someone who relies on zones to run for months needs to load the pipeline anew from
# time to time: a new vocabulary starts small.
set -euo pipefail
room=$(mktemp -d)
trap 'rm -rf "$room"' EXIT
python3 -m venv "$room/venv"
"$room/venv/bin/pip" install --quiet spacy==3.8.18 preshed==3.0.13
"$room/venv/bin/python" - <<'PYTHON'
import gc
import os
from importlib.metadata import version
from pathlib import Path

import spacy

print("spacy", version("spacy"), "preshed", version("preshed"))
nlp = spacy.blank("en")


def resident():
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6


def process(first, last):
    for number in range(first, last, 200):
        with nlp.memory_zone():
            for n in range(number, number + 200):
                nlp.make_doc(f"word{n} and name{n}x failed at {n}")


process(0, 20_000)
gc.collect()
n_strings, n_words, begun = len(nlp.vocab.strings), len(nlp.vocab), resident()
process(20_000, 400_000)
gc.collect()
grown = resident() - begun
print(f"strings: {n_strings} before, {len(nlp.vocab.strings)} after 380,000 texts with three new words each")
print(f"words in the vocabulary: {n_words} before, {len(nlp.vocab)} after; memory grew by {grown:.0f} MB")
assert len(nlp.vocab.strings) == n_strings
assert len(nlp.vocab) - n_words > 1_000_000 and grown > 15, (len(nlp.vocab), grown)
PYTHON
