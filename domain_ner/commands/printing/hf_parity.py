"""Prints the results of `export-hf`: what the exported model finds beside its pipeline."""

from domain_ner.commands.console import out, table
from domain_ner.huggingface.export_report import MEANINGS
from domain_ner.huggingface.parity_schema import Parity
from domain_ner.reports.comparison_markdown import difference
from domain_ner.reports.numbers import percent


def print_parity(parity: Parity) -> None:
    """Print the scores by row of the sheet."""
    printed = table("entities by", "F1", "difference", "precision", "recall", "agreement")
    for row in parity.rows:
        shares = (row.micro.precision, row.micro.recall, row.agreement)
        printed.add_row(row.name, percent(row.micro.f1), difference(row.difference), *map(percent, shares))
    out.print(printed)
    for name in (row.name for row in parity.rows):
        out.print(f"{name}: {MEANINGS[name]}")
