"""Times `annotate` with one process and more beside bare `nlp.pipe`, on the texts of a corpus, in turn."""

import json
import os
import subprocess
import sys
import tempfile
from itertools import cycle, islice
from pathlib import Path
from time import perf_counter

import spacy
import typer
from spacy.tokens import DocBin

from domain_ner.commands.main import run_function

BARE = """
import json, sys
from time import perf_counter
import spacy
nlp = spacy.load(sys.argv[1])
texts = [json.loads(line)["text"] for line in open(sys.argv[2], encoding="utf8")]
list(nlp.pipe(texts[:20]))
begun = perf_counter()
n_documents = sum(1 for _ in nlp.pipe(texts))
print(perf_counter() - begun)
"""


def main(
    pipeline: Path = typer.Argument(Path("training/model-optimized"), help="The pipeline."),
    corpus: Path = typer.Argument(Path("corpus/test.spacy"), help="Its texts are repeated (DocBin)."),
    documents: int = typer.Option(4000, min=1, help="Documents to annotate."),
    processes: str = typer.Option("1,2", help="Numbers of processes, separated by commas."),
    engine: str = typer.Option("local", help="local or ray."),
    rounds: int = typer.Option(2, min=1, help="How often each is timed, in turn; the best counts."),
    output: Path = typer.Option(Path("benchmarks/annotating.md"), help="The table to write (Markdown)."),
) -> None:
    """Time `annotate` beside bare `nlp.pipe` on as many documents, and write benchmarks/annotating.md."""
    texts = [doc.text for doc in DocBin().from_disk(corpus).get_docs(spacy.blank("en").vocab)]
    seconds: dict[str, list[float]] = {}
    with tempfile.TemporaryDirectory() as folder:
        given, few = Path(folder) / "in.jsonl", Path(folder) / "few.jsonl"
        rows = [json.dumps({"text": text}) + "\n" for text in islice(cycle(texts), documents)]
        given.write_text("".join(rows), encoding="utf8")
        few.write_text(rows[0], encoding="utf8")
        for number in range(rounds):
            # One document: what the start takes.
            tasks = {"start of `annotate`": (few, 1)}
            tasks |= {f"`annotate --processes {n}`": (given, int(n)) for n in processes.split(",")}
            seconds.setdefault("`nlp.pipe` on one thread, without start", []).append(bare(pipeline, given))
            for name, (path, n_processes) in tasks.items():
                place = Path(folder) / f"{number}-{path.stem}-{n_processes}"
                seconds.setdefault(name, []).append(annotate(pipeline, path, place, n_processes, engine))
    what = f"{documents:,} documents of {corpus}, {pipeline}, {engine}"
    lines = [f"{what}, {rounds} rounds, {os.cpu_count()} processors", ""]
    lines += ["| | seconds |", "| --- | ---: |", *(f"| {name} | {min(runs):.1f} |" for name, runs in seconds.items())]
    output.write_text("\n".join(lines) + "\n", encoding="utf8")
    typer.echo("\n".join(lines))


def bare(pipeline: Path, given: Path) -> float:
    """Seconds of `nlp.pipe` in a process with one thread, once the pipeline is loaded."""
    command = [sys.executable, "-c", BARE, str(pipeline), str(given)]
    env = os.environ | {"OMP_NUM_THREADS": "1"}
    return float(subprocess.run(command, env=env, stdout=subprocess.PIPE, text=True, check=True).stdout)


def annotate(pipeline: Path, given: Path, output: Path, n_processes: int, engine: str) -> float:
    """Seconds of the whole command."""
    command = [sys.executable, "-m", "domain_ner", "annotate", pipeline, given, output]
    command += ["--processes", n_processes, "--engine", engine]
    begun = perf_counter()
    subprocess.run([str(word) for word in command], stdout=subprocess.DEVNULL, check=True)
    return perf_counter() - begun


if __name__ == "__main__":
    run_function(main, "benchmark-annotate")
