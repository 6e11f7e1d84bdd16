"""What the commands share: how a script runs, what it prints, and how it fails."""

import multiprocessing
import os
import signal
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from functools import wraps
from pathlib import Path
from types import FrameType
from typing import Any

import typer
from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from domain_ner.errors import DomainNerError
from domain_ner.files import hold_lock

# Exit code of a command that Ctrl-C ended, as shells have it.
INTERRUPTED = 130
READING_HELP = 'What files do not say: "format=… offsets=… tag_column=… field=… label=… label_names=A,B empty=skip …".'
LABELS_HELP = "Other names for labels of the exports: 'SVC=SERVICE MISC='; without a new name, the label is left out."

# Labels and texts are printed as they are: [x] is no style, and :x: no picture.
out = Console(highlight=False, soft_wrap=True, markup=False, emoji=False)
err = Console(stderr=True, highlight=False, soft_wrap=True, markup=False, emoji=False)


def say(message: str) -> None:
    """Print a line as it is."""
    out.print(message)


def warn(message: str) -> None:
    """Print a warning that must not be overlooked; an empty one is none."""
    if message:
        out.print(f"⚠ {message}", style="yellow")


def run(command: Callable[..., Any], *, writes: Sequence[str] = ()) -> None:
    """Run a typer command; a problem the user can mend ends it with a message and exit code 1, not with a traceback.

    writes: the options that name what it writes, which no other command may write meanwhile.
    """
    app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)
    app.command()(_alone(command, writes))
    with _stopping.watch():
        try:
            app()
        except DomainNerError as error:
            err.print(f"✘ {error}", style="red")
            sys.exit(1)
        except OSError as error:
            place = error.filename or f"{Path.cwd()} or {tempfile.gettempdir()}"
            err.print(f"✘ {error.strerror or error}: {place}", style="red")
            err.print("Check the permissions and the free space there.", style="red")
            sys.exit(1)


def _kept_whole() -> str:
    return "Each file is as it was or is complete."


class _Stopping:
    """What Ctrl-C prints, at once: `spacy project run` kills its command a quarter of a second later.

    told: says what is kept. goes_on: whether the next run goes on where this one was.
    """

    def __init__(self) -> None:
        self.told, self.goes_on, self.is_running, self.is_stopped = _kept_whole, False, False, False

    def __call__(self, number: int, frame: FrameType | None) -> None:
        if not self.is_stopped:
            self.is_stopped = True
            # Not by way of a buffer: the signal may have come in the middle of writing to one.
            os.write(2, f"\nStopped. {self.told()}\n{self._next()}\n".encode())
        if not self.is_running:
            os._exit(INTERRUPTED)
        raise KeyboardInterrupt

    def install(self) -> None:
        """Take Ctrl-C over, unless it is ignored (in the background), or this is a helper process of a command."""
        is_main = threading.current_thread() is threading.main_thread() and not multiprocessing.parent_process()
        if is_main and signal.getsignal(signal.SIGINT) is signal.default_int_handler:
            signal.signal(signal.SIGINT, self)

    @contextmanager
    def watch(self) -> Iterator[None]:
        """Within it a command runs; Ctrl-C ends it with its own exit code."""
        self.install()
        self.is_running = True
        try:
            yield
        except (KeyboardInterrupt, SystemExit):
            if not self.is_stopped:
                raise
            sys.exit(INTERRUPTED)
        finally:
            self.is_running = self.is_stopped = False
            if signal.getsignal(signal.SIGINT) is self:
                signal.signal(signal.SIGINT, signal.default_int_handler)

    def _next(self) -> str:
        script = sys.modules["__main__"].__doc__ or ""
        named = script.partition("`")[2].partition("`")[0]
        aim = "Go on with" if self.goes_on else "Start it again with"
        return f"{aim}: python -m spacy project run {named} (with the same --vars, if any)"


_stopping = _Stopping()
# Here, and not in `run` alone: to import PyTorch takes seconds, in which people notice that they mistyped something.
_stopping.install()


def _alone(command: Callable[..., Any], writes: Sequence[str]) -> Callable[..., Any]:
    @wraps(command)
    def locked(**options: Any) -> None:
        with ExitStack() as stack:
            for name in writes:
                stack.enter_context(hold(options[name]))
            command(**options)

    return locked


def hold(target: Path, *, shared: bool = False) -> AbstractContextManager[None]:
    """Keep what this command writes, or, shared, what it reads again and again, from others that would write it."""
    return hold_lock(target, Path(sys.argv[0]).name, shared=shared)


@contextmanager
def resumable(told: Callable[[], str] = lambda: "What is done is kept.") -> Iterator[None]:
    """Within it the next run goes on where Ctrl-C stopped this one. told: what is kept; asked when it is stopped."""
    before = _stopping.told, _stopping.goes_on
    _stopping.told, _stopping.goes_on = told, True
    try:
        yield
    finally:
        _stopping.told, _stopping.goes_on = before


def split_names(text: str) -> list[str]:
    """Read `"one, two"` as names."""
    return [name.strip() for name in text.split(",") if name.strip()]


def check_choices(**choices: tuple[str, Sequence[str]]) -> None:
    """Raise DomainNerError for a variable that is none of what it may be. choices: name to value and what it may be."""
    for name, (value, allowed) in choices.items():
        if value not in allowed:
            expected = ", ".join(repr(choice) for choice in allowed)
            raise DomainNerError(f"vars.{name} is {value!r}; expected one of {expected}.")


def check_share(**shares: float) -> None:
    """Raise DomainNerError for a variable that is no share."""
    for name, value in shares.items():
        if not 0 <= value <= 1:
            raise DomainNerError(f"vars.{name} is {value:g}; expected a share from 0 to 1: 0.005 is half a percent.")


def progress() -> Progress:
    """A progress bar on standard error; not drawn where that is no terminal."""
    return Progress(console=err, transient=True, disable=not err.is_terminal)


def table(*columns: str, title: str = "") -> Table:
    """A table whose first column is text and whose others are figures."""
    made = Table(title=title or None, title_justify="left")
    for n_column, column in enumerate(columns):
        # A long label takes several lines: of two that begin alike the ends say which is which.
        is_text = n_column == 0
        made.add_column(column, justify="left" if is_text else "right", overflow="fold" if is_text else "ellipsis")
    return made
