"""The shape of `annotation_simulation.json`."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

Share = Annotated[float, Field(ge=0, le=1)]


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Round(_Part):
    """Trainings on as many passages, one a seed. n_tokens, n_entities: means over the seeds. f1: micro, on test."""

    n_passages: int
    n_tokens: float
    n_entities: float
    f1: list[Share]


class Needed(_Part):
    """Passages to annotate until the mean F1 reaches that of the whole pool, less `points`; null: more than there are.

    share: of those that random choice needs.
    """

    points: float
    n_passages: int | None
    share: float | None


class Curve(_Part):
    """What a strategy reaches."""

    rounds: list[Round]
    needed: list[Needed]


class Simulation(_Part):
    """What `simulate-annotation` measured. full: F1 of the whole pool, one a seed."""

    version: int = 1
    n_pool: int
    n_test: int
    n_seeds: int
    full: list[Share]
    strategies: dict[str, Curve]
