#!/usr/bin/env bash
# Reading a DocBin searches the metadata of all installed packages again for each document: srsly asks its registries of
# codecs at each message, and catalogue goes through every entry point there is. The more entry points are installed, the
# slower a corpus is read. The codecs do not change: with
# `entry_points = False` on both registries, nothing is searched, and the documents are the same.
set -euo pipefail
room=$(mktemp -d)
trap 'rm -rf "$room"' EXIT
python3 -m venv "$room/venv"
"$room/venv/bin/pip" install --quiet spacy==3.8.18 srsly==2.5.6 catalogue==2.0.10
"$room/venv/bin/python" - <<'PYTHON'
import time
from importlib.metadata import version

import catalogue
import spacy
from spacy.tokens import DocBin
from srsly import msgpack

print("spacy", version("spacy"), "srsly", version("srsly"), "catalogue", version("catalogue"))
N = 2000
nlp = spacy.blank("en")
given = [nlp("Redis failed on the checkout host.") for _ in range(N)]
packed = DocBin(docs=given, store_user_data=True).to_bytes()
searches = 0
select = catalogue.Registry._get_entry_points


def counted(registry):
    global searches
    searches += 1
    return select(registry)


def read():
    begun = time.process_time()
    texts = [doc.text for doc in DocBin().from_bytes(packed).get_docs(nlp.vocab)]
    return texts, time.process_time() - begun


read()
_, seconds = read()
catalogue.Registry._get_entry_points = counted
texts, _ = read()
catalogue.Registry._get_entry_points = select
print(f"{N} documents: {searches} searches; {seconds:.2f} s")
for codecs in (msgpack.msgpack_encoders, msgpack.msgpack_decoders):
    codecs.entry_points = False
same, fewer = read()
print(f"without searching: {fewer:.2f} s")
assert searches >= N and texts == same and fewer < 0.9 * seconds, (searches, seconds, fewer)
PYTHON
