"""How fast a pipeline without PyTorch is: beside the trained one, Hugging Face's pipeline and spaCy's own, in turn."""

import json
import os
import platform
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

import spacy
import typer
from _deployment.installed import install
from _deployment.installed import table as installed_table
from _deployment.stages import OTHER, STAGES
from spacy.tokens import DocBin
from tqdm import tqdm

from domain_ner.evaluation.optimized import make
from domain_ner.files import write_text
from domain_ner.training.saving import save

HERE = Path(__file__).parent
HF, STOCK, FORMER = "Hugging Face's pipeline", "spaCy, `init config --gpu`", "domain-ner, earlier build"
TORCH, ONNX, INT8, CNN = "domain-ner, `torch`", "domain-ner, `onnx`", "domain-ner, `onnx-int8`", "domain-ner, `cnn`"
THREADS = "OMP_NUM_THREADS", "MKL_NUM_THREADS", "RAYON_NUM_THREADS"


@dataclass(frozen=True)
class Contender:
    """kind: how it is loaded (see _deployment/timed.py). python: the interpreter with its packages."""

    name: str
    kind: str
    path: Path
    python: str = sys.executable


@dataclass(frozen=True)
class Figures:
    """The best of all rounds. words_per_s: in batches, and one text at a time. way: the batch size that was best."""

    batch_words_per_s: float
    single_words_per_s: float
    p50_ms: float
    p99_ms: float
    start_s: float
    memory_mb: float
    way: str


def main(
    projects: list[Path] = typer.Argument(..., help="Folders in which `all` was run with the encoder minilm."),
    former: str = typer.Option("", help="Python of an environment with an earlier domain-ner, to time that too."),
    threads: str = typer.Option("1,2", help="Processors to bind each contender to, separated by commas."),
    rounds: int = typer.Option(3, help="How often each is timed, in turn; the best counts."),
    texts: int = typer.Option(300, help="Texts of the test corpus to predict."),
    single: int = typer.Option(100, help="How many of them one at a time."),
    measure: str = typer.Option("speed,installed", help="What to measure: speed, installed or both."),
    encoder: Path = typer.Option(Path("assets/encoders/minilm"), help="The encoder, for spaCy's own pipeline."),
    work: Path = typer.Option(Path("training/benchmark-deployment"), help="What was made to compare; kept."),
    output: Path = typer.Option(Path("benchmarks/deployment.md"), help="The tables to write (Markdown)."),
) -> None:
    """Time `nlp.pipe` of each contender on each project's test corpus, and write benchmarks/deployment.md."""
    lines = [
        f"{platform.processor() or platform.machine()}, {os.cpu_count()} processors, Python {platform.python_version()}"
    ]
    made: list[Contender] = []
    for project in projects:
        made = contenders(project.resolve(), work / project.resolve().name, encoder.resolve(), former)
        if "speed" not in measure:
            continue
        given, n_words = read_texts(project, texts)
        lines += ["", f"## {project.resolve().name}", "", f"{len(given)} texts, {sum(n_words):,} words."]
        for n in [int(number) for number in threads.split(",")]:
            figures = time_in_turn(made, given, n_words, n_threads=n, rounds=rounds, n_single=single)
            lines += ["", *table(figures, n)]
        seconds = stage_seconds(next(one.path for one in made if one.name == INT8), given)
        lines += ["", *stages_table(seconds)]
        typer.echo("\n".join(lines))
    if "installed" in measure:
        installed = {one.name: install(one.path) for one in made if one.name in (TORCH, INT8, CNN)}
        beside = next(one.path for one in made if one.name == INT8)
        installed[f"{INT8}, beside transformers 5"] = install(beside, "transformers>=5,<6")
        lines += ["", *installed_table(installed)]
    write_text(output, "\n".join(lines) + "\n")
    typer.echo(output.read_text(encoding="utf8"))


def read_texts(project: Path, n: int) -> tuple[list[str], list[int]]:
    """The first texts of the test corpus, and the number of words of each."""
    docs = list(DocBin().from_disk(project / "corpus" / "test.spacy").get_docs(spacy.blank("en").vocab))[:n]
    return [doc.text for doc in docs], [len(doc) for doc in docs]


def contenders(project: Path, work: Path, encoder: Path, former: str) -> list[Contender]:
    """What is compared; what is missing in `work` is made."""
    trained = project / "training" / "model-calibrated"
    for name, runtime in (("onnx", "onnx"), ("int8", "onnx-int8")):
        if not (work / name).is_dir():
            save(make(trained, runtime, say=typer.echo), work / name)
    for name in ("transformers", "stock", "cnn"):
        if not (work / name).is_dir():
            run([sys.executable, HERE / "_deployment" / "trained.py", name, project, encoder, work / name])
    return [
        Contender(HF, "transformers", work / "transformers"),
        Contender(STOCK, "spacy", work / "stock"),
        *([Contender(FORMER, "spacy", trained, former)] if former else []),
        Contender(TORCH, "spacy", trained),
        Contender(ONNX, "spacy", work / "onnx"),
        Contender(INT8, "spacy", work / "int8"),
        Contender(CNN, "spacy", work / "cnn"),
    ]


