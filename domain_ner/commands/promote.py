"""Implements `promote`: takes a released version into use."""

import typer

from domain_ner.commands.console import say
from domain_ner.commands.registries import REGISTRY, REGISTRY_HELP, now
from domain_ner.errors import DomainNerError


def main(
    registry: str = typer.Argument(REGISTRY, help=REGISTRY_HELP),
    version: str = typer.Argument("", help="The version to take into use: X.Y.Z; none: the highest."),
) -> None:
    """Take a released version into use, after its files are checked; the former one is kept."""
    from domain_ner.releasing.registry import Registry
    from domain_ner.releasing.release import to_time

    place = Registry(registry)
    versions = [] if version else place.versions()
    if not version and not versions:
        raise DomainNerError(f"{place.place} has no version.", "Run release first.")
    former = place.current()
    current = place.promote(version or versions[-1].version, to_time(now()))
    if former and former.version == current.version:
        say(f"{current.package} {current.version} is in use already")
        return
    say(f"in use: {current.package} {current.version} {current.content[:12]}, all files checked")
    if current.previous:
        say(f"rollback returns to {current.previous}")
