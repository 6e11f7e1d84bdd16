"""The design of a sample, as `sample.json` holds it: no texts."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

Count = Annotated[int, Field(ge=0)]


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Predicted(_Part):
    """A predicted entity. start, end: in code points of the document. confidence: null if its component gives none.

    place_start, place_end: numbers of visible characters before start and end, which tools do not change.
    """

    start: Count
    end: Count
    label: str
    confidence: float | None
    place_start: Count
    place_end: Count


class Task(_Part):
    """A chosen passage. id: of its document. digest: of its text. stratum: its number, from 0."""

    id: str
    digest: str
    stratum: Count
    predicted: list[Predicted]


class Totals(_Part):
    """What is known of a type in a whole stratum: passages with a prediction, and predictions."""

    n_passages_with: Count
    n_predicted: Count


class Stratum(_Part):
    """A stratum. n_passages: in the population. n_drawn: in the sample. all, by_type: of predictions."""

    name: str
    n_passages: Count
    n_drawn: Count
    all: Totals
    by_type: dict[str, Totals]


class Sample(_Part):
    """A stratified random sample of the distinct texts of some documents.

    Within a stratum each passage has the inclusion probability n_drawn / n_passages.
    pipeline: name, version and hash. n_documents: given. n_repeated: with a text that came before. n_wordless: without
    a word; n_failed: in which the pipeline failed; both left out. types: those the sample is for; empty: all.
    batches: sizes of the parts in which the tasks were drawn, in order. tasks: in the order of the files.
    """

    version: int = 1
    pipeline: dict[str, str]
    seed: int
    is_blind: bool
    n_documents: Count
    n_repeated: Count
    n_wordless: Count
    n_failed: Count
    labels: list[str]
    types: list[str]
    strata: list[Stratum]
    batches: list[Count]
    tasks: list[Task]

    @property
    def n_passages(self) -> int:
        """Size of the population."""
        return sum(stratum.n_passages for stratum in self.strata)
