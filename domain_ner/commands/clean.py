"""Implements `clean`: removes the outputs of the workflow."""

from contextlib import ExitStack
from pathlib import Path

import typer

from domain_ner.commands.console import hold, say
from domain_ner.files import remove_made, require_free


def main(
    paths: list[Path] = typer.Argument(..., help="Files to remove, and folders to empty."),
) -> None:
    """Remove the outputs of the workflow; keep the folders themselves."""
    with ExitStack() as stack:
        for path in paths:
            stack.enter_context(hold(path))
            require_free(path)
        for path in paths:
            for made in remove_made(path):
                say(f"removed {made}")
