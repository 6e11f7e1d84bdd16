"""How fast exports are converted, and in how much memory: Prodigy JSONL of passages of 60 tokens, made on the spot.

The passages are of made-up words, so that nothing is a duplicate; every third word of some is a mention.
"""

import json
import os
import random
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import typer

N_TOKENS = 60
N_WORDS = 50_000


def main(
    sizes: str = typer.Option("5000,20000,40000", help="Passages of each run, separated by commas."),
    output: Path = typer.Option(Path("benchmarks/import_speed.md"), help="The table to write (Markdown)."),
) -> None:
    """Time `convert` on exports of several sizes, on one core."""
    lines = ["| passages | file | seconds | passages a minute | peak memory |", "| ---: | ---: | ---: | ---: | ---: |"]
    for size in (int(text) for text in sizes.split(",")):
        with tempfile.TemporaryDirectory() as folder:
            lines.append(measure(Path(folder), size))
            typer.echo(lines[-1])
    output.write_text("\n".join(lines) + "\n", encoding="utf8")


def measure(folder: Path, n_passages: int) -> str:
    """A row of the table."""
    (folder / "annotations").mkdir()
    export = folder / "annotations" / "export.jsonl"
    write_export(export, n_passages)
    script = [sys.executable, "scripts/convert_annotations.py", folder / "annotations", folder / "corpus", folder]
    command = [*map(str, script), "--guide", "assets/guide.yml"]
    start = time.perf_counter()
    ran = subprocess.run(command, capture_output=True, text=True, check=False, preexec_fn=_one_core)
    seconds = time.perf_counter() - start
    if ran.returncode:
        raise typer.BadParameter(ran.stdout + ran.stderr)
    peak_gb = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1e6
    megabytes = export.stat().st_size / 1e6
    rate = 60 * n_passages / seconds
    return f"| {n_passages:,} | {megabytes:.0f} MB | {seconds:.1f} | {rate:,.0f} | {peak_gb:.2f} GB |"


def write_export(path: Path, n_passages: int) -> None:
    """Prodigy rows with tokens and six mentions each."""
    rng = random.Random(0)
    known = ["".join(rng.choices("abcdefghijklmnop", k=rng.randint(2, 9))) for _ in range(N_WORDS)]
    with path.open("w", encoding="utf8", newline="\n") as stream:
        for number in range(n_passages):
            words = rng.choices(known, k=N_TOKENS - 1)
            text = " ".join(words) + "."
            starts = [sum(len(word) + 1 for word in words[:n]) for n in range(len(words))]
            tokens = [
                {"text": word, "start": start, "end": start + len(word), "id": n, "ws": n < len(words) - 1}
                for n, (word, start) in enumerate(zip(words, starts, strict=True))
            ]
            spans = [
                {
                    "start": starts[n],
                    "end": starts[n] + len(words[n]),
                    "token_start": n,
                    "token_end": n,
                    "label": "INFRA",
                }
                for n in range(3, 50, 9)
            ]
            row = {"text": text, "tokens": tokens, "spans": spans, "answer": "accept", "_input_hash": number}
            stream.write(json.dumps(row) + "\n")


def _one_core() -> None:
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})


if __name__ == "__main__":
    typer.run(main)
