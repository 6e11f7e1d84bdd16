"""Implements `annotate`: all documents of files, folders or URLs, in several processes, resumable."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING

import typer

from domain_ner.commands.console import err, in_project, say, warn, writes
from domain_ner.commands.stopping import resumable
from domain_ner.errors import DomainNerError

if TYPE_CHECKING:
    from domain_ner.annotating.run import Engine


@writes("output")
def main(
    pipeline: str = typer.Argument(..., help="The pipeline: an installed package, or a folder."),
    inputs: list[str] = typer.Argument(
        ..., help="Files (JSONL, CSV, TSV, Parquet, text), folders, globs, or URLs that fsspec opens."
    ),
    output: Path = typer.Argument(..., help="Folder for the results. A folder of a run that was stopped is continued."),
    processes: int = typer.Option(0, min=0, help="Processes, each with one thread. 0: one for each processor."),
    engine: str = typer.Option("local", help="What runs the processes: local, or ray."),
    address: str = typer.Option(
        "", help="A running Ray cluster, host:port or auto. Empty: Ray starts on this machine."
    ),
    gpus: float = typer.Option(0.0, min=0.0, help="With ray: GPUs for each process; 0.5 lets two share one."),
    requirements: Path | None = typer.Option(
        None, exists=True, dir_okay=False, help="With ray: a pip file to install on the cluster's machines."
    ),
    text_column: str = typer.Option("text", help="Column that holds the text."),
    id_column: str = typer.Option("id", help="Column that names the document; where it is missing: file and row."),
    lines: bool = typer.Option(
        False, "--lines", help="Each line of a .txt file is a document; else the whole file is."
    ),
    below: bool = typer.Option(False, "--below", help="Also write spans below their threshold."),
    with_text: bool = typer.Option(False, "--with-text", help="Also write the texts of documents and entities."),
    output_format: str = typer.Option("jsonl", "--format", help="jsonl or parquet."),
    shard_size: int = typer.Option(1000, min=1, help="Documents in each file of the output."),
    observe: bool = typer.Option(True, "--observe/--no-observe", help="Also write numbers of each text, for monitor."),
    baseline: Path | None = in_project(
        "training/reports/baseline.json", "The baseline, if the pipeline's folder has none: counts words that are new."
    ),
) -> None:
    """Annotate any number of documents in several processes; a run that was stopped or killed is continued."""
    from domain_ner.annotating.jobs import FORMATS, Settings
    from domain_ner.annotating.run import ERROR_FILE, Pipeline, annotate
    from domain_ner.annotating.shards import Limits
    from domain_ner.annotating.sources import find_sources
    from domain_ner.monitoring.baseline import is_baseline_of

    if output_format not in FORMATS:
        raise DomainNerError(f"--format is {output_format!r}; expected {' or '.join(FORMATS)}.")
    sources = find_sources(inputs, lines=lines, output=output)
    run_jobs = _engine(engine, processes, address, gpus, requirements)
    loaded = Pipeline.of(pipeline)
    known = str(baseline.resolve()) if observe and baseline and is_baseline_of(baseline, loaded.identity) else ""
    settings = Settings(text_column, id_column, below, with_text, output_format, observe, known)
    say(f"{len(sources):,} file{'s' * (len(sources) != 1)}")
    with resumable(lambda: f"The documents that are done stay in {output}."):
        summary = annotate(
            loaded,
            sources,
            output,
            settings=settings,
            engine=run_jobs,
            limits=Limits(shard_size),
            watched=_watched,
        )
    if summary.n_before:
        say(f"{summary.n_before:,} documents were there already")
    say(f"{summary.n_documents - summary.n_errors:,} documents with {summary.n_entities:,} entities: {output}")
    if summary.n_errors:
        warn(f"{summary.n_errors:,} documents could not be annotated: {output / ERROR_FILE}")
        raise typer.Exit(2)


def _engine(name: str, n_processes: int, address: str, gpus: float, requirements: Path | None) -> "Engine":
    from domain_ner.annotating.local import run_locally
    from domain_ner.annotating.on_ray import Cluster, require_ray, run_on_ray
    from domain_ner.onnx_encoder.threads import count_threads

    if name == "ray":
        require_ray()
        cluster = Cluster(n_processes, address, gpus, str(requirements or ""))
        return lambda jobs, on_documents: run_on_ray(jobs, cluster, on_documents)
    if name != "local":
        raise DomainNerError(f"--engine is {name!r}; expected local or ray.")
    if address or gpus or requirements:
        raise DomainNerError("--address, --gpus and --requirements are settings of Ray.", "Add --engine ray.")
    return lambda jobs, on_documents: run_locally(jobs, n_processes or count_threads(), on_documents)


@contextmanager
def _watched(total: int, n_before: int) -> Iterator[Callable[[int], None]]:
    """Show a bar with documents a second and the time left."""
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    speed = TextColumn("{task.fields[per_s]:,.0f} documents/s")
    columns = (BarColumn(), MofNCompleteColumn(), speed, TimeRemainingColumn())
    begun = monotonic()
    with Progress(*columns, console=err, disable=not err.is_terminal) as bar:
        task = bar.add_task("", total=total, completed=n_before, per_s=0.0)

        def show(n_done: int) -> None:
            bar.update(task, completed=n_done, per_s=(n_done - n_before) / max(monotonic() - begun, 1e-9))

        yield show
