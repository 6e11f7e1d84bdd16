#!/usr/bin/env bash
# Label Studio keeps the model version of a project's first import. Tasks imported later, with predictions of another model
# version, come without any prediction in the label stream ("Label All Tasks"), while the task itself has it. Who imports
# the suggestions of a retrained model into the same project lets people annotate without suggestions, and nothing says so.
# A project for each model shows them.
set -euo pipefail
room=$(mktemp -d)
trap 'rm -rf "$room"' EXIT
python3 -m venv "$room/venv"
"$room/venv/bin/pip" install --quiet label-studio==1.23.2
"$room/venv/bin/python" - "$room" 2> "$room/log" <<'PYTHON' || { tail -n 20 "$room/log"; exit 1; }
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
REGION = {"from_name": "label", "to_name": "text", "type": "labels", "value": {"start": 0, "end": 4, "labels": ["CITY"]}}


def asked(method, path, content=None):
    answer = getattr(client, method)(path, content, format="json")
    assert answer.status_code < 300, (path, answer.content)
    return answer.json()


project = f"/api/projects/{asked('post', '/api/projects', {'title': 'cities', 'label_config': CONFIG, 'show_collab_predictions': True})['id']}"
for text, model in (("Rome", "first"), ("Oslo", "second")):
    task = {"data": {"text": text}, "predictions": [{"model_version": model, "result": [REGION]}]}
    asked("post", f"{project}/import", [task])
print("label-studio", version("label-studio"))
print("the project's model version:", asked("get", project)["model_version"])
shown = {}
for _ in range(2):
    task = asked("get", f"{project}/next")
    shown[task["data"]["text"]] = [one["model_version"] for one in task["predictions"]]
    stored = [one["model_version"] for one in asked("get", f"/api/tasks/{task['id']}")["predictions"]]
    print(task["data"]["text"], "in the label stream:", shown[task["data"]["text"]], "stored:", stored)
    assert len(stored) == 1, stored
    asked("post", f"/api/tasks/{task['id']}/annotations", {"result": [REGION]})
assert shown == {"Rome": ["first"], "Oslo": []}, shown
PYTHON
