"""`clean`: remove what the workflow made."""

import shutil
from pathlib import Path

import typer
from _console import run, say

KEPT = ".gitkeep"


def main(
    paths: list[Path] = typer.Argument(..., help="Files to remove, and folders to empty."),
) -> None:
    """Remove what the workflow made; the folders themselves stay."""
    for path in paths:
        for made in sorted(path.iterdir()) if path.is_dir() else [path]:
            if made.name != KEPT and made.exists():
                shutil.rmtree(made) if made.is_dir() else made.unlink()
                say(f"removed {made}")


if __name__ == "__main__":
    run(main)
