"""Runs the record of `annotate` at the size of a hundred million documents: planned, killed half-way, and finished.

Nothing is predicted: what is timed is the plan, the manifest and the resumption, with each line synced to the disk.
"""

import os
import resource
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from time import perf_counter

import typer

from domain_ner.annotating.jobs import Job, Settings, ShardResult
from domain_ner.annotating.run import Pipeline, annotate
from domain_ner.annotating.shards import Limits
from domain_ner.annotating.sources import Source
from domain_ner.commands.main import run_function

IDENTITY = {"name": "en_simulated", "version": "1.0.0", "sha256": "0" * 64, "domain_ner": "0.1.0"}


class Killed(BaseException):
    """Ends the driver half-way, as `kill -9` would: nothing after it is written."""


def main(
    shards: int = typer.Option(100_000, min=2, help="Shards of a thousand documents each."),
    output: Path = typer.Option(Path("benchmarks/annotating_scale.md"), help="The table to write (Markdown)."),
) -> None:
    """Time plan, manifest and resumption of `annotate` with so many shards; write benchmarks/annotating_scale.md."""
    rows: list[tuple[str, str]] = []
    with tempfile.TemporaryDirectory() as folder:
        target = Path(folder) / "annotated"
        sources = list(inputs(Path(folder) / "in", shards))
        for name, stop in (("first run, killed after half of the shards", shards // 2), ("second run, to the end", -1)):
            begun = perf_counter()
            marks = Marks(begun)
            try:
                summary = annotate(
                    Pipeline("simulated", IDENTITY), sources, target, settings=Settings(), engine=marks.engine(stop),
                    limits=Limits(), watched=unwatched,
                )  # fmt: skip
            except Killed:
                summary = None
            rows.append((f"{name}: seconds until the first shard", f"{marks.first - begun:.1f}"))
            rows.append((f"{name}: shards recorded a second, each synced", f"{marks.per_s:,.0f}"))
        if summary is None or (summary.n_shards, summary.n_documents) != (shards, 1000 * shards):
            raise RuntimeError(f"expected {shards} shards, each once: {summary}")
        size = sum(path.stat().st_size for path in target.glob("*.json*")) / 1e6
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3
    rows += [("plan and manifest on disk, MB", f"{size:.0f}"), ("peak memory of the driver, MB", f"{peak:.0f}")]
    lines = [
        f"{shards:,} shards, {1000 * shards:,} documents, {os.cpu_count()} processors",
        "",
        "| | |",
        "| --- | ---: |",
    ]
    lines += [f"| {name} | {value} |" for name, value in rows]
    output.write_text("\n".join(lines) + "\n", encoding="utf8")
    typer.echo("\n".join(lines))


def inputs(folder: Path, n_shards: int) -> Iterator[Source]:
    """Files of a hundred shards each, with documents of one letter: links to one file, so that they take no room."""
    from domain_ner.annotating.sources import LINES, stamp_of  # noqa: PLC0415

    folder.mkdir()
    first = folder / "0.txt"
    first.write_bytes(b"x\n" * 1000 * 100)
    for number in range(n_shards // 100):
        path = folder / f"{number}.txt"
        if number:
            path.hardlink_to(first)
        yield Source(str(path), LINES, stamp_of(str(path)))


@contextmanager
def unwatched(total: int, before: int) -> Iterator[Callable[[int], None]]:
    """No progress is shown."""
    yield lambda n_done: None


class Marks:
    """Notes when shards are done."""

    def __init__(self, begun: float) -> None:
        self.first = self.last = begun
        self.n_done = 0

    @property
    def per_s(self) -> float:
        """Shards a second, from the first to the last."""
        return self.n_done / max(self.last - self.first, 1e-9)

    def engine(self, stop: int) -> Callable[[Sequence[Job], Callable[[int, int], None]], Iterator[ShardResult]]:
        """An engine that gives each result at once, and ends after so many."""

        def run(jobs: Sequence[Job], on_documents: Callable[[int, int], None]) -> Iterator[ShardResult]:
            self.first = perf_counter()
            for job in jobs:
                if self.n_done == stop:
                    raise Killed
                number = job.shard.number
                on_documents(number, job.shard.n_documents)
                yield ShardResult(number, job.shard.n_documents, 0, 3000, f"{number:064x}", f"{number:064x}")
                self.n_done += 1
                self.last = perf_counter()

        return run


if __name__ == "__main__":
    run_function(main, "benchmark-annotate-scale")
