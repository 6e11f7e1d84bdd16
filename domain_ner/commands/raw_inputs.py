"""Reads the raw texts of `distil` and `pseudo-label`: those that nobody annotated."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from domain_ner.commands.console import say, warn
from domain_ner.errors import DomainNerError

if TYPE_CHECKING:
    from domain_ner.annotating.reading import Document


def read_new_texts(
    inputs: Sequence[str],
    output: Path,
    annotated: Sequence[Path],
    *,
    text_column: str,
    lines: bool,
    reading: str,
    labels: str,
) -> list[str]:
    """Read raw texts; those that are annotated, or nearly so, are left out, and so are repeated ones.

    Raises DomainNerError if none is left, or if the output lies in an input.
    """
    from domain_ner.pseudo_labels.raw_texts import new_texts
    from domain_ner.reviewing.raw_documents import RawDocuments
    from domain_ner.selecting.known import annotated_texts

    raw = RawDocuments(inputs, text_column, lines=lines)
    raw.require_apart_from(output)
    if not annotated:
        warn("Without --annotated, texts of dev and test may be among these: scores on them would be too good.")
    problems = list["Document"]()
    given = [document.text for document in raw.read(problems.append)]
    if problems:
        warn(f"{len(problems):,} texts could not be read, the first {problems[0].place}: {problems[0].problem}.")
    texts = new_texts(given, annotated_texts(annotated, reading, labels))
    if not texts:
        raise DomainNerError(
            f"None of {len(given):,} texts is new: they are empty, or in --annotated, or nearly so.",
            "Give others, or another --text-column.",
        )
    others = "; the others are annotated, nearly so, repeated or empty" if len(texts) < len(given) else ""
    say(f"{len(texts):,} of {len(given):,} texts{others}")
    return texts
