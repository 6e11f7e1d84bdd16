"""What the commands share: how a script runs, what it prints, and how it fails."""

import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from functools import wraps
from pathlib import Path
from typing import Any

import typer
from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from domain_ner.errors import DomainNerError
from domain_ner.locks import held

# Exit code of a command that Ctrl-C ended, as shells have it.
INTERRUPTED = 130
READING_HELP = 'What files do not say: "format=… offsets=… tag_column=… field=… label_names=A,B empty=skip …".'

out = Console(highlight=False, soft_wrap=True)
err = Console(stderr=True, highlight=False, soft_wrap=True)


def say(message: str) -> None:
    """Print a line as it is: square brackets in a text are not rich's markup."""
    out.print(message, markup=False)


def run(command: Callable[..., Any], *, writes: Sequence[str] = ()) -> None:
    """Run a typer command; a problem the user can mend ends it with a message and exit code 1, not with a traceback.

    writes: the options that name what it writes, which no other command may write meanwhile.
    """
    app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)
    app.command()(_alone(command, writes))
    try:
        app()
    except DomainNerError as error:
        err.print(f"✘ {error}", markup=False, style="red")
        sys.exit(1)
    except OSError as error:
        place = error.filename or f"{Path.cwd()} or {tempfile.gettempdir()}"
        err.print(f"✘ {error.strerror or error}: {place}", markup=False, style="red")
        err.print("Check the permissions and the free space there.", markup=False, style="red")
        sys.exit(1)


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
    return held(target, Path(sys.argv[0]).name, shared=shared)


@contextmanager
def resumable() -> Iterator[None]:
    """Ctrl-C within it ends the command with a message and without a traceback."""
    try:
        yield
    except KeyboardInterrupt:
        err.print("Stopped. Run it again to go on where it was.")
        sys.exit(INTERRUPTED)


def split_names(text: str) -> list[str]:
    """Read `"one, two"` as names."""
    return [name.strip() for name in text.split(",") if name.strip()]


def check_choices(**choices: tuple[str, Sequence[str]]) -> None:
    """Raise DomainNerError for a variable that is none of what it may be. choices: name to value and what it may be."""
    for name, (value, allowed) in choices.items():
        if value not in allowed:
            expected = ", ".join(repr(choice) for choice in allowed)
            raise DomainNerError(f"vars.{name} is {value!r}; expected one of {expected}.")


def progress() -> Progress:
    """A progress bar on standard error; not drawn where that is no terminal."""
    return Progress(console=err, transient=True, disable=not err.is_terminal)


def table(*columns: str, title: str = "") -> Table:
    """A table whose first column is text and whose others are figures."""
    made = Table(title=title or None, title_justify="left")
    for n_column, column in enumerate(columns):
        made.add_column(column, justify="left" if n_column == 0 else "right")
    return made
