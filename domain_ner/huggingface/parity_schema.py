"""Defines the parity sheet of an exported model, as `parity.json` holds it."""

from pydantic import Field

from domain_ner.evaluation.schema_base import Part, Share

# The rows that are not aggregation strategies.
PIPELINE, ARGMAX, NO_LEXICAL = "pipeline", "argmax", "no lexical features"


class ParityScore(Part):
    """Exact matches of offsets and type, in 0..1."""

    precision: Share
    recall: Share
    f1: Share
    support: int = Field(ge=0)


class ParityRow(Part):
    """The scores of one way to find the entities.

    name: `pipeline`, `argmax`, `no lexical features`, or an aggregation strategy. difference: of micro F1 from the
    pipeline's. agreement: F1 with the pipeline's entities as gold. n_predicted: entities.
    """

    name: str
    micro: ParityScore
    by_type: dict[str, ParityScore]
    difference: float
    agreement: Share
    n_predicted: int = Field(ge=0)


class Parity(Part):
    """What the exported model finds beside the pipeline, on a test corpus.

    rows: the pipeline first. n_long: passages longer than `window` wordpieces, which are cut into parts that share
    `stride`. epochs: of training the exported encoder; 0: the pipeline's encoder as it is. divergence: of the fitted
    classifier from the pipeline's probabilities, in nats, before such training. has_words: whether the tokenizer
    marks the wordpieces that continue a word; without, `first`, `average` and `max` take what is between two spaces
    for a word. transformers: its version.
    """

    pipeline: str
    test: str
    date: str
    n_passages: int = Field(ge=0)
    n_long: int = Field(ge=0)
    window: int
    stride: int
    epochs: int
    divergence: float
    has_words: bool
    transformers: str
    rows: list[ParityRow]

    def row(self, name: str) -> ParityRow:
        """Return the row of a name."""
        return next(row for row in self.rows if row.name == name)
