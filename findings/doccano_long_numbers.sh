#!/usr/bin/env bash
# A whole number in a row's metadata comes out of doccano's JSONL as a float as soon as one text of the project lacks that
# key: the rows pass through a pandas DataFrame, where the gap makes the column float64. 15 becomes 15.0, and of a number
# beyond 2^53 (a 64-bit id) the last digits are others: two customers, tickets or documents become one. The text without
# the key may have been imported months later, from another file.
set -euo pipefail
room=$(mktemp -d)
trap 'rm -rf "$room"' EXIT
python3.11 -m venv "$room/venv"
"$room/venv/bin/pip" install --quiet doccano==1.8.4 'marshmallow<3.22' pandas==1.5.3 numpy==1.26.4 'setuptools<81'
export DOCCANO_HOME="$room" DATABASE_URL="sqlite:///$room/db.sqlite3" MEDIA_ROOT="$room/media" STANDALONE=True
export DJANGO_SETTINGS_MODULE=config.settings.production
"$room/venv/bin/doccano" init >"$room/init.log" 2>&1 || { tail -n 20 "$room/init.log"; exit 1; }
cd "$room"/venv/lib/python3.11/site-packages/backend
"$room/venv/bin/python" - <<'PYTHON'
import json
import zipfile
from importlib.metadata import version

import django

django.setup()
from data_export.celery_tasks import export_dataset
from django.contrib.auth.models import User
from examples.models import Example
from projects.models import SequenceLabelingProject

user = User.objects.create_user("anna")
settings = {"created_by": user, "project_type": "SequenceLabeling", "collaborative_annotation": True}


def exported(*metas):
    """What doccano exports of texts with this metadata, by the function that its Export page calls."""
    project = SequenceLabelingProject.objects.create(name="p", **settings)
    for number, meta in enumerate(metas):
        Example.objects.create(project=project, text=f"Text {number}.", meta=meta)
    with zipfile.ZipFile(export_dataset(project.id, "JSONL")) as archive:
        return [json.loads(line).get("customer") for line in archive.read("all.jsonl").splitlines()]


print("doccano", version("doccano"), "pandas", version("pandas"))
numbers = {"customer": 15}, {"customer": 2**53}, {"customer": 2**53 + 1}
complete, gap = exported(*numbers), exported(*numbers, {})
print("every text has the key:", complete)
print("one text lacks it:     ", gap)
assert complete == [15, 9007199254740992, 9007199254740993], complete
assert gap == [15.0, 9007199254740992.0, 9007199254740992.0, None] and isinstance(gap[0], float), gap
PYTHON
