"""Places of entities in a text that stay the same if a tool changes its white space or the form of its accents."""

from unicodedata import normalize

from domain_ner.metrics.scores import Entity


def place(text: str, start: int, end: int, label: str) -> Entity:
    """Convert offsets in code points of `text` to numbers of visible characters before start and before end.

    It ignores the same variants as `corpus.assignments.digest`.
    """
    return _before(text, start), _before(text, end), label


def _before(text: str, offset: int) -> int:
    return len(normalize("NFC", "".join(text[:offset].split())))
