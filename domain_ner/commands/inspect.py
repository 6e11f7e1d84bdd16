"""Implements `inspect`: shows the corpus before training, in the terminal and as an HTML page."""

from pathlib import Path

import typer

from domain_ner.commands.console import in_project, say, watched
from domain_ner.files import write_text


def main(
    corpus: Path = typer.Argument(Path("corpus"), help="Folder with train.spacy, dev.spacy and test.spacy."),
    page: Path = typer.Argument(Path("training/reports/inspect.html"), help="The HTML page to write."),
    ledger: Path = typer.Option(Path("training/reports/ledger.jsonl"), help="The ledger, written by convert."),
    card: Path | None = in_project("training/encoder.json", "The encoder's card, to show wordpieces."),
    guide: Path | None = in_project("assets/guide.yml", "The annotation guide, for the colours of the types."),
    split: str = typer.Option("", help="Show only this split: train, dev or test; empty: all."),
    n: int = typer.Option(5, min=0, help="Number of passages to print."),
    random: bool = typer.Option(False, "--random", help="Print random passages instead of the most suspicious ones."),
    seed: int = typer.Option(0, help="Seed of the random choice."),
    max_passages: int = typer.Option(2000, min=1, help="Number of passages on the page, at most."),
) -> None:
    """Print tokens, tags and wordpieces of the most suspicious passages, and write training/reports/inspect.html."""
    from domain_ner.annotations.outcomes import OUTCOMES, UNREADABLE
    from domain_ner.commands.printing.passages import print_passage
    from domain_ner.encoders.card import EncoderCard
    from domain_ner.guide.schema import load_guide
    from domain_ner.inspection.ledger_places import UNACCOUNTED
    from domain_ner.inspection.passages import (
        at_random,
        check_split,
        inspect,
        most_suspicious,
        of_split,
        read_corpus,
        read_ledger,
    )
    from domain_ner.inspection.wordpieces import load_tokenizer
    from domain_ner.reports.inspect_page import default_colours, inspect_page

    check_split(split)
    docs, rows = read_corpus(corpus), read_ledger(ledger)
    tokenizer = load_tokenizer(EncoderCard.read(card)) if card else None
    with watched("inspecting", len(docs)) as on_doc:
        inspection = of_split(inspect(docs, rows, tokenizer, on_doc=on_doc), split)
    colours = load_guide(guide).colours if guide else default_colours(inspection)
    printed = at_random(inspection.passages, n, seed=seed) if random else most_suspicious(inspection.passages)[:n]
    for passage in printed:
        print_passage(passage, tokenizer)
    order = "at random" if random else "the most suspicious first"
    say(f"{len(printed)} of {len(inspection.passages)} passages, {order}")
    if tokenizer is None:
        say("no wordpieces: " + ("the encoder is not a transformer and works on words" if card else "no --card"))
    outcomes = inspection.outcomes()
    say(
        "annotations: "
        + ", ".join(f"{outcomes[outcome]} {outcome}" for outcome in (*OUTCOMES, *UNREADABLE) if outcomes[outcome])
    )
    if outcomes[UNACCOUNTED]:
        n_extra = outcomes[UNACCOUNTED]
        say(f"{n_extra} entities are not in {ledger}: corpus and ledger are of two runs, run convert again")
    write_text(page, inspect_page(inspection, colours, max_passages=max_passages, split=split))
    n_all = len(inspection.passages)
    limit = f" without {n_all - max_passages} of {n_all} passages (--max-passages {max_passages})"
    say(f"written to {page}" + (limit if n_all > max_passages else ""))
