"""Writes GitHub-flavoured Markdown that is robust to any content."""

import re
from collections.abc import Iterable, Mapping, Sequence

from domain_ner.metrics.scores import ALL_TYPES

PIPE = re.compile(r"\|")
# The name of the row over all types.
ALL_ROW = f"**{ALL_TYPES}**"


def code(text: str) -> str:
    """Format words as code, in a fence longer than any run of backticks in them."""
    text = " ".join(text.split()) or "␣"
    longest = max((len(run) for run in "".join(char if char == "`" else " " for char in text).split()), default=0)
    fence, space = "`" * (longest + 1), " " if "`" in text else ""
    return f"{fence}{space}{text}{space}{fence}"


def table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Format a table; columns of figures are right-aligned, except the first column."""
    body = [list(row) for row in rows]
    alignments = [":--" if n == 0 or not all(_is_figure(row[n]) for row in body) else "--:" for n in range(len(heads))]
    lines = [[PIPE.sub(r"\\|", " ".join(cell.split())) for cell in line] for line in (heads, alignments, *body)]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def _is_figure(cell: str) -> bool:
    return not cell or cell[0].isdigit()


def kinds_by_type(counts: Mapping[tuple[str, str], int], meanings: Mapping[str, str], labels: Sequence[str]) -> str:
    """Format a table of the number of faults by type and kind, and a legend. One row per type: there may be many.

    counts: by (kind, label). meanings: of each kind, in the order of the columns.
    """
    rows = {label: [counts.get((kind, label), 0) for kind in meanings] for label in labels}
    rows[ALL_ROW] = [sum(row[n] for row in rows.values()) for n in range(len(meanings))]
    lines = ([label, *map(str, (sum(row), *row))] for label, row in rows.items())
    legend = "; ".join(f"{kind}: {meaning}" for kind, meaning in meanings.items())
    return f"{table(['type', 'all', *meanings], lines)}\n\n{legend[:1].upper()}{legend[1:]}."
