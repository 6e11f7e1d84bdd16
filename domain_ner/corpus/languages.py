"""Makes spaCy's blank pipelines, with a clear error for an unknown language code."""

import difflib
import pkgutil
import re
from collections.abc import Sequence
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from domain_ner.errors import DomainNerError

if TYPE_CHECKING:
    from spacy.language import Language


def blank(lang: str, config: dict[str, Any] | None = None, factories: Sequence[str] = ()) -> "Language":
    """Make a pipeline of a language without components.

    lang: spaCy's code. config: as for `spacy.blank`. factories: of other packages, for components to add.
    Raises DomainNerError for a code that spaCy does not know, and for a language that needs another package.
    """
    import spacy  # noqa: PLC0415 (takes seconds: Ctrl-C must work before this import)

    from domain_ner.corpus.registries import only_factories  # noqa: PLC0415

    try:
        with only_factories(factories):
            return spacy.blank(lang, config=config or {})
    except ImportError as err:
        if lang.isidentifier() and find_spec(f"spacy.lang.{lang}"):
            why = f"spaCy needs another package for vars.lang {lang!r}: {' '.join(str(err).split())}"
            raise DomainNerError(why, "Install that package.") from err
        raise DomainNerError(f"vars.lang is {lang!r}, which spaCy does not know.", _expected(lang)) from err


def _expected(lang: str) -> str:
    import spacy.lang  # noqa: PLC0415
    from spacy.util import find_matching_language  # noqa: PLC0415

    codes = sorted(module.name for module in pkgutil.iter_modules(spacy.lang.__path__) if module.ispkg)
    code = re.split(r"[-_.]", lang.lower())[0]
    near = find_matching_language(lang) or next(iter(difflib.get_close_matches(code, codes, n=1)), None)
    suggestion = f"Did you mean {near!r}? " if near else ""
    return f"{suggestion}Expected one of {', '.join(codes)}; xx is for mixed or other languages."
