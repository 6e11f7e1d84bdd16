"""Requests to a server on this machine, by one user of it."""

import time
from collections.abc import Callable
from typing import Any, TypeVar

import requests

from domain_ner.errors import DomainNerError

TIMEOUT_S = 120
# Of a question whether a server is up, which is asked again.
PROBE_S = 10
POLL_S = 0.5
MAX_CHARS = 600

T = TypeVar("T")


class Client:
    """A user who is logged in or about to be. base: of all addresses."""

    def __init__(self, base: str) -> None:
        self.base = base
        self.session = requests.Session()
        self.session.trust_env = False  # a proxy has no business with this machine's own address

    def ask(self, method: str, path: str, **given: Any) -> requests.Response:
        """An answer. Raises DomainNerError, with what the server says, where it refuses."""
        answer = self.session.request(method, f"{self.base}{path}", timeout=TIMEOUT_S, **given)
        if not answer.ok:
            raise DomainNerError(f"{method} {path}: {answer.status_code} {answer.text[:MAX_CHARS]}")
        return answer

    def get(self, path: str, **given: Any) -> Any:
        """The JSON that stands there."""
        return self.ask("GET", path, **given).json()

    def post(self, path: str, body: Any = None, **given: Any) -> Any:
        """The JSON that a server answers to JSON."""
        return self.ask("POST", path, json=body, **given).json()

    def is_up(self, path: str) -> bool:
        """Whether anything answers there."""
        try:
            return bool(self.session.get(f"{self.base}{path}", timeout=PROBE_S).ok)
        except requests.RequestException:
            return False


def wait_for(done: Callable[[], T | None], what: str, seconds: float) -> T:
    """What comes out once it is there. Raises DomainNerError where that takes too long."""
    until = time.monotonic() + seconds
    while (result := done()) is None:
        if time.monotonic() > until:
            raise DomainNerError(f"{what}: nothing came in {seconds:g} s.")
        time.sleep(POLL_S)
    return result
