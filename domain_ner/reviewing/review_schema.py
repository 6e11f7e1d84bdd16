"""The result of a review, as `review.json` holds it."""

from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from domain_ner.errors import DomainNerError

Share = Annotated[float, Field(ge=0, le=1)]
Count = Annotated[int, Field(ge=0)]


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Measure(_Part):
    """Precision, recall or F1 in the population. value: null if nothing was predicted, or nothing is there to find.

    low, high: two-sided interval. n_more: further passages until it is narrow enough; null: not foreseeable.
    """

    value: Share | None
    low: Share
    high: Share
    n_more: Count | None


class TypeReview(_Part):
    """A type, or all types. n_predicted: in the population. n_reviewed, n_correct: of these in the sample.

    n_gold: entities of the reviewers in the sample.
    """

    n_predicted: Count
    n_reviewed: Count
    n_correct: Count
    n_gold: Count
    precision: Measure
    recall: Measure
    f1: Measure


class ContractReview(_Part):
    """A contract. value: the estimate. bound: what the measure is at least, with `confidence`, one-sided.

    n_more: further passages until it is likely proven, if they are like the present ones; null: not foreseeable.
    """

    contract: str
    label: str
    measure: str
    least: Share
    value: Share | None
    bound: Share
    confidence: Share
    is_proven: bool
    n_more: Count | None


class StratumReview(_Part):
    """A stratum: passages in the population, drawn, and reviewed of those that count."""

    name: str
    n_passages: Count
    n_drawn: Count
    n_reviewed: Count


class Review(_Part):
    """A review of a sample.

    n_passages: distinct texts of the population. n_drawn: in the sample. n_reviewed: that count: those before the first
    task that is not reviewed. n_after_gap: reviewed, but not counted. missing: numbers of the tasks not reviewed, from
    1; incomplete: those of them with yes/no answers or disputed tokens.
    is_blind: the reviewers saw no suggestion. level: of the intervals. width: the half-width wanted.
    confidence: of the contracts, each or all together. is_joint: all together.
    """

    version: int = 1
    pipeline: dict[str, str]
    is_blind: bool
    n_passages: Count
    n_drawn: Count
    n_reviewed: Count
    n_after_gap: Count
    missing: list[Count]
    incomplete: list[Count]
    level: Share
    width: Share
    overall: TypeReview
    by_type: dict[str, TypeReview]
    confidence: Share
    is_joint: bool
    contracts: list[ContractReview]
    strata: list[StratumReview]

    @property
    def is_proven(self) -> bool:
        """Whether all contracts are."""
        return all(contract.is_proven for contract in self.contracts)

    @property
    def n_more(self) -> int | None:
        """Further passages until all contracts are likely proven; without contracts, until all intervals of all types
        together are narrow enough. None: not foreseeable."""
        of_all = (self.overall.precision, self.overall.recall, self.overall.f1)
        wanted = [part.n_more for part in (self.contracts or of_all)]
        known = [n for n in wanted if n is not None]
        return max(known, default=0) if len(known) == len(wanted) else None


def read_review(path: Path) -> Review:
    """Read the result of a review. Raises DomainNerError if there is none, or it is damaged."""
    try:
        return Review.model_validate_json(path.read_text(encoding="utf8"))
    except FileNotFoundError as err:
        raise DomainNerError(
            f"There is no review {path}.",
            f"Put the exports into {path.parent}/reviewed; then: domain-ner review-sample {path.parent} --contract …",
        ) from err
    except (ValidationError, UnicodeDecodeError) as err:
        raise DomainNerError(f"{path} is no review of this version, or damaged.", "Run review-sample again.") from err
