"""doccano: its server, and what annotators do in it, by its API.

It needs a web server, and a task queue for imports and exports. Its own `doccano webserver` listens on all addresses:
here the same application runs in gunicorn, on the loopback address alone.
"""

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from _servers.http import Client, wait_for
from _servers.processes import HOST, free_port, run, running
from domain_ner.annotations.passages import LabelledSpan, utf16_offsets
from domain_ner.errors import DomainNerError

TITLE = "doccano"
ADMIN, PASSWORD = "admin", "a-Password-0f-its-own"
TASK = "SequenceLabeling"


@contextmanager
def serving(programs: Path, work: Path, seconds: float) -> Iterator[str]:
    """doccano as long as the block lasts; gives its address. work: an empty folder for its database."""
    environment = {
        **os.environ, "DOCCANO_HOME": str(work), "STANDALONE": "True", "DEBUG": "False", "DOCCANO_PAGE_SIZE": "1000",
        "DJANGO_SETTINGS_MODULE": "config.settings.production", "DATABASE_URL": f"sqlite:///{work}/db.sqlite3",
        "MEDIA_ROOT": str(work / "media"), "SECRET_KEY": "of a server that lives for minutes",
    }  # fmt: skip
    doccano, port = str(programs / "doccano"), free_port()
    run("doccano init", [doccano, "init"], work / "init.log", environment)
    user = ["createuser", "--username", ADMIN, "--password", PASSWORD]
    run("doccano createuser", [doccano, *user], work / "createuser.log", environment)
    backend = next((programs.parent / "lib").glob("python*/site-packages/backend"))
    web = [str(programs / "gunicorn"), "--chdir", str(backend), "--bind", f"{HOST}:{port}", "--workers", "1"]
    queue = [doccano, "task", "--concurrency", "1"]
    address = f"http://{HOST}:{port}"
    with (
        running("doccano task", queue, work / "task.log", environment),
        running("doccano webserver", [*web, "config.wsgi"], work / "webserver.log", environment) as server,
    ):
        server.wait_until(lambda: Client(address).is_up("/v1/health/?format=json"), seconds)
        yield address


def log_in(address: str, name: str) -> Client:
    """A user by name."""
    client = Client(f"{address}/v1")
    key = client.post("/auth/login/", {"username": name, "password": PASSWORD})["key"]
    client.session.cookies.clear()  # with a session's cookie, doccano wants a CSRF token too
    client.session.headers["Authorization"] = f"Token {key}"
    return client


def add_user(admin: Client, address: str, name: str) -> Client:
    """A new user."""
    admin.post("/users/create", {"username": name, "password1": PASSWORD, "password2": PASSWORD})
    return log_in(address, name)


class Project:
    """A project of an administrator, who is a member too. members: whom it has else. settings: other than usual."""

    def __init__(self, admin: Client, name: str, members: Sequence[Client], **settings: Any) -> None:
        self.admin, self.seconds = admin, 120.0
        told = {
            "name": name, "description": name, "guideline": "", "project_type": TASK, "resourcetype": f"{TASK}Project",
            "allow_overlapping": True, "tags": [],
        }  # fmt: skip
        self.path = f"/projects/{admin.post('/projects', told | settings)['id']}"
        role = next(one["id"] for one in admin.get("/roles") if one["name"] == "annotator")
        for member in members:
            admin.post(f"{self.path}/members", {"user": member.get("/me")["id"], "role": role})

    def import_file(self, file: Path) -> list[dict[str, Any]]:
        """Import a file of JSONL; gives doccano's errors. Raises DomainNerError where the whole import fails."""
        with file.open("rb") as stream:
            answer = self.admin.ask("POST", "/fp/process/", files={"filepond": (file.name, stream)})
        told = {"uploadIds": [answer.text], "format": "JSONL", "task": TASK, "encoding": "utf_8"}
        task = self.admin.post(f"{self.path}/upload", told)["task_id"]
        errors: list[dict[str, Any]] = self._wait(task, f"the import of {file.name}")["result"]["error"]
        return errors

    def add_label(self, label: str) -> None:
        """Add a type of span, unless it is there."""
        if label not in self.label_ids():
            self.admin.post(f"{self.path}/span-types", {"text": label})

    def label_ids(self) -> dict[str, int]:
        """doccano's numbers of the labels."""
        return {one["text"]: one["id"] for one in self.admin.get(f"{self.path}/span-types")}

    def examples(self) -> dict[str, int]:
        """The number of each text."""
        return {row["text"]: row["id"] for row in self.rows(self.admin)}

    def rows(self, who: Client) -> list[dict[str, Any]]:
        """The texts with their meta, in the order in which a user sees them."""
        found: list[dict[str, Any]] = who.get(f"{self.path}/examples?limit=1000")["results"]
        return found

    def spans(self, who: Client, text: str) -> dict[LabelledSpan, int]:
        """doccano's numbers of the spans that a user sees on a text."""
        point_of = {unit: point for point, unit in enumerate(utf16_offsets(text))}
        names = {number: label for label, number in self.label_ids().items()}
        found = who.get(f"{self.path}/examples/{self.examples()[text]}/spans")
        return {
            LabelledSpan(point_of[one["start_offset"]], point_of[one["end_offset"]], names[one["label"]]): one["id"]
            for one in found
        }

    def remove_span(self, who: Client, text: str, number: int) -> None:
        """Remove a span from a text."""
        who.ask("DELETE", f"{self.path}/examples/{self.examples()[text]}/spans/{number}")

    def annotate(self, who: Client, text: str, spans: Sequence[LabelledSpan], *, as_code_points: bool = False) -> None:
        """Annotate a text and confirm it.

        doccano keeps offsets as they are sent, and never looks at the text. Its page sends, and shows, UTF-16 units, so
        that these are what its offsets mean; a program may send code points, which its page then shows in wrong places.
        """
        offsets = range(len(text) + 1) if as_code_points else utf16_offsets(text)
        ids, example = self.label_ids(), f"{self.path}/examples/{self.examples()[text]}"
        for span in spans:
            body = {"start_offset": offsets[span.start], "end_offset": offsets[span.end], "label": ids[span.label]}
            who.post(f"{example}/spans", body)
        self.confirm(who, text)

    def confirm(self, who: Client, text: str) -> None:
        """Say that a text is done."""
        who.post(f"{self.path}/examples/{self.examples()[text]}/states", {})

    def export(self, target: Path, **options: Any) -> None:
        """Write the zip that doccano makes."""
        task = self.admin.post(f"{self.path}/download", {"format": "JSONL", **options})["task_id"]
        self._wait(task, "an export")
        target.write_bytes(self.admin.ask("GET", f"{self.path}/download?taskId={task}").content)

    def _wait(self, task: str, what: str) -> Mapping[str, Any]:
        def done() -> Mapping[str, Any] | None:
            told: Mapping[str, Any] = self.admin.get(f"/tasks/status/{task}")
            return told if told["ready"] else None

        result = wait_for(done, what, self.seconds)
        if result.get("error"):
            raise DomainNerError(f"{what} failed: {result['error']}")
        return result