def run(command: Sequence[object]) -> None:
    """Run a command, and stop if it fails."""
    subprocess.run([str(word) for word in command], check=True)


def time_in_turn(
    made: Sequence[Contender],
    texts: Sequence[str],
    n_words: Sequence[int],
    *,
    n_threads: int,
    rounds: int,
    n_single: int,
) -> dict[str, Figures]:
    """Time all contenders one after the other, `rounds` times; the best of each figure counts: noise only slows."""
    runs: dict[str, list[dict[str, Any]]] = {one.name: [] for one in made}
    for _ in tqdm(range(rounds), unit="round"):
        for one in made:
            task = {
                "kind": one.kind,
                "path": str(one.path.resolve()),
                "texts": texts,
                "n_single": n_single,
                "threads": n_threads,
            }
            runs[one.name].append(start([one.python, HERE / "_deployment" / "timed.py"], task, n_threads))
    return {name: best(of_one, n_words) for name, of_one in runs.items()}


def start(command: Sequence[object], task: dict[str, Any], n_threads: int) -> dict[str, Any]:
    """Run a module of _deployment on as many processors; task: for its standard input, as JSON."""
    env = os.environ | dict.fromkeys(THREADS, str(n_threads)) | {"TOKENIZERS_PARALLELISM": "false"}
    ran = subprocess.run(
        [str(word) for word in command], input=json.dumps(task), env=env,
        stdout=subprocess.PIPE, text=True, check=True, cwd=tempfile.gettempdir(),
    )  # fmt: skip
    result: dict[str, Any] = json.loads(ran.stdout.splitlines()[-1])
    return result


def best(runs: Sequence[dict[str, Any]], n_words: Sequence[int]) -> Figures:
    """The best of each figure over all rounds. n_words: of each text."""
    ways = {way: min(run["batch_s"][way] for run in runs) for way in runs[0]["batch_s"]}
    way = min(ways, key=lambda name: ways[name])
    ordered = sorted(min(times) for times in zip(*(run["one_ms"] for run in runs), strict=True))
    return Figures(
        batch_words_per_s=sum(n_words) / ways[way],
        single_words_per_s=1000 * sum(n_words[: len(ordered)]) / sum(ordered),
        p50_ms=median(ordered),
        p99_ms=ordered[int(len(ordered) * 0.99)],
        start_s=min(run["start_s"] for run in runs),
        memory_mb=min(run["memory_mb"] for run in runs),
        way=way,
    )


def table(figures: dict[str, Figures], n_threads: int) -> list[str]:
    """A row for each contender. Ratios are those of int8 to the row."""
    lines = [
        f"| {n_threads} thread{'s' * (n_threads > 1)} | words/s in batches | int8 gains | words/s one by one |"
        " int8 gains | p50 ms | p99 ms | start s | memory MB |",
        "| --- |" + " ---: |" * 8,
    ]
    int8 = figures[INT8]
    for name, of in figures.items():
        lines.append(
            f"| {name}{f' ({of.way})' if of.way else ''} | {of.batch_words_per_s:,.0f} |"
            f" {int8.batch_words_per_s / of.batch_words_per_s:.2f} | {of.single_words_per_s:,.0f} |"
            f" {int8.single_words_per_s / of.single_words_per_s:.2f} | {of.p50_ms:.1f} | {of.p99_ms:.1f} |"
            f" {of.start_s:.1f} | {of.memory_mb:,.0f} |"
        )
    return lines


def stage_seconds(pipeline: Path, texts: Sequence[str]) -> dict[str, dict[str, float]]:
    """Seconds by stage of the int8 pipeline, on one thread."""
    return start(
        [sys.executable, HERE / "_deployment" / "stages.py"], {"path": str(pipeline.resolve()), "texts": texts}, 1
    )


def stages_table(seconds: dict[str, dict[str, float]]) -> list[str]:
    """The share of each stage, in batches and one text at a time."""
    lines = ["| stage of int8, 1 thread | in batches | one by one |", "| --- | ---: | ---: |"]
    for stage in (*STAGES, OTHER):
        shares = [100 * seconds[way].get(stage, 0) / sum(seconds[way].values()) for way in ("batch", "one")]
        lines.append(f"| {stage} | {shares[0]:.1f} % | {shares[1]:.1f} % |")
    return lines


if __name__ == "__main__":
    typer.run(main)
