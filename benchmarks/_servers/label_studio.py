"""Label Studio: its server, and what annotators do in it, by its API."""

import os
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from _servers.http import Client
from _servers.processes import HOST, free_port, running
from domain_ner.errors import DomainNerError

TITLE = "Label Studio"
ADMIN, PASSWORD = "admin@example.org", "a-Password-0f-its-own"
CSRF = re.compile(r'name="csrfmiddlewaretoken" value="([^"]+)"')


@contextmanager
def serving(programs: Path, work: Path, seconds: float) -> Iterator[str]:
    """Label Studio as long as the block lasts; gives its address. work: an empty folder for its database."""
    environment = {
        **os.environ, "LABEL_STUDIO_BASE_DATA_DIR": str(work), "LATEST_VERSION_CHECK": "0", "COLLECT_ANALYTICS": "0",
        "LABEL_STUDIO_USERNAME": ADMIN, "LABEL_STUDIO_PASSWORD": PASSWORD, "SENTRY_DSN": "", "FRONTEND_SENTRY_DSN": "",
        "LABEL_STUDIO_DISABLE_SIGNUP_WITHOUT_LINK": "false",
    }  # fmt: skip
    port = free_port()
    command = [str(programs / "label-studio"), "start", "--no-browser", "--port", str(port), "--internal-host", HOST]
    command += ["--data-dir", str(work), "--username", ADMIN, "--password", PASSWORD]
    address = f"http://{HOST}:{port}"
    with running("label-studio start", command, work / "server.log", environment) as server:
        server.wait_until(lambda: Client(address).is_up("/health"), seconds)
        yield address


def log_in(address: str, name: str) -> Client:
    """A user by e-mail address, through the page on which people log in."""
    return _through(address, "/user/login/", {"email": name, "password": PASSWORD})


def add_user(admin: Client, address: str, name: str) -> Client:
    """A new user, through the page on which people sign up, as the administrator's link leads there."""
    link = admin.get("/api/invite")["invite_url"]
    return _through(address, link, {"email": name, "password": PASSWORD, "how_find_us": "Other"})


def _through(address: str, page: str, form: Mapping[str, str]) -> Client:
    """A session that began by filling in a form. Raises DomainNerError where nobody is logged in afterwards."""
    client = Client(address)
    found = CSRF.search(client.ask("GET", page).text)
    body = {**form, "csrfmiddlewaretoken": found[1] if found else ""}
    client.ask("POST", page, data=body, headers={"Referer": f"{address}{page}"})
    try:
        client.get("/api/current-user/whoami")
    except DomainNerError as err:
        raise DomainNerError(f"Label Studio: {form['email']} could not come in through {page}: {err.message}") from err
    client.session.headers["X-CSRFToken"] = client.session.cookies.get("csrftoken", "")
    client.session.headers["Referer"] = address
    return client


class Project:
    """A project with a labelling config. settings: other than usual."""

    def __init__(self, admin: Client, title: str, config: str, **settings: Any) -> None:
        self.admin = admin
        told = {"title": title, "label_config": config, "maximum_annotations": 2, "show_collab_predictions": True}
        self.path = f"/api/projects/{admin.post('/api/projects', told | settings)['id']}"

    def import_file(self, file: Path) -> Mapping[str, Any]:
        """Import a file as the page does; gives what Label Studio says of it."""
        with file.open("rb") as stream:
            answer = self.admin.ask("POST", f"{self.path}/import", files={file.name: (file.name, stream)})
        told: Mapping[str, Any] = answer.json()
        return told

    def tasks(self) -> list[Mapping[str, Any]]:
        """The tasks, with their data, in the order of their numbers."""
        found = self.admin.get(f"/api/tasks?project={self.path.rpartition('/')[2]}&page_size=1000&fields=all")
        return sorted(found["tasks"], key=lambda task: int(task["id"]))

    def next_task(self, who: Client) -> Mapping[str, Any]:
        """The task that a user is asked next, with the predictions that the labelling page shows."""
        found: Mapping[str, Any] = who.get(f"{self.path}/next")
        return found

    def annotate(self, who: Client, task: int, result: Sequence[Mapping[str, Any]], **more: Any) -> None:
        """Submit an annotation as a user. more: other keys of the annotation."""
        body = {"result": result, "was_cancelled": False, "lead_time": 1.5, **more}
        who.post(f"/api/tasks/{task}/annotations", body)

    def formats(self) -> list[str]:
        """The names of the formats that the export page offers."""
        return [one["name"] for one in self.admin.get(f"{self.path}/export/formats") if not one.get("disabled")]

    def export(self, format_: str, target: Path) -> None:
        """Write an export of all tasks, annotated or not."""
        query = f"exportType={format_}&download_all_tasks=true&download_resources=false"
        target.write_bytes(self.admin.ask("GET", f"{self.path}/export?{query}").content)


def number_of(client: Client) -> str:
    """The number by which exports name a user."""
    return str(client.get("/api/current-user/whoami")["id"])
