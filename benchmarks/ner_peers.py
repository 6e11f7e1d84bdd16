"""domain-ner against its peers: the same encoder, data, epochs, batch size and choice of learning rates."""

import json
import os
import statistics
import subprocess
import sys
import tempfile
from collections import defaultdict
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from importlib import import_module
from pathlib import Path
from threading import Lock
from typing import Any

import typer
from _peers.common import Task, f1_scores, speed
from tqdm import tqdm

SYSTEMS = {
    "crf": "domain-ner, `crf_ner`",
    "transition": "domain-ner, `transition`",
    "spacy_stock": "spaCy, `init config --gpu`",
    "hf_trainer": "Hugging Face Trainer",
    "span_marker_peer": "SpanMarker",
    "flair_peer": "flair",
    "edsnlp_peer": "EDS-NLP",
}
OURS = ("crf", "transition")
Row = dict[str, Any]


def main(
    corpora: list[Path] = typer.Argument(..., help="Folders with train, dev and test, each .conll or .spacy."),
    encoder: Path = typer.Option(Path("assets/encoders/minilm"), help="The encoder, for all systems."),
    systems: str = typer.Option(",".join(SYSTEMS), help="Which systems, separated by commas."),
    seeds: int = typer.Option(3, help="Runs with the learning rate that has the best dev F1."),
    rates: str = typer.Option("5e-5,1e-4,2e-4", help="Learning rates that every system may choose from, with seed 0."),
    epochs: int = typer.Option(8, help="Passes over the training data."),
    batch: int = typer.Option(16, help="Sentences in a batch."),
    jobs: int = typer.Option(2, help="Trainings side by side when F1 is measured; speed is measured one at a time."),
    measure: str = typer.Option("f1,speed", help="What to measure: f1, speed or both."),
    speed_epochs: int = typer.Option(1, min=1, help="Passes over the training data when speed is measured."),
    output: Path = typer.Option(
        Path("benchmarks/ner_peers.jsonl"), help="A row for each run; what is there is not run again."
    ),
    run_one: str = typer.Option("", hidden=True),
) -> None:
    """Train and measure every system on every corpus; write benchmarks/ner_peers.jsonl and ner_peers.md."""
    if run_one:
        print(json.dumps(run_here(**json.loads(run_one))))
        return
    found = [corpus for corpus in corpora if any((corpus / f"train.{kind}").is_file() for kind in ("conll", "spacy"))]
    for corpus in corpora:
        if corpus not in found:
            typer.echo(f"{corpus}: skipped, it holds neither train.conll nor train.spacy")
    book = Book(output)
    pairs = [(corpus, system) for corpus in found for system in systems.split(",")]
    given = {"encoder": str(encoder), "batch": batch}
    tasks = [
        {**given, "corpus": str(corpus), "system": system, "epochs": epochs, "seed": 0, "rate": float(rate)}
        for corpus, system in pairs
        for rate in rates.split(",")
    ]
    if "f1" in measure:
        book.run([task | {"measured": "f1"} for task in tasks], jobs)
        chosen = [task for task in tasks if task["rate"] == book.best_rate(Path(task["corpus"]).name, task["system"])]
        more = [task | {"seed": seed, "measured": "f1"} for task in chosen for seed in range(1, seeds)]
        book.run(more, jobs)
    if "speed" in measure:
        book.run([task | {"measured": "speed", "epochs": speed_epochs} for task in tasks[:: len(rates.split(","))]], 1)
    output.with_suffix(".md").write_text(book.table(), encoding="utf8")
    typer.echo(book.table())
    if book.failed:
        raise SystemExit("\n".join(f"{system} failed:\n{told}" for system, told in book.failed.items()))


