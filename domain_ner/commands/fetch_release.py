"""Implements `fetch-release`: copies the wheels of a version out of a registry."""

from pathlib import Path

import typer

from domain_ner.commands.console import say, writes
from domain_ner.commands.registries import REGISTRY, REGISTRY_HELP
from domain_ner.errors import DomainNerError


@writes("folder")
def main(
    registry: str = typer.Argument(REGISTRY, help=REGISTRY_HELP),
    folder: Path = typer.Argument(Path("training/packages"), help="Folder for the wheels; its content is replaced."),
    version: str = typer.Option("", help="The version: X.Y.Z; none: the one in use."),
) -> None:
    """Copy the wheels of the version in use into training/packages, after their hashes are checked."""
    from domain_ner.releasing.registry import Registry

    place = Registry(registry)
    record = place.get(version) if version else place.in_use()
    if record is None:
        raise DomainNerError(f"{place.place}: no version is in use.", "Promote one, or name it with --version.")
    wheels = place.fetch(record, folder)
    say(f"{record.package} {record.version} {record.content[:12]}, all hashes checked")
    say(f"pip install {' '.join(map(str, wheels))}")
