"""Sends annotations through real annotation tools, doccano and Label Studio, and back in each of their formats."""

import tempfile
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path

import typer
from _servers import doccano, doccano_circle, label_studio, label_studio_circle
from _servers.circles import Export, Say
from _servers.comparison import compare
from _servers.environments import DOCCANO, LABEL_STUDIO, Package, chosen, environment_of
from _servers.losses import problems
from _servers.report import Row, table, to_markdown
from rich.console import Console

from domain_ner.conversion.exports import ImportSettings, read_annotations
from domain_ner.errors import DomainNerError

out = Console(highlight=False, soft_wrap=True, width=170)


@dataclass(frozen=True)
class Tool:
    """A tool: how it is installed, how its server runs, and what it exports."""

    package: Package
    serving: Callable[[Path, Path, float], AbstractContextManager[str]]
    exports: Callable[[str, Path, Path, Say], Iterator[Export]]


TOOLS = {
    "doccano": Tool(DOCCANO, doccano.serving, doccano_circle.exports),
    "label_studio": Tool(LABEL_STUDIO, label_studio.serving, label_studio_circle.exports),
}


def main(
    tools: str = typer.Option(",".join(TOOLS), help="Which tools, separated by commas."),
    cache: Path = typer.Option(Path("training/servers"), help="Folder for the tools, which the next run uses again."),
    wait: float = typer.Option(240, help="Seconds in which a server has to come up."),
    keep: Path | None = typer.Option(None, help="Keep the exports in this folder, to look at."),
    output: Path = typer.Option(Path("benchmarks/annotation_servers.md"), help="The table to write (Markdown)."),
) -> None:
    """Import, annotate and export in each tool, and compare what comes back; fail on a loss that is not declared."""
    try:
        wanted = chosen(tools, TOOLS)
        with tempfile.TemporaryDirectory() as scratch:
            target = keep or Path(scratch) / "exports"
            rows = [row for tool in wanted for row in circle(tool, cache, Path(scratch), target, wait)]
    except DomainNerError as err:
        out.print(f"✘ {err}", style="red", markup=False)
        raise typer.Exit(1) from err
    out.print(table(rows))
    output.write_text("\n".join(to_markdown(rows)) + "\n", encoding="utf8")
    out.print(f"written to {output}")
    wrong = [line for row in rows for line in row.problems]
    for line in wrong:
        out.print(f"✘ {line}", style="red", markup=False)
    if wrong:
        raise typer.Exit(1)


def circle(tool: Tool, cache: Path, scratch: Path, target: Path, wait: float) -> list[Row]:
    """Everything once round a tool."""
    title = tool.package.title
    with out.status(f"{title}: installing, unless it is there"):
        programs = environment_of(tool.package, cache)
    work = scratch / tool.package.name
    work.mkdir()
    with out.status(f"{title}: starting") as status, tool.serving(programs, work, wait) as address:
        say = lambda what: status.update(f"{title}: {what}")  # noqa: E731
        found = list(tool.exports(address, work, target, say))
    return [row_of(title, export) for export in found]


def row_of(title: str, export: Export) -> Row:
    """What reading an export gives, beside what went in."""
    settings = ImportSettings(reading=export.reading, prefer=("*",))
    found = compare(export.cases, read_annotations(export.folder, settings), export.called, export.view)
    return Row(title, export.format, export.reading, found, tuple(problems(export.tool, export.format, found)))


if __name__ == "__main__":
    typer.run(main)
