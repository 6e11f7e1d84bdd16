"""The result as a table, for the terminal and as Markdown."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from rich.table import Table

from _servers.comparison import ASPECTS, Difference
from _servers.losses import LOSSES


@dataclass(frozen=True)
class Row:
    """An export of a tool, how it differs from what went in, and what of that is wrong."""

    tool: str
    format: str
    reading: str
    found: Mapping[str, Difference]
    problems: tuple[str, ...]


def cell(difference: Difference) -> str:
    """`44`: all of these came back, and nothing else; `13 of 30`; `24, 1 more`."""
    n_lost = difference.n - difference.n_kept
    kept = f"{difference.n_kept} of {difference.n}" if n_lost else str(difference.n)
    return f"{kept}, {difference.n_more - n_lost} more" if difference.n_more > n_lost else kept


def table(rows: Sequence[Row]) -> Table:
    """All rows; red where something is wrong."""
    printed = Table("tool", "format", *ASPECTS, title="what came back")
    for row in rows:
        style = "red" if row.problems else ""
        printed.add_row(row.tool, _format(row), *(cell(row.found[aspect]) for aspect in ASPECTS), style=style)
    return printed


def to_markdown(rows: Sequence[Row]) -> Iterator[str]:
    """The table, and why what is missing is missing."""
    yield f"| tool | format | {' | '.join(ASPECTS)} |"
    yield f"| --- | --- |{' ---: |' * len(ASPECTS)}"
    for row in rows:
        cells = " | ".join(cell(row.found[aspect]) for aspect in ASPECTS)
        yield f"| {row.tool} | {_format(row)} | {cells} |"
    yield ""
    yield "What the tools' own formats cannot carry:"
    yield ""
    shown = {(row.tool.rpartition(" ")[0], row.format) for row in rows}
    for loss in LOSSES:
        formats = [name for name in loss.formats if (loss.tool, name) in shown]
        if formats:
            yield f"- {loss.tool}, {'; '.join(formats)}: {', '.join(loss.aspects)}. {loss.reason}"


def _format(row: Row) -> str:
    return f"{row.format} ({row.reading})" if row.reading else row.format
