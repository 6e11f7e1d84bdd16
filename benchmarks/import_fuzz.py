"""Damages exports of every format at random and reads them: whatever a file holds, it is read, or refused in words."""

import random
import shutil
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import typer
from _fuzz.exports import small_exports
from _fuzz.mutations import mutate
from _fuzz.reading import FAULTS, READ, REFUSED, Outcome, watch
from rich.console import Console
from rich.progress import Progress
from rich.table import Table

BATCH = 50
MAX_REAL_BYTES = 200_000
out = Console(highlight=False, soft_wrap=True, width=120)


def main(
    exports: str = typer.Option("", help="Real exports to damage as well, a folder; empty: none."),
    n: int = typer.Option(20_000, "--files", help="How many damaged files."),
    seconds: float = typer.Option(0, help="Stop after so many seconds; 0: not before all files."),
    seed: int = typer.Option(0, help="Of what is damaged, and how."),
    kept: Path = typer.Option(Path("training/fuzz"), help="Folder for the files that ended in a fault."),
) -> None:
    """Damage exports of every format, read them as `convert` does, and keep those that end in a fault."""
    with tempfile.TemporaryDirectory() as scratch:
        sources = small_exports(Path(scratch) / "small") + (real_exports(Path(exports)) if exports else [])
        found: Counter[tuple[str, str]] = Counter()
        slowest, told = 0.0, Counter[str]()
        until = time.monotonic() + seconds if seconds else float("inf")
        with Progress(console=out, transient=True) as bar:
            task = bar.add_task("reading damaged files", total=n)
            for first in range(0, n, BATCH):
                if time.monotonic() > until:
                    break
                batch = list(damaged(sources, Path(scratch) / "damaged", range(first, min(first + BATCH, n)), seed))
                for (source, folder), outcome in zip(batch, watch([folder for _, folder in batch]), strict=True):
                    found[source.name if source.parent.name == "small" else "real exports", outcome.what] += 1
                    slowest = max(slowest, outcome.seconds)
                    if outcome.what in FAULTS:
                        keep(folder, outcome, kept)
                        last = outcome.told[-100:]
                        told[last] += 1
                        if told[last] == 1:
                            out.print(f"{outcome.what}: {kept}, {folder.name}: {outcome.told[-600:]}", markup=False)
                bar.advance(task, len(batch))
    print_outcomes(found, slowest)
    n_faults = sum(times for (_, what), times in found.items() if what in FAULTS)
    if n_faults:
        out.print(f"✘ {n_faults} files ended otherwise than in being read or refused; they are in {kept}", style="red")
        raise typer.Exit(1)


def real_exports(folder: Path) -> list[Path]:
    """The files of a folder that are small enough to be read many times."""
    return sorted(path for path in folder.rglob("*") if path.is_file() and 0 < path.stat().st_size <= MAX_REAL_BYTES)


def damaged(sources: list[Path], scratch: Path, numbers: range, seed: int) -> Iterator[tuple[Path, Path]]:
    """(the export it was, a folder with a damaged copy) for each number, which with the seed says all about it."""
    shutil.rmtree(scratch, ignore_errors=True)
    for number in numbers:
        rng = random.Random(f"{seed}:{number}")
        source, other = rng.choice(sources), rng.choice(sources)
        folder = scratch / str(number)
        if source.is_dir():
            shutil.copytree(source, folder)
            victim = rng.choice(sorted(folder.iterdir()))
        else:
            folder.mkdir(parents=True)
            victim = folder / source.name
            shutil.copy(source, victim)
        pieces = other.read_bytes() if other.is_file() else b""
        victim.write_bytes(mutate(victim.read_bytes(), pieces, rng))
        yield source, folder


def keep(folder: Path, outcome: Outcome, kept: Path) -> None:
    """Keep a file that ended in a fault."""
    target = kept / f"{outcome.what.replace(' ', '-')}-{folder.name}"
    shutil.rmtree(target, ignore_errors=True)
    shutil.copytree(folder, target)


def print_outcomes(found: Counter[tuple[str, str]], slowest: float) -> None:
    """Print how the files of each export ended."""
    title = f"{found.total():,} damaged files, none slower than {slowest:.2f} s of the processor"
    table = Table("export", READ, REFUSED, *FAULTS, title=title)
    names = sorted({name for name, _ in found})
    for name in names:
        table.add_row(name, *(str(found[name, what]) for what in (READ, REFUSED, *FAULTS)))
    table.add_section()
    table.add_row("all", *(str(sum(found[name, what] for name in names)) for what in (READ, REFUSED, *FAULTS)))
    out.print(table)


if __name__ == "__main__":
    typer.run(main)
