"""Implements `rollback`: takes the version into use again that was in use before."""

import typer

from domain_ner.commands.console import say
from domain_ner.commands.registries import REGISTRY, REGISTRY_HELP, now


def main(registry: str = typer.Argument(REGISTRY, help=REGISTRY_HELP)) -> None:
    """Take the version into use again that was promoted before; a second rollback goes back further."""
    from domain_ner.releasing.registry import Registry
    from domain_ner.releasing.release import to_time

    place = Registry(registry)
    former = place.current()
    current = place.rollback(to_time(now()))
    say(
        f"in use: {current.package} {current.version} {current.content[:12]}, all files checked"
        f" (before: {former.version if former else 'none'})"
    )
