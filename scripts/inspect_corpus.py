"""`inspect`: look at the corpus before training, in the terminal and as an HTML page."""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import typer
from _console import progress, run, say
from rich.cells import cell_len, chop_cells

from domain_ner.annotations.outcomes import OUTCOMES, UNREADABLE
from domain_ner.encoders.card import EncoderCard
from domain_ner.files import write_text
from domain_ner.guide.schema import load_guide
from domain_ner.inspection.ledger_places import UNACCOUNTED
from domain_ner.inspection.passages import (
    Inspected,
    at_random,
    biluo_tags,
    check_split,
    inspect,
    most_suspicious,
    of_split,
    read_corpus,
    read_ledger,
    shown_tokens,
)
from domain_ner.inspection.wordpieces import Wordpieces, load_tokenizer, visible, wordpieces
from domain_ner.reports.inspect_page import default_colours, inspect_page

MAX_TOKENS = 80
MAX_FOUND = 4
MAX_CELLS = 36
MAX_PIECES = 12


def main(
    corpus: Path = typer.Argument(..., help="Folder with train.spacy, dev.spacy and test.spacy."),
    page: Path = typer.Argument(..., help="The HTML page to write."),
    ledger: Path = typer.Option(..., help="ledger.jsonl of convert."),
    card: Path | None = typer.Option(None, help="The encoder's card, to show wordpieces."),
    guide: Path | None = typer.Option(None, help="The annotation guide, for the colours of its types."),
    split: str = typer.Option("", help="Show this split alone: train, dev or test; empty: all."),
    n: int = typer.Option(5, min=0, help="How many passages to print."),
    random: bool = typer.Option(False, "--random", help="Print passages drawn at random, not the most suspicious."),
    seed: int = typer.Option(0, help="Seed of the draw."),
    max_passages: int = typer.Option(2000, min=1, help="How many passages the page shows at most."),
) -> None:
    """Print tokens, tags and wordpieces of the most suspicious passages, and write training/reports/inspect.html."""
    check_split(split)
    docs, rows = read_corpus(corpus), read_ledger(ledger)
    tokenizer = load_tokenizer(EncoderCard.read(card)) if card else None
    with progress() as bar:
        task = bar.add_task("inspecting", total=len(docs))
        inspection = of_split(inspect(docs, rows, tokenizer, on_doc=lambda: bar.advance(task)), split)
    colours = load_guide(guide).colours if guide else default_colours(inspection)
    shown = at_random(inspection.passages, n, seed=seed) if random else most_suspicious(inspection.passages)[:n]
    for passage in shown:
        print_passage(passage, tokenizer)
    say(
        f"{len(shown)} of {len(inspection.passages)} passages, {'at random' if random else 'the most suspicious first'}"
    )
    if tokenizer is None:
        say("no wordpieces: " + ("the encoder trains on words alone (it is no transformer)" if card else "no --card"))
    fates = inspection.fates()
    say("annotations: " + ", ".join(f"{fates[fate]} {fate}" for fate in (*OUTCOMES, *UNREADABLE) if fates[fate]))
    if fates[UNACCOUNTED]:
        say(f"{fates[UNACCOUNTED]} entities are not in {ledger}: corpus and ledger are of two runs, run convert again")
    write_text(page, inspect_page(inspection, colours, max_passages=max_passages, split=split))
    n_all = len(inspection.passages)
    limit = f" without {n_all - max_passages} of {n_all} passages (--max-passages {max_passages})"
    say(f"written to {page}" + (limit if n_all > max_passages else ""))


def print_passage(passage: Inspected, tokenizer: Any) -> None:
    """Print what is suspicious of a passage, and its tokens, tags and wordpieces side by side."""
    data = passage.doc.user_data
    told = [f"{key} {data[key]}" for key in ("document", "annotator") if data.get(key)]
    points = "1 point" if passage.score == 1 else f"{passage.score} points"
    say(" · ".join([f"── {passage.source}", passage.split, *told, points]))
    for reason, found in passage.reasons().items():
        more = f"; and {len(found) - MAX_FOUND} more" if len(found) > MAX_FOUND else ""
        say(f"   {reason}: {'; '.join(found[:MAX_FOUND])}{more}")
    fates = Counter(one.row.outcome for one in passage.annotations)
    say(f"   annotations: {', '.join(f'{n} {fate}' for fate, n in fates.most_common()) or 'none'}")
    shown = shown_tokens(passage, MAX_TOKENS)
    for line in _columns(_cells(passage, shown, tokenizer)):
        say(line)
    n_after = len(passage.doc) - shown.stop
    if shown.start or n_after:
        say(f"… {shown.start} tokens before and {n_after} after these are not printed; the page has the whole text")
    say("")


def _cells(passage: Inspected, shown: range, tokenizer: Any) -> list[list[str]]:
    """A line for each token: its words, its tag, its wordpieces."""
    doc, tags = passage.doc, biluo_tags(passage.doc)
    pieces = wordpieces(doc, tokenizer) if tokenizer is not None else None
    lines = [["token", "tag", *["wordpieces"] * (pieces is not None)]]
    for n in shown:
        lines.append([visible(doc[n].text), tags[n], *([_told(pieces[n])] if pieces else [])])
    return lines


def _told(found: Wordpieces) -> str:
    more = f" … {len(found.pieces)} in all" if len(found.pieces) > MAX_PIECES else ""
    told = " ".join(found.pieces[:MAX_PIECES]) + more
    return f"{told or '(none)'}  ← unknown to the encoder" if found.unknown else told


def _columns(lines: Sequence[Sequence[str]]) -> list[str]:
    """Lines whose cells stand under one another, wide characters counted as two."""
    cut = [[_cut(cell) if place == 0 else cell for place, cell in enumerate(line)] for line in lines]
    widths = [max(cell_len(line[place]) for line in cut) for place in range(len(cut[0]))]
    padded = [[cell + " " * (width - cell_len(cell)) for cell, width in zip(line, widths, strict=True)] for line in cut]
    return ["  ".join(line).rstrip() for line in padded]


def _cut(cell: str) -> str:
    return cell if cell_len(cell) <= MAX_CELLS else chop_cells(cell, MAX_CELLS - 1)[0] + "…"


if __name__ == "__main__":
    run(main)
