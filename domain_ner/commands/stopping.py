"""Ctrl-C: what is printed, at once, and how a command ends. Imports the standard library alone, to be there first."""

import multiprocessing
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

# Exit code of a command that Ctrl-C ended, as shells have it.
INTERRUPTED = 130
IMPORT_SYSTEM = "<frozen importlib."


def _kept_whole() -> str:
    return "Each file is as it was or is complete."


class _Stopping:
    """What Ctrl-C prints, at once: `spacy project run` kills its command a quarter of a second later.

    command, in_project: as in `take_over`. told: says what is kept. goes_on: whether the next run goes on where this
    one was; option: what a command line must have for that.
    """

    def __init__(self) -> None:
        self.command, self.in_project = "", False
        self.told, self.goes_on, self.option = _kept_whole, False, ""
        self.is_running = self.is_stopped = False

    def __call__(self, number: int, frame: FrameType | None) -> None:
        if not self.is_stopped:
            self.is_stopped = True
            # Not by way of a buffer: the signal may have come in the middle of writing to one.
            os.write(2, f"\nStopped. {self.told()}\n{self._next()}\n".encode())
        # A module whose import is interrupted may take the interruption for a missing package, and go on.
        if not self.is_running or _is_importing(frame):
            os._exit(INTERRUPTED)
        raise KeyboardInterrupt

    def _next(self) -> str:
        aim = "Go on with" if self.goes_on else "Start it again with"
        if self.in_project:
            return f"{aim}: python -m spacy project run {self.command} (with the same --vars, if any)"
        option = f" {self.option}" if self.option and self.option not in self.command.split() else ""
        return f"{aim}: {self.command}{option}"


_stopping = _Stopping()


def take_over(command: str, *, in_project: bool) -> None:
    """Take Ctrl-C over, unless it is ignored (in the background), or this is a helper process of a command.

    command: what the user types to run it again; in_project: the name of a command of project.yml.
    To be called before imports that take seconds, in which people notice that they mistyped something.
    """
    _stopping.command, _stopping.in_project = command, in_project
    is_main = threading.current_thread() is threading.main_thread() and not multiprocessing.parent_process()
    if is_main and signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, _stopping)


@contextmanager
def watch() -> Iterator[None]:
    """Within it a command runs; Ctrl-C ends it with its own exit code."""
    _stopping.is_running = True
    try:
        yield
    except (KeyboardInterrupt, SystemExit):
        if not _stopping.is_stopped:
            raise
        sys.exit(INTERRUPTED)
    finally:
        _stopping.is_running = _stopping.is_stopped = False
        if signal.getsignal(signal.SIGINT) is _stopping:
            signal.signal(signal.SIGINT, signal.default_int_handler)


@contextmanager
def resumable(told: Callable[[], str] = lambda: "What is done is kept.", *, option: str = "") -> Iterator[None]:
    """Within it the next run goes on where Ctrl-C stopped this one.

    told: what is kept; asked when it is stopped. option: what a command line must have to go on.
    """
    before = _stopping.told, _stopping.goes_on, _stopping.option
    _stopping.told, _stopping.goes_on, _stopping.option = told, True, option
    try:
        yield
    finally:
        _stopping.told, _stopping.goes_on, _stopping.option = before


def _is_importing(frame: FrameType | None) -> bool:
    while frame is not None:
        if frame.f_code.co_filename.startswith(IMPORT_SYSTEM):
            return True
        frame = frame.f_back
    return False
