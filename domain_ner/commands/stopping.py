"""Handles Ctrl-C: prints what is kept, at once, and ends the command. Imports only the standard library, to be fast."""

import multiprocessing
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

# The exit code of shells for a command that Ctrl-C ended.
INTERRUPTED = 130
IMPORT_SYSTEM = "<frozen importlib."


def _kept_whole() -> str:
    return "Each file is either unchanged or complete."


class _Stopping:
    """Prints a message on Ctrl-C, at once: `spacy project run` kills its command a quarter of a second later.

    command, in_project: as in `take_over`. describe_kept: returns what is kept. is_resumable: whether the next run
    continues this one; option: what the command line needs for that.
    """

    def __init__(self) -> None:
        self.command, self.in_project = "", False
        self.describe_kept, self.is_resumable, self.option = _kept_whole, False, ""
        self.is_running = self.is_stopped = False

    def __call__(self, number: int, frame: FrameType | None) -> None:
        if not self.is_stopped:
            self.is_stopped = True
            # Unbuffered: the signal may have interrupted a write to a buffer.
            os.write(2, f"\nStopped. {self.describe_kept()}\n{self._next()}\n".encode())
        # An interrupted import may treat the interruption as a missing package, and continue.
        if not self.is_running or _is_importing(frame):
            os._exit(INTERRUPTED)
        raise KeyboardInterrupt

    def _next(self) -> str:
        aim = "Resume with" if self.is_resumable else "Start again with"
        if self.in_project:
            return f"{aim}: python -m spacy project run {self.command} (with the same --vars, if any)"
        option = f" {self.option}" if self.option and self.option not in self.command.split() else ""
        return f"{aim}: {self.command}{option}"


_stopping = _Stopping()


def take_over(command: str, *, in_project: bool) -> None:
    """Handle Ctrl-C, unless it is ignored (in the background), or this is a helper process of a command.

    command: what the user types to run it again; in_project: it is the name of a command of project.yml.
    Call this before imports that take seconds, in which people notice that they mistyped something.
    """
    _stopping.command, _stopping.in_project = command, in_project
    is_main = threading.current_thread() is threading.main_thread() and not multiprocessing.parent_process()
    if is_main and signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, _stopping)


@contextmanager
def watch() -> Iterator[None]:
    """Run a command in this context; Ctrl-C ends it with its own exit code."""
    _stopping.is_running = True
    try:
        yield
    except BaseException:  # what an interruption breaks raises errors of many kinds
        if not _stopping.is_stopped:
            raise
        sys.exit(INTERRUPTED)
    finally:
        _stopping.is_running = _stopping.is_stopped = False
        if signal.getsignal(signal.SIGINT) is _stopping:
            signal.signal(signal.SIGINT, signal.default_int_handler)


@contextmanager
def resumable(
    describe_kept: Callable[[], str] = lambda: "Completed work is kept.", *, option: str = ""
) -> Iterator[None]:
    """Mark the work in this context as resumable: the next run continues where Ctrl-C stopped this one.

    describe_kept: returns what is kept; called on Ctrl-C. option: what the command line needs to resume.
    """
    before = _stopping.describe_kept, _stopping.is_resumable, _stopping.option
    _stopping.describe_kept, _stopping.is_resumable, _stopping.option = describe_kept, True, option
    try:
        yield
    finally:
        _stopping.describe_kept, _stopping.is_resumable, _stopping.option = before


def _is_importing(frame: FrameType | None) -> bool:
    while frame is not None:
        if frame.f_code.co_filename.startswith(IMPORT_SYSTEM):
            return True
        frame = frame.f_back
    return False
