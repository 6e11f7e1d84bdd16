"""How fast exports are converted, and in how much memory: Prodigy JSONL, and Label Studio's JSON with titles beside the
texts, of passages of 60 tokens, made on the spot.

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
from collections.abc import Iterator
from itertools import accumulate, product
from pathlib import Path
from typing import Any

import typer

N_TOKENS = 60
N_WORDS = 50_000
MENTIONS = range(3, 50, 9)


def main(
    sizes: str = typer.Option("5000,20000,40000", help="Passages of each run, separated by commas."),
    output: Path = typer.Option(Path("benchmarks/import_speed.md"), help="The table to write (Markdown)."),
) -> None:
    """Time `convert` on exports of several sizes, on one core."""
    lines = [
        "| export | passages | file | seconds | passages a minute | peak memory |",
        "| --- | ---: | ---: | ---: | ---: | ---: |",
    ]
    for size, name in product((int(text) for text in sizes.split(",")), WRITERS):
        with tempfile.TemporaryDirectory() as folder:
            lines.append(measure(Path(folder), size, name))
            typer.echo(lines[-1])
    output.write_text("\n".join(lines) + "\n", encoding="utf8")


def measure(folder: Path, n_passages: int, name: str) -> str:
    """A row of the table. name: of the format."""
    (folder / "annotations").mkdir()
    export = folder / "annotations" / "export.jsonl"
    with export.open("w", encoding="utf8", newline="\n") as stream:
        for number, (words, starts) in enumerate(passages(n_passages)):
            stream.write(json.dumps(WRITERS[name](number, words, starts)) + "\n")
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
    return f"| {name} | {n_passages:,} | {megabytes:.0f} MB | {seconds:.1f} | {rate:,.0f} | {peak_gb:.2f} GB |"


def passages(n_passages: int) -> Iterator[tuple[list[str], list[int]]]:
    """(words, where each starts) of each passage."""
    rng = random.Random(0)
    known = ["".join(rng.choices("abcdefghijklmnop", k=rng.randint(2, 9))) for _ in range(N_WORDS)]
    for _ in range(n_passages):
        words = rng.choices(known, k=N_TOKENS - 1)
        yield words, [0, *accumulate(len(word) + 1 for word in words[:-1])]


def prodigy_row(number: int, words: list[str], starts: list[int]) -> dict[str, Any]:
    """A row with tokens and six mentions."""
    tokens = [
        {"text": word, "start": start, "end": start + len(word), "id": n, "ws": n < len(words) - 1}
        for n, (word, start) in enumerate(zip(words, starts, strict=True))
    ]
    spans = [
        {"start": starts[n], "end": starts[n] + len(words[n]), "token_start": n, "token_end": n, "label": "INFRA"}
        for n in MENTIONS
    ]
    text = " ".join(words) + "."
    return {"text": text, "tokens": tokens, "spans": spans, "answer": "accept", "_input_hash": number}


def label_studio_row(number: int, words: list[str], starts: list[int]) -> dict[str, Any]:
    """A task with a title, which is no text of the regions, and six of these."""
    data = {"title": " ".join(words[:4]), "text": " ".join(words) + ".", "url": f"https://example.org/{number}"}
    values = [
        {"start": starts[n], "end": starts[n] + len(words[n]), "text": words[n], "labels": ["INFRA"]} for n in MENTIONS
    ]
    result = [{"from_name": "label", "to_name": "text", "type": "labels", "value": value} for value in values]
    return {"id": number, "data": data, "annotations": [{"id": number, "completed_by": 1, "result": result}]}


WRITERS = {"prodigy": prodigy_row, "label_studio": label_studio_row}


def _one_core() -> None:
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})


if __name__ == "__main__":
    typer.run(main)
