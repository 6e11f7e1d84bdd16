"""Kills `annotate` at random, driver and workers, and compares the results with those of a run that was not killed."""

import hashlib
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import suppress
from itertools import cycle, islice
from pathlib import Path

import spacy
import typer
from spacy.tokens import DocBin

from domain_ner.commands.main import run_function


def main(
    pipeline: Path = typer.Argument(Path("training/model-optimized"), help="The pipeline."),
    corpus: Path = typer.Argument(Path("corpus/test.spacy"), help="Its texts are repeated (DocBin)."),
    documents: int = typer.Option(200_000, min=1, help="Documents to annotate."),
    kills: int = typer.Option(20, min=0, help="Processes to kill: a worker, then the driver, and so on."),
    engines: str = typer.Option("local,ray", help="Engines, separated by commas. Ray must be installed for ray."),
    processes: int = typer.Option(2, min=1, help="Processes of each run."),
    output: Path = typer.Option(Path("benchmarks/annotating_killed.md"), help="The table to write (Markdown)."),
) -> None:
    """Kill `annotate` at random moments and compare its results; write benchmarks/annotating_killed.md."""
    texts = [doc.text for doc in DocBin().from_disk(corpus).get_docs(spacy.blank("en").vocab)]
    columns: dict[str, list[str]] = {}
    with tempfile.TemporaryDirectory() as folder:
        given = Path(folder) / "in.jsonl"
        with given.open("w", encoding="utf8") as stream:
            for number, text in enumerate(islice(cycle(texts), documents)):
                stream.write(json.dumps({"id": f"d{number:07d}", "text": f"{text} {number}"}) + "\n")
        digests = set()
        for engine in engines.split(","):
            command = [sys.executable, "-m", "domain_ner", "annotate", str(pipeline), str(given)]
            options = ["--engine", engine, "--processes", str(processes)]
            whole, killed = Path(folder) / f"{engine}-whole", Path(folder) / f"{engine}-killed"
            seconds, memory = run([*command, str(whole), *options])
            n_kills, n_runs = run_killed([*command, str(killed), *options], kills, seconds)
            digests |= {digest(whole), digest(killed)}
            ids = [json.loads(line)["id"] for path in sorted((killed / "documents").iterdir()) for line in path.open()]
            columns[engine] = [
                f"{seconds:.0f}", f"{memory[0]:.0f} and {memory[1]:.0f}", f"{n_kills} in {n_runs} runs",
                "yes" if digest(whole) == digest(killed) else "NO",
                "yes" if ids == [f"d{number:07d}" for number in range(documents)] else "NO",
            ]  # fmt: skip
    names = [
        "seconds without kills", "memory of all processes at a fifth and at the end, MB", "processes killed",
        "the same bytes", "each document once, in order",
    ]  # fmt: skip
    lines = [f"{documents:,} documents of {corpus}, {pipeline}, {processes} processes", ""]
    lines += ["| | " + " | ".join(columns) + " |", "| --- |" + " ---: |" * len(columns)]
    lines += [f"| {name} | {' | '.join(row)} |" for name, *row in zip(names, *columns.values(), strict=True)]
    lines += ["", f"Both engines wrote the same bytes: {'yes' if len(digests) == 1 else 'NO'}."]
    output.write_text("\n".join(lines) + "\n", encoding="utf8")
    typer.echo("\n".join(lines))
    if len(digests) > 1 or any("NO" in column for column in columns.values()):
        raise typer.Exit(1)


def run(command: list[str]) -> tuple[float, tuple[float, float]]:
    """Seconds of a run, and the memory of its processes at a fifth of the time and at the end."""
    begun = time.monotonic()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    memory = []
    while process.poll() is None:
        memory.append(sum(map(resident, family(process.pid))))
        time.sleep(1)
    if process.returncode:
        raise RuntimeError(f"{' '.join(command)} ended with {process.returncode}")
    return time.monotonic() - begun, (memory[len(memory) // 5], max(memory[-3:]))


def run_killed(command: list[str], n_kills: int, seconds: float) -> tuple[int, int]:
    """Kill a worker, then the driver, at random moments, until so many were killed; then let it end."""
    chance, n_done, n_runs = random.Random(0), 0, 0
    while n_done < n_kills:
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        n_runs += 1
        for _ in range(2):
            with suppress(subprocess.TimeoutExpired):
                process.wait(chance.uniform(0.5, 2.0) * max(8.0, seconds / n_kills))
            workers = [pid for pid in family(process.pid)[1:] if is_worker(pid)]
            if workers and n_done + 1 < n_kills:
                with suppress(ProcessLookupError):
                    os.kill(chance.choice(workers), signal.SIGKILL)
                    n_done += 1
        process.kill()
        process.wait()
        n_done += 1
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    if process.wait():
        raise RuntimeError(f"{' '.join(command)} ended with {process.returncode}")
    return n_done, n_runs + 1


def family(pid: int) -> list[int]:
    """A process and all that it started, and these started."""
    found = [pid]
    for one in found:
        with suppress(OSError):
            for task in Path(f"/proc/{one}/task").iterdir():
                found += map(int, (task / "children").read_text().split())
    return found


def is_worker(pid: int) -> bool:
    """Whether a process annotates: one of the local engine, or Ray's."""
    with suppress(OSError):
        name = Path(f"/proc/{pid}/cmdline").read_text()
        return "spawn_main" in name or name.startswith("ray::")
    return False


def resident(pid: int) -> float:
    """Proportional share of memory of a process, in MB: what several share counts once."""
    with suppress(OSError):
        for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1]) / 1000
    return 0.0


def digest(output: Path) -> str:
    """The hash of all results."""
    total = hashlib.sha256()
    for path in files(output):
        total.update(path.read_bytes())
    return total.hexdigest()


def files(output: Path) -> Iterator[Path]:
    """The files with results, in order."""
    yield from sorted((output / "documents").iterdir())


if __name__ == "__main__":
    run_function(main, "benchmark-annotate-killed")
