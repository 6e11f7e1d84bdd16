"""Renders self-contained pages from the templates in this folder."""

from importlib.resources import files
from typing import Any

from jinja2 import Environment, FunctionLoader, StrictUndefined


def render(template: str, **values: Any) -> str:
    """Render a template; every value is escaped unless it is Markup. A name without a value is an error."""
    environment = Environment(
        loader=FunctionLoader(_source), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    return environment.get_template(template).render(**values)


def _source(name: str) -> str:
    return files("domain_ner.reports").joinpath(name).read_text(encoding="utf8")
