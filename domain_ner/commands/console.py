"""What the commands share: what they print, the options that several have, and what they keep from other commands."""

import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from functools import partial, wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer
from rich.console import Console

from domain_ner.errors import DomainNerError
from domain_ner.files import hold_lock

if TYPE_CHECKING:
    from rich.progress import Progress
    from rich.table import Table

READING_HELP = 'What files do not say: "format=… offsets=… tag_column=… field=… label=… label_names=A,B empty=skip …".'
LABELS_HELP = "Other names for labels of the exports: 'SVC=SERVICE MISC='; without a new name, the label is left out."
# The names of `corpus.overlaps.OVERLAPS` and `corpus.docs.MISALIGNED`, whose modules take long to import.
OVERLAPS_HELP = "longest, innermost, first, priority"
MISALIGNED_HELP = "split, expand, contract, drop"
PROJECT = Path("project.yml")
GPU_HELP = "-1: CPU, 0 or higher: that GPU, auto: the first GPU if there is one."

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


def complain(message: str) -> None:
    """Print what ends a command, on standard error."""
    err.print(message, style="red")


def writes(*names: str) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Let no other command write meanwhile what this one does. names: of the arguments that say what it writes."""

    def decorate(command: Callable[..., None]) -> Callable[..., None]:
        @wraps(command)
        def locked(**options: Any) -> None:
            with ExitStack() as stack:
                for name in names:
                    stack.enter_context(hold(options[name]))
                command(**options)

        return locked

    return decorate


def hold(target: Path, *, shared: bool = False) -> AbstractContextManager[None]:
    """Keep what this command writes, or, shared, what it reads again and again, from others that would write it."""
    name = Path(sys.argv[0]).name if _is_script() else " ".join(["domain-ner", *sys.argv[1:2]])
    return hold_lock(target, name, shared=shared)


def in_project(path: str, meaning: str) -> Any:
    """An option for a path that `domain-ner` in the folder of a project takes from there; elsewhere there is none.

    A script names its paths, so that for it there is none either. path: in the project. meaning: its help.
    """

    def default() -> Path | None:
        return Path(path) if PROJECT.is_file() and not _is_script() else None

    return typer.Option(default_factory=default, help=meaning, show_default=f"{path} in a project")


def _is_script() -> bool:
    name = Path(sys.argv[0]).name
    return name.endswith(".py") and name != "__main__.py"


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


def progress() -> "Progress":
    """A progress bar on standard error; not drawn where that is no terminal."""
    from rich.progress import Progress

    return Progress(console=err, transient=True, disable=not err.is_terminal)


@contextmanager
def watched(name: str, total: int | None = None) -> Iterator[Callable[[], None]]:
    """A progress bar with a name; gives what to call after each of the `total` steps."""
    with progress() as bar:
        yield partial(bar.advance, bar.add_task(name, total=total))


def table(*columns: str, title: str = "") -> "Table":
    """A table whose first column is text and whose others are figures."""
    from rich.table import Table

    made = Table(title=title or None, title_justify="left")
    for n_column, column in enumerate(columns):
        # A long label takes several lines: of two that begin alike the ends say which is which.
        is_text = n_column == 0
        made.add_column(column, justify="left" if is_text else "right", overflow="fold" if is_text else "ellipsis")
    return made
