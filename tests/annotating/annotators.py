"""Documents to annotate, runs, and what they wrote."""

import json
import sys
from pathlib import Path

from domain_ner.annotating.local import run_locally
from domain_ner.annotating.run import Pipeline, annotate
from domain_ner.annotating.shards import Limits
from domain_ner.annotating.sources import find_sources

WORDS = ["Redis", "Kafka", "checkout-api", "Payments", "was", "slow", "and", "restarted", "the", "at", "noon"]


def text_of(number: int) -> str:
    return " ".join(WORDS[(number * 7 + place * place) % len(WORDS)] for place in range(5 + number % 9))


def write_rows(path: Path, rows) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf8")
    return path


def run(pipeline, inputs, output, settings, *, n_processes=1, shard_size=10, watch=None):
    from contextlib import nullcontext

    return annotate(
        Pipeline.of(str(pipeline)),
        find_sources([str(path) for path in inputs], output=output),
        output,
        settings=settings,
        engine=lambda jobs, on_documents: run_locally(jobs, n_processes, on_documents),
        limits=Limits(shard_size),
        watched=lambda total, before: nullcontext(watch or (lambda n_done: None)),
    )


def output_rows(output: Path) -> list[dict]:
    return [
        json.loads(line) for path in sorted(output.glob("documents/*.jsonl")) for line in path.open(encoding="utf8")
    ]


def outputs(output: Path) -> dict[str, bytes]:
    paths = [*output.glob("documents/*"), *output.glob("errors*")]
    return {path.name: path.read_bytes() for path in sorted(paths) if path.is_file()}


def start_command(*arguments, cwd=None):
    import subprocess

    command = [sys.executable, "-m", "domain_ner", "annotate", *map(str, arguments)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, cwd=cwd)
