#!/usr/bin/env bash
# Label Studio's JSON export names predictions (and drafts) by their ids alone, however they came in: imported with the
# tasks, or fetched from an ML backend. Regions, scores and model versions are not in the file. Who reads `predictions` as
# the import format has them (objects with `result`) counts every pre-annotated task as damaged, or takes it for one
# without suggestions: comparing people with the model needs the predictions from the API instead.
set -euo pipefail
room=$(mktemp -d)
trap 'rm -rf "$room"' EXIT
python3 -m venv "$room/venv"
"$room/venv/bin/pip" install --quiet label-studio==1.23.2
"$room/venv/bin/python" - "$room" 2> "$room/log" <<'PYTHON' || { tail -n 20 "$room/log"; exit 1; }
import json
import os
import sys
from importlib.metadata import version
from pathlib import Path

room = Path(sys.argv[1])
os.environ |= {
    "DJANGO_SETTINGS_MODULE": "core.settings.label_studio", "LABEL_STUDIO_BASE_DATA_DIR": str(room),
    "COLLECT_ANALYTICS": "0", "LATEST_VERSION_CHECK": "0", "SENTRY_DSN": "", "FRONTEND_SENTRY_DSN": "",
}
import label_studio

sys.path.insert(0, str(Path(label_studio.__file__).parent))
import django

django.setup()
from django.core.management import call_command
from rest_framework.test import APIClient

call_command("migrate", verbosity=0)
from organizations.models import Organization
from users.models import User

user = User.objects.create_user(email="ada@example.org", password="x")
user.active_organization = Organization.create_organization(created_by=user, title="o")
user.save()
client = APIClient(HTTP_HOST="localhost")
client.force_authenticate(user)
CONFIG = '<View><Labels name="label" toName="text"><Label value="CITY"/></Labels><Text name="text" value="$text"/></View>'


def post(path, content):
    answer = client.post(path, content, format="json")
    assert answer.status_code < 300, (path, answer.content)
    return answer.json()


region = {"from_name": "label", "to_name": "text", "type": "labels", "value": {"start": 0, "end": 4, "labels": ["CITY"]}}
predicted = {"model_version": "m", "score": 0.9, "result": [region]}
project = post("/api/projects", {"title": "cities", "label_config": CONFIG})["id"]
post(f"/api/projects/{project}/import", [{"data": {"text": "Rome"}, "predictions": [predicted]}])
(task,) = client.get(f"/api/tasks?project={project}&fields=all").json()["tasks"]
post(f"/api/tasks/{task['id']}/annotations", {"result": [region]})
answer = client.get(f"/api/projects/{project}/export?exportType=JSON")
exported = json.loads(b"".join(answer.streaming_content))
print("label-studio", version("label-studio"))
(only,) = exported
print("annotations:", [type(one).__name__ for one in only["annotations"]], "predictions:", only["predictions"])
assert [type(one).__name__ for one in only["annotations"]] == ["dict"], only
assert all(type(one) is int for one in only["predictions"]) and len(only["predictions"]) == 1, only
PYTHON
