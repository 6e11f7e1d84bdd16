"""The options of all writers, and the features that not every format can represent."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from spacy.tokens import Doc

# Each is a plural, for counting losses.
NESTED = "nested or overlapping annotations"
REJECTED = "annotations that an annotator rejected"
PARTIAL = "marks of texts with yes/no answers only"
UNKNOWN = "marks of text ranges that nobody annotated"
UNANNOTATED = "marks of texts that nobody annotated"
SPACED_LABEL = "annotations whose label contains white space"
BLANK = "annotations of white space alone, or without a label"
WORDLESS = "texts without a word"
EMPTY = "empty texts"
# These losses do not affect annotations: they are reported, but never stop an export.
META = "texts' meta, ids or annotators"
WHITE_SPACE = "texts' line ends or runs of spaces (each becomes one space)"
REPORTED_ONLY = frozenset({META, WHITE_SPACE, EMPTY})


@dataclass(frozen=True)
class WriterOptions:
    """How passages are written.

    tokenize: for passages without their own tokens.
    predictions: the annotations are a model's, to be corrected by people. model_version: the name of that model.
    lossy: write what the format can represent, even if that is not all.
    is_blind: the passages have no annotation, and Label Studio shows no empty prediction either.
    """

    tokenize: "Callable[[str], Doc]"
    predictions: bool = False
    model_version: str = "domain-ner"
    lossy: bool = False
    is_blind: bool = False
