"""Imports the libraries of single formats when a file is read: detection works without them."""

from importlib import import_module
from typing import Any

from domain_ner.errors import DomainNerError


def library(name: str) -> Any:
    """Import a module of a library. Raises DomainNerError if it is not installed."""
    try:
        return import_module(name)
    except ImportError as err:
        package = name.partition(".")[0]
        raise DomainNerError(
            f"This format needs the Python package {package}, which cannot be imported ({err}).",
            "pip install -r requirements.txt",
        ) from err
