"""What goes into a training config besides its fragments, read from text and files; and the last check of a config."""

import json
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from spacy.tokens import Doc

from domain_ner.annotations.doc_keys import SPANS_KEY
from domain_ner.errors import DomainNerError


def parse_settings(text: str) -> dict[str, Any]:
    """Read `section.name=value …`; a value is JSON, or else text. Raises DomainNerError for what is neither."""
    found = {}
    for part in text.split():
        place, equals, value = part.partition("=")
        if not equals or "." not in place:
            raise DomainNerError(f"vars.settings has {part!r}; expected section.name=value, apart by spaces.")
        try:
            found[place] = json.loads(value)
        except ValueError:
            found[place] = value
    return found


def read_tokenizer(path: Path) -> dict[str, Any]:
    """The settings of the tokenizer as `Choices` has them. Raises DomainNerError where convert did not write them."""
    try:
        read = json.loads(path.read_text(encoding="utf8"))
        return {"token_splits": [rule["pattern"] for rule in read["splits"]], "normalize": read["normalize"]}
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise DomainNerError(f"Cannot read {path}: {error}.", "Run convert first.") from error


def longest_annotation(docs: Iterable[Doc]) -> int:
    """In tokens; 0 where there is none."""
    return max((len(span) for doc in docs for span in (*doc.ents, *doc.spans.get(SPANS_KEY, ()))), default=0)


def debug_config(config: Path) -> None:
    """Let `spacy debug config` judge. Raises DomainNerError with what it says."""
    command = [sys.executable, "-m", "spacy", "debug", "config", str(config)]
    ran = subprocess.run(command, capture_output=True, text=True, check=False)
    if ran.returncode:
        raise DomainNerError(f"spacy debug config refuses the config:\n{ran.stdout}{ran.stderr}")
