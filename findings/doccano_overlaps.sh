#!/usr/bin/env bash
# doccano imports overlapping or nested spans only into a project with "Allow overlapping spans" ticked, which is off by
# default. Without it the import succeeds, reports no error, and keeps the first span by its start alone: the others are
# gone from database and export.
set -euo pipefail
room=$(mktemp -d)
trap 'rm -rf "$room"' EXIT
python3.11 -m venv "$room/venv"
"$room/venv/bin/pip" install --quiet doccano==1.8.4 'marshmallow<3.22' pandas==1.5.3 numpy==1.26.4 'setuptools<81'
export DOCCANO_HOME="$room" DATABASE_URL="sqlite:///$room/db.sqlite3" MEDIA_ROOT="$room/media" STANDALONE=True
export DJANGO_SETTINGS_MODULE=config.settings.production
"$room/venv/bin/doccano" init >"$room/init.log" 2>&1 || { tail -n 20 "$room/init.log"; exit 1; }
cd "$room"/venv/lib/python3.11/site-packages/backend
"$room/venv/bin/python" - "$room" <<'PYTHON'
import json
import sys
from importlib.metadata import version
from pathlib import Path

import django

django.setup()
from data_import.datasets import load_dataset
from data_import.pipeline.catalog import JSONL
from data_import.pipeline.readers import FileName
from django.contrib.auth.models import User
from labels.models import Span
from projects.models import SequenceLabelingProject

user = User.objects.create_user("anna")
text = "Platform team of Atlas pages Ines."
spans = [[0, 22, "TEAM"], [17, 22, "PRODUCT"], [29, 33, "PERSON"]]
file = Path(sys.argv[1], "in.jsonl")
file.write_text(json.dumps({"text": text, "label": spans}) + "\n", encoding="utf8")


def imported(**ticked):
    """(errors, spans) of an import, by what the Import page calls."""
    project = SequenceLabelingProject.objects.create(
        name="p", created_by=user, project_type="SequenceLabeling", **ticked
    )
    dataset = load_dataset("SequenceLabeling", JSONL(), [FileName(str(file), file.name, file.name)], project)
    dataset.save(user)
    kept = Span.objects.filter(example__project=project).order_by("start_offset")
    return [str(error) for error in dataset.errors], [(text[s.start_offset : s.end_offset], s.label.text) for s in kept]


print("doccano", version("doccano"))
default, ticked = imported(), imported(allow_overlapping=True)
print("as a new project is:       errors", default[0], "spans", default[1])
print("overlapping spans allowed: errors", ticked[0], "spans", ticked[1])
assert default == ([], [("Platform team of Atlas", "TEAM"), ("Ines", "PERSON")]), default
assert len(ticked[1]) == 3 and not ticked[0], ticked
PYTHON
