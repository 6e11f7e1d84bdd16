"""Implements `history`: lists what was released, promoted and rolled back."""

import json

import typer

from domain_ner.commands.console import out, say, table
from domain_ner.commands.registries import REGISTRY, REGISTRY_HELP
from domain_ner.errors import DomainNerError


def main(
    registry: str = typer.Argument(REGISTRY, help=REGISTRY_HELP),
    as_json: bool = typer.Option(False, "--json", help="Print a JSON list instead of a table."),
) -> None:
    """List what was released, promoted and rolled back in a registry, and which version is in use."""
    from domain_ner.releasing.registry import Registry
    from domain_ner.reports.numbers import percent

    place = Registry(registry)
    events = place.history()
    if not events:
        raise DomainNerError(f"{place.place} has no version.", "Run release first, or name another registry.")
    if as_json:
        say(json.dumps([event.model_dump() for event in events], indent=1))
        return
    printed = table("when (UTC)", "what", "version", "F1", "content", "", title=place.place)
    for event in events:
        f1 = "" if event.f1 is None else percent(event.f1)
        in_use = "in use" if event.is_current else ""
        printed.add_row(event.at, event.action, event.version, f1, event.content[:12], in_use)
    out.print(printed)
