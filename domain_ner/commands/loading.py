"""Defines the command group `domain-ner`, which imports a command only when it is called."""

from collections.abc import Callable
from importlib import import_module
from typing import Any

import typer
from typer.core import TyperCommand, TyperGroup

from domain_ner import __version__
from domain_ner.commands.catalogue import COMMANDS


def load(name: str) -> Callable[..., None]:
    """Import the function of a command, with its options."""
    command: Callable[..., None] = import_module(f"domain_ner.commands.{name.replace('-', '_')}").main
    return command


def single_command(command: Callable[..., None]) -> typer.Typer:
    """Create a command line with a single command."""
    app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)
    app.command()(command)
    return app


class _Commands(TyperGroup):
    """The commands of the catalogue, each imported when it is called."""

    def __init__(self, **settings: Any) -> None:
        super().__init__(**settings)
        for name, entry in COMMANDS.items():
            self.add_command(TyperCommand(name, help=entry.summary, rich_help_panel=entry.group))

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """Import the called command; an unknown name is an error with the nearest name."""
        name, known, rest = super().resolve_command(ctx, args)
        return name, known and typer.main.get_command(single_command(load(str(name)))), rest


def _show_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"domain-ner {__version__}")
        raise typer.Exit


app = typer.Typer(cls=_Commands, add_completion=False, pretty_exceptions_enable=False, no_args_is_help=True)


@app.callback()
def _describe(
    version: bool = typer.Option(
        False, "--version", is_eager=True, callback=_show_version, help="Print the version and exit."
    ),
) -> None:
    """Train, measure and ship a named-entity recogniser for your own domain.

    Run a command in the folder of a project: the paths it reads and writes by default are the project's.
    """