class Book:
    """The rows of a JSONL file, one for each run. failed: by system, the end of what a run that failed printed."""

    def __init__(self, path: Path) -> None:
        self.path, self.lock, self.failed = path, Lock(), dict[str, str]()
        self.rows: list[Row] = [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []

    def run(self, tasks: Sequence[Row], jobs: int) -> None:
        """Run what has no row yet, `jobs` at a time, each in a process of its own with its share of the cores."""
        missing = [task for task in tasks if not any(task_key(task).items() <= row.items() for row in self.rows)]
        threads = str(max(1, (os.cpu_count() or 1) // jobs))
        environment = os.environ | {
            "OMP_NUM_THREADS": threads,
            "MKL_NUM_THREADS": threads,
            "TOKENIZERS_PARALLELISM": "false",
        }

        def run_one(task: Row) -> None:
            command = [sys.executable, __file__, ".", "--run-one", json.dumps(task)]
            ran = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
            with self.lock:
                if ran.returncode:
                    self.failed[f"{task['system']} on {task['corpus']}"] = ran.stderr[-3000:]
                    return
                row = task_key(task) | json.loads(ran.stdout.splitlines()[-1])
                self.rows.append(row)
                with self.path.open("a", encoding="utf8") as stream:
                    stream.write(json.dumps(row) + "\n")

        with ThreadPoolExecutor(jobs) as pool:
            list(tqdm(pool.map(run_one, missing), total=len(missing), unit="run"))

    def best_rate(self, corpus: str, system: str) -> float | None:
        """The learning rate with the best dev F1 of seed 0, or None when nothing ran."""
        group = [row for row in self.of(corpus, system, "f1") if row["seed"] == 0]
        return max(group, key=lambda row: row["f1_dev"])["rate"] if group else None

    def of(self, corpus: str, system: str, measured: str) -> list[Row]:
        """The rows of a system on a corpus."""
        return [
            row for row in self.rows if (row["corpus"], row["system"], row["measured"]) == (corpus, system, measured)
        ]

    def table(self) -> str:
        """Means over the seeds at each system's best learning rate, in Markdown."""
        lines = ["| corpus | system | rate | test F1 | training words/s | words/s when predicting | peak GB |"]
        lines += ["| --- | --- | ---: | ---: | ---: | ---: | ---: |"]
        pairs: dict[str, set[str]] = defaultdict(set)
        for row in self.rows:
            pairs[row["corpus"]].add(row["system"])
        for corpus in sorted(pairs):
            for system in [name for name in SYSTEMS if name in pairs[corpus]]:
                best = self.best_rate(corpus, system)
                found = [100 * row["f1_test"] for row in self.of(corpus, system, "f1") if row["rate"] == best]
                timed = self.of(corpus, system, "speed")
                rate = "" if best is None else f"{best:g}"
                lines.append(
                    f"| {corpus} | {SYSTEMS[system]} | {rate} | {mean_and_spread(found)} |"
                    f" {mean_of(timed, 'train_words_s', ',.0f')} | {mean_of(timed, 'predict_words_s', ',.0f')} |"
                    f" {mean_of(timed, 'peak_gb', '.1f')} |"
                )
        return "\n".join(lines) + "\n"


def task_key(task: Row) -> Row:
    """What tells a run from others: no path of a machine in it."""
    return {**task, "corpus": Path(task["corpus"]).name, "encoder": Path(task["encoder"]).name}


def mean_and_spread(values: Sequence[float]) -> str:
    """Mean ± standard deviation (number of runs)."""
    if not values:
        return ""
    spread = statistics.stdev(values) if len(values) > 1 else 0.0
    return f"{statistics.fmean(values):.1f} ± {spread:.1f} ({len(values)})"


def mean_of(rows: Sequence[Row], name: str, form: str) -> str:
    """The mean of a figure, or nothing."""
    return format(statistics.fmean(row[name] for row in rows), form) if rows else ""


def run_here(
    system: str,
    corpus: str,
    encoder: str,
    seed: int,
    rate: float,
    epochs: int,
    batch: int,
    measured: str,
    gpu: int = -1,
) -> Row:
    """Train and measure in this process."""
    with tempfile.TemporaryDirectory() as work:
        task = Task(Path(corpus), Path(encoder).resolve(), seed, rate, epochs, batch, Path(work), gpu)
        if system in OURS:
            trained = import_module("_peers.ours").train(task, system)
        else:
            trained = import_module(f"_peers.{system}").train(task)
        return (speed if measured == "speed" else f1_scores)(trained, task)


if __name__ == "__main__":
    typer.run(main)
