"""Libraries that single formats need, imported when a file of theirs is read: detection does without them."""

from importlib import import_module
from typing import Any

from domain_ner.errors import DomainNerError


def library(name: str) -> Any:
    """A module of a library. Raises DomainNerError where it is not installed."""
    try:
        return import_module(name)
    except ImportError as err:
        package = name.partition(".")[0]
        raise DomainNerError(
            f"This format is read with the Python package {package}, which cannot be imported ({err}).",
            "pip install -r requirements.txt",
        ) from err
