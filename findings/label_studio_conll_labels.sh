#!/usr/bin/env bash
# Label Studio's CONLL2003 export separates its four columns by spaces and writes labels as they are. A label with a space
# in it ("first name") gives rows of five columns: whoever takes the fourth column reads a label "first", whoever takes the
# last reads "name", without B- or I-. Nothing is said at export, and in the same file a task that nobody annotated is
# a sentence of O, as one without entities is.
set -euo pipefail
room=$(mktemp -d)
trap 'rm -rf "$room"' EXIT
python3 -m venv "$room/venv"
"$room/venv/bin/pip" install --quiet label-studio-sdk==2.1.2
"$room/venv/bin/python" - "$room" <<'PYTHON'
import json
import sys
from importlib.metadata import version
from pathlib import Path

from label_studio_sdk.converter import Converter

CONFIG = """<View><Labels name="label" toName="text"><Label value="first name"/><Label value="CITY"/></Labels>
<Text name="text" value="$text"/></View>"""


def region(start, end, label):
    value = {"start": start, "end": end, "labels": [label]}
    return {"from_name": "label", "to_name": "text", "type": "labels", "value": value}


def task(number, text, *regions):
    annotations = [{"id": number, "completed_by": 1, "result": list(regions)}] if regions else []
    return {"id": number, "data": {"text": text}, "annotations": annotations}


room = Path(sys.argv[1])
tasks = [task(1, "Anna Lena is in Rome", region(0, 9, "first name"), region(16, 20, "CITY")), task(2, "Ben left Oslo")]
(room / "tasks.json").write_text(json.dumps(tasks), encoding="utf8")
Converter(CONFIG, project_dir=None).convert(str(room / "tasks.json"), str(room / "out"), "CONLL2003", is_dir=False)
(file,) = (room / "out").glob("*.conll")
text = file.read_text(encoding="utf8")
print("label-studio-sdk", version("label-studio-sdk"), f"\n{text}")
rows = [line.split(" ") for line in text.splitlines() if line and not line.startswith("-DOCSTART-")]
assert rows[:2] == [["Anna", "-X-", "_", "B-first", "name"], ["Lena", "-X-", "_", "I-first", "name"]], rows
assert rows[4] == ["Rome", "-X-", "_", "B-CITY"], rows
assert [row[-1] for row in rows[5:]] == ["O", "O", "O"], rows
PYTHON
