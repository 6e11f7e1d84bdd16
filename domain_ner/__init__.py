"""domain-ner: what a team needs to train, measure and ship its own named-entity recogniser with spaCy.

The names in `__all__` are imported when they are first used, so that `import domain_ner` costs nothing.
"""

from importlib import import_module as _import_module
from typing import Any as _Any

__version__ = "0.1.0"
_MODULES = {"DomainNerError": "errors", "load_guide": "guide.schema"}

__all__ = [
    "DomainNerError", "calibrate", "compare", "convert", "evaluate", "load", "load_guide", "read_corpus",
    "read_exports", "show", "train",
]  # fmt: skip


def __getattr__(name: str) -> _Any:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(_import_module(f"{__name__}.{_MODULES.get(name, 'api')}"), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
