"""Quality contracts: `SERVICE precision >= 0.9`. Knows no pipeline."""

import re
from collections.abc import Collection
from dataclasses import dataclass

from domain_ner.errors import DomainNerError, did_you_mean
from domain_ner.metrics.resampling import SCORE_NAMES
from domain_ner.metrics.scores import ALL_TYPES

CONTRACT = re.compile(r"\s*(?P<label>.*\S)\s+(?P<measure>\w+)\s*>=\s*(?P<least>[0-9.]+)\s*(?P<percent>%?)\s*")


@dataclass(frozen=True)
class Contract:
    """A promise on a type, or on `all`: precision, recall or F1 is at least `least`, 0..1."""

    label: str
    measure: str
    least: float

    def __str__(self) -> str:
        return f"{self.label} {self.measure} >= {self.least:g}"


def parse_contracts(text: str) -> list[Contract]:
    """Parse contracts, separated by `;`: `SERVICE precision >= 0.9; all f1 >= 80 %`.

    Raises DomainNerError for anything else.
    """
    return [_parse(part) for part in text.split(";") if part.strip()]


def require_labels(contracts: Collection[Contract], labels: Collection[str]) -> None:
    """Raise DomainNerError for a contract on a type that is none of `labels`."""
    for contract in contracts:
        if contract.label not in labels and contract.label != ALL_TYPES:
            hint = did_you_mean(contract.label, labels)
            known = ", ".join([*sorted(labels), ALL_TYPES])
            raise DomainNerError(f"The contract {str(contract)!r} is on no type of this pipeline: {known}.", hint)


def level_each(confidence: float, n_tests: int) -> float:
    """The level of each of `n_tests` proofs, so that all of them together have `confidence` (Bonferroni)."""
    return 1 - (1 - confidence) / n_tests


def _parse(text: str) -> Contract:
    found = CONTRACT.fullmatch(text)
    measure = found["measure"].lower() if found else ""
    try:
        least = float(found["least"]) / (100 if found["percent"] else 1) if found else -1.0
    except ValueError:
        least = -1.0
    if found is None or measure not in SCORE_NAMES or not 0 < least < 1:
        expected = "expected TYPE MEASURE >= SHARE, with precision, recall or f1, and a share between 0 and 1"
        raise DomainNerError(f"The contract is {text.strip()!r}; {expected}.", "For example: SERVICE precision >= 0.9")
    return Contract(found["label"], measure, least)
