"""`clean`: remove what the workflow made."""

import shutil
from contextlib import ExitStack
from pathlib import Path

import typer

from domain_ner.commands.console import hold, say
from domain_ner.files import require_free, sweep

KEPT = ".gitkeep"


def main(
    paths: list[Path] = typer.Argument(..., help="Files to remove, and folders to empty."),
) -> None:
    """Remove what the workflow made; the folders themselves stay."""
    with ExitStack() as stack:
        for path in paths:
            stack.enter_context(hold(path))
            require_free(path)
        for path in paths:
            sweep(path.parent)
            for made in sorted(path.iterdir()) if path.is_dir() else [path]:
                if made.name != KEPT and made.exists():
                    shutil.rmtree(made) if made.is_dir() else made.unlink()
                    say(f"removed {made}")
