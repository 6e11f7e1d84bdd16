"""Starts servers on loopback ports, waits until they answer, and stops them whatever happens."""

import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from domain_ner.errors import DomainNerError

HOST = "127.0.0.1"
GUARD = Path(__file__).with_name("guard.py")
LAST_LINES = 15
POLL_S = 0.5
STOP_S = 15.0


@dataclass
class Server:
    """A process that runs. log: what it prints."""

    title: str
    process: "subprocess.Popen[bytes]"
    log: Path

    @property
    def has_ended(self) -> bool:
        """Whether it ended by itself."""
        return self.process.poll() is not None

    def wait_until(self, is_up: Callable[[], bool], seconds: float) -> None:
        """Wait until it answers. Raises DomainNerError, with the log's last lines, where it ends or takes too long."""
        until = time.monotonic() + seconds
        while not is_up():
            if self.has_ended:
                raise DomainNerError(f"{self.title} ended as it started. {last_lines(self.log)}")
            if time.monotonic() > until:
                fix = "Give it longer with --wait."
                raise DomainNerError(f"{self.title} did not answer in {seconds:g} s. {last_lines(self.log)}", fix)
            time.sleep(POLL_S)

    def stop(self) -> None:
        """End it and all that it started."""
        if self.process.stdin:
            self.process.stdin.close()
        with suppress(subprocess.TimeoutExpired):
            self.process.wait(STOP_S)
        if not self.has_ended:
            self.process.kill()
            self.process.wait()


@contextmanager
def running(title: str, command: Sequence[str], log: Path, environment: Mapping[str, str]) -> Iterator[Server]:
    """A server for as long as the block lasts; if this process is killed, it ends too."""
    with log.open("wb") as stream:
        process = subprocess.Popen(
            [sys.executable, str(GUARD), *command], stdin=subprocess.PIPE, stdout=stream, stderr=subprocess.STDOUT,
            env=dict(environment), cwd=log.parent, start_new_session=True,
        )  # fmt: skip
    server = Server(title, process, log)
    try:
        yield server
    finally:
        server.stop()


def run(title: str, command: Sequence[str], log: Path, environment: Mapping[str, str]) -> None:
    """Run a command of a tool to its end. Raises DomainNerError, with what it printed last, where it fails."""
    with log.open("wb") as stream:
        ran = subprocess.run(
            command, stdin=subprocess.DEVNULL, stdout=stream, stderr=subprocess.STDOUT, env=dict(environment),
            cwd=log.parent, check=False,
        )  # fmt: skip
    if ran.returncode:
        raise DomainNerError(f"{title} failed. {last_lines(log)}")


def last_lines(log: Path) -> str:
    """The end of a log."""
    lines = log.read_text(encoding="utf8", errors="replace").splitlines()[-LAST_LINES:]
    return f"The last lines of {log.name}:\n" + "\n".join(f"  {line}" for line in lines)


def free_port() -> int:
    """A loopback port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])
