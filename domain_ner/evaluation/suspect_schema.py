"""Defines the shape of `label_errors.json`; its JSON schema is written next to it."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from domain_ner.evaluation.schema import Marked

Share = Annotated[float, Field(ge=0, le=1)]


class HeldOut(BaseModel):
    """Agreement of models with annotations that they were not trained on. support: annotations of the type."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    precision: Share
    recall: Share
    f1: Share
    support: int


class ShownSuspect(BaseModel):
    """A suspicious annotation with an excerpt of the text around it.

    kind: missing annotation, needless annotation, wrong type or wrong boundary. score: the probability that the
    annotation is wrong: `evidence`, limited by the models' agreement on the type. evidence: the probability of the
    suggestion, by a model that was not trained on the passage, smoothed with the annotations of the same words
    elsewhere; the suspects are ranked by it. The confidence of an entity is the model's probability alone. start, end:
    in the passage, in characters; offset: start of the excerpt in the passage.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: str
    score: Share
    evidence: Share
    source: str
    annotator: str
    start: int
    end: int
    offset: int
    text: str
    annotated: list[Marked]
    suggested: list[Marked]


class LabelErrors(BaseModel):
    """The suspects of `find-label-errors`, the strongest evidence first.

    held_out: type to the models' agreement with its annotations, "" for all types together.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    version: int = 2
    n_passages: int
    n_annotations: int
    n_folds: int
    held_out: dict[str, HeldOut]
    suspects: list[ShownSuspect]
