"""Pieces of GitHub-flavoured Markdown that hold whatever they are given."""

import re
from collections.abc import Iterable, Sequence

PIPE = re.compile(r"\|")


def code(text: str) -> str:
    """Words as they stand, whatever they hold: a fence longer than any run of backticks in them."""
    text = " ".join(text.split()) or "␣"
    longest = max((len(run) for run in "".join(char if char == "`" else " " for char in text).split()), default=0)
    fence, space = "`" * (longest + 1), " " if "`" in text else ""
    return f"{fence}{space}{text}{space}{fence}"


def table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table; all columns but the first to the right, where they hold figures."""
    body = [list(row) for row in rows]
    marks = [":--" if n == 0 or not all(_is_figure(row[n]) for row in body) else "--:" for n in range(len(heads))]
    lines = [[PIPE.sub(r"\\|", " ".join(cell.split())) for cell in line] for line in (heads, marks, *body)]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def _is_figure(cell: str) -> bool:
    return not cell or cell[0].isdigit()
