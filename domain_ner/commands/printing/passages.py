"""Prints a passage for `inspect`: why it is suspicious, and its tokens, tags and wordpieces side by side."""

from collections import Counter
from collections.abc import Sequence
from typing import Any

from rich.cells import cell_len, chop_cells

from domain_ner.commands.console import say
from domain_ner.inspection.passages import Inspected, biluo_tags, shown_tokens
from domain_ner.inspection.wordpieces import Wordpieces, visible, wordpieces

MAX_TOKENS = 80
MAX_CASES = 4
MAX_CELLS = 36
MAX_PIECES = 12


def print_passage(passage: Inspected, tokenizer: Any) -> None:
    """Print what is suspicious in a passage, and its tokens, tags and wordpieces side by side."""
    data = passage.doc.user_data
    origin = [f"{key} {data[key]}" for key in ("document", "annotator") if data.get(key)]
    points = "1 point" if passage.score == 1 else f"{passage.score} points"
    say(" · ".join([f"── {passage.source}", passage.split, *origin, points]))
    for reason, cases in passage.reasons().items():
        more = f"; and {len(cases) - MAX_CASES} more" if len(cases) > MAX_CASES else ""
        say(f"   {reason}: {'; '.join(cases[:MAX_CASES])}{more}")
    outcomes = Counter(annotation.row.outcome for annotation in passage.annotations)
    say(f"   annotations: {', '.join(f'{n} {outcome}' for outcome, n in outcomes.most_common()) or 'none'}")
    printed = shown_tokens(passage, MAX_TOKENS)
    for line in _columns(_cells(passage, printed, tokenizer)):
        say(line)
    n_after = len(passage.doc) - printed.stop
    if printed.start or n_after:
        say(f"… {printed.start} tokens before and {n_after} after these are not printed; the page has the whole text")
    say("")


def _cells(passage: Inspected, printed: range, tokenizer: Any) -> list[list[str]]:
    """Return a line for each token: its text, its tag, its wordpieces."""
    doc, tags = passage.doc, biluo_tags(passage.doc)
    pieces = wordpieces(doc, tokenizer) if tokenizer is not None else None
    lines = [["token", "tag", *["wordpieces"] * (pieces is not None)]]
    for n in printed:
        lines.append([visible(doc[n].text), tags[n], *([_wordpiece_cell(pieces[n])] if pieces else [])])
    return lines


def _wordpiece_cell(of_token: Wordpieces) -> str:
    more = f" … {len(of_token.pieces)} in all" if len(of_token.pieces) > MAX_PIECES else ""
    listed = " ".join(of_token.pieces[:MAX_PIECES]) + more
    return f"{listed or '(none)'}  ← unknown to the encoder" if of_token.unknown else listed


def _columns(lines: Sequence[Sequence[str]]) -> list[str]:
    """Align the cells of lines in columns; wide characters count as two."""
    cut = [[_cut(cell) if place == 0 else cell for place, cell in enumerate(line)] for line in lines]
    widths = [max(cell_len(line[place]) for line in cut) for place in range(len(cut[0]))]
    padded = [[cell + " " * (width - cell_len(cell)) for cell, width in zip(line, widths, strict=True)] for line in cut]
    return ["  ".join(line).rstrip() for line in padded]


def _cut(cell: str) -> str:
    return cell if cell_len(cell) <= MAX_CELLS else chop_cells(cell, MAX_CELLS - 1)[0] + "…"
