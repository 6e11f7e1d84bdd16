"""Holds code that commands share: printing, common options, and locks against other commands."""

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

READING_HELP = (
    'What the exports do not say about themselves: "format=… offsets=… tag_column=… field=… label=… label_names=A,B'
    ' empty=skip …"; empty: detected by content.'
)
LABELS_HELP = "New names for labels of the exports: 'SVC=SERVICE MISC=' renames one and leaves one out."
PREFER_HELP = "Annotators to trust if annotations of a passage differ, separated by commas, the most trusted first."
CONFLICTS_HELP = "If none of these annotated a passage: stop, majority, or unknown (do not train on disputed tokens)."
# The names of `corpus.overlaps.OVERLAPS` and `corpus.docs.MISALIGNED`, whose modules take long to import.
OVERLAPS_HELP = "longest, innermost, first, priority"
MISALIGNED_HELP = "split, expand, contract, drop"
PROJECT = Path("project.yml")
GPU_HELP = "-1: CPU, 0 or higher: that GPU, auto: the first GPU if there is one."

# Labels and texts are printed unchanged: [x] is not a style, and :x: not an emoji.
out = Console(highlight=False, soft_wrap=True, markup=False, emoji=False)
err = Console(stderr=True, highlight=False, soft_wrap=True, markup=False, emoji=False)


def say(message: str) -> None:
    """Print a line unchanged."""
    out.print(message)


def warn(message: str) -> None:
    """Print a warning, unless it is empty."""
    if message:
        out.print(f"⚠ {message}", style="yellow")


def complain(message: str) -> None:
    """Print an error that ends a command, on standard error."""
    err.print(message, style="red")


def writes(*names: str) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Lock the outputs of a command against other commands. names: of the arguments that hold the output paths."""

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
    """Lock a path that this command writes, or, if shared, reads repeatedly, against other commands' writes."""
    name = Path(sys.argv[0]).name if _is_script() else " ".join(["domain-ner", *sys.argv[1:2]])
    return hold_lock(target, name, shared=shared)


def in_project(path: str, meaning: str, *, if_there: bool = False) -> Any:
    """Create an option whose default is a path in the project, if `domain-ner` runs in a project's folder; else None.

    Scripts always pass their paths, so that they have no default either. path: in the project. meaning: the help.
    if_there: there is no default if that path does not exist.
    """

    def default() -> Path | None:
        is_default = PROJECT.is_file() and not _is_script() and (not if_there or Path(path).exists())
        return Path(path) if is_default else None

    return typer.Option(default_factory=default, help=meaning, show_default=f"{path} in a project")


def _is_script() -> bool:
    name = Path(sys.argv[0]).name
    return name.endswith(".py") and name != "__main__.py"


def split_names(text: str) -> list[str]:
    """Split `"one, two"` into names."""
    return [name.strip() for name in text.split(",") if name.strip()]


def check_choices(**choices: tuple[str, Sequence[str]]) -> None:
    """Raise DomainNerError for a variable with an invalid value. choices: name to value and allowed values."""
    for name, (value, allowed) in choices.items():
        if value not in allowed:
            expected = ", ".join(repr(choice) for choice in allowed)
            raise DomainNerError(f"vars.{name} is {value!r}; expected one of {expected}.")


def check_share(**shares: float) -> None:
    """Raise DomainNerError for a variable outside 0..1."""
    for name, value in shares.items():
        if not 0 <= value <= 1:
            raise DomainNerError(f"vars.{name} is {value:g}; expected a share from 0 to 1: 0.005 is half a percent.")


def progress() -> "Progress":
    """Create a progress bar on standard error; hidden unless that is a terminal."""
    from rich.progress import Progress

    return Progress(console=err, transient=True, disable=not err.is_terminal)


@contextmanager
def watched(name: str, total: int | None = None) -> Iterator[Callable[[], None]]:
    """Show a progress bar with a name; yields a function to call after each of the `total` steps."""
    with progress() as bar:
        yield partial(bar.advance, bar.add_task(name, total=total))


def table(*columns: str, title: str = "") -> "Table":
    """Create a table whose first column is text and whose other columns are figures."""
    from rich.table import Table

    created = Table(title=title or None, title_justify="left")
    for n_column, column in enumerate(columns):
        # A long label takes several lines: two labels with the same beginning differ at their ends.
        is_text = n_column == 0
        created.add_column(column, justify="left" if is_text else "right", overflow="fold" if is_text else "ellipsis")
    return created
