"""What `find-label-errors` found, as `label_errors.json` has it; its JSON schema is written beside it."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from domain_ner.evaluation.schema import Marked

Share = Annotated[float, Field(ge=0, le=1)]


class HeldOut(BaseModel):
    """How far models agree with annotations that they did not learn. support: annotations of the type."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    precision: Share
    recall: Share
    f1: Share
    support: int


class ShownSuspect(BaseModel):
    """A suspicious annotation with the text around it.

    kind: missing annotation, needless annotation, wrong type or wrong boundary. score: how likely the annotation is
    wrong: `evidence`, but no more than the models have shown that they know of the type. evidence: the probability, by
    a model that did not learn the passage, of what it suggests, weighed with how the same words are annotated
    elsewhere; the suspects are ranked by it. The confidence of an entity is the probability alone. start, end: in the
    passage, in characters; offset: where the shown text begins there.
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
    """What `find-label-errors` found, the strongest evidence first.

    held_out: type to how far the models agree with its annotations, "" for all types together.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    version: int = 2
    n_passages: int
    n_annotations: int
    n_folds: int
    held_out: dict[str, HeldOut]
    suspects: list[ShownSuspect]
