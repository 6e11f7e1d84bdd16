"""What every writer is given besides the passages, and what a format may be able to hold."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from spacy.tokens import Doc

# Each is the plural with which it is counted where a format cannot hold it.
NESTED = "nested or overlapping annotations"
REJECTED = "annotations that an annotator rejected"
PARTIAL = "marks of texts of which only yes/no answers are known"
UNKNOWN = "marks of stretches that nobody annotated"
UNANNOTATED = "marks of texts that nobody annotated"
SPACED_LABEL = "annotations whose label holds white space"
BLANK = "annotations of white space alone, or without a label"
WORDLESS = "texts without a word"
EMPTY = "empty texts"
# Of these the annotations are not affected: they are told, and stop nothing.
META = "texts' meta, ids or annotators"
WHITE_SPACE = "texts' line ends or runs of spaces (each becomes one space)"
TOLD_ONLY = frozenset({META, WHITE_SPACE, EMPTY})


@dataclass(frozen=True)
class WriterOptions:
    """How passages are written.

    tokenize: for passages that have no tokens of their own.
    predictions: the annotations are a model's, for people to correct. model_version: the name of that model.
    lossy: write what the format can hold where it cannot hold all.
    """

    tokenize: "Callable[[str], Doc]"
    predictions: bool = False
    model_version: str = "domain-ner"
    lossy: bool = False
