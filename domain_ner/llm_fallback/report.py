"""What a language model brings to a pipeline, as `llm_fallback.json` holds it. Knows no pipeline."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError

from domain_ner.errors import DomainNerError
from domain_ner.metrics.advice import Hybrid
from domain_ner.metrics.scores import ALL_TYPES, Scores

ALONE, LLM, BOTH = "pipeline", "llm", "both"
# F1 of one pipeline on one test set, from two runs.
SAME = 0.002


class Row(BaseModel):
    """Scores of a type, 0..1, and its number of annotated entities."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    precision: float
    recall: float
    f1: float
    support: int


class FallbackReport(BaseModel):
    """Scores by system (pipeline, llm, both) and type, `all` for all of them. `llm` counts a text without an answer as
    one without entities.

    model: its name. n_passages: scored. n_asked: of them, for which the model was asked in `both`.
    used: calls, tokens and money of `both` alone; answers from the cache are none. gain: of micro F1, in points.
    fewer_errors: spurious and missed entities of the pipeline, less those of both; fewer_per_thousand: for 1,000
    passages that are asked for, None if there was none.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    model: str
    n_passages: int
    n_asked: int
    scores: dict[str, dict[str, Row]]
    used: dict[str, Any]
    gain: float
    fewer_errors: int
    fewer_per_thousand: float | None


def read_hybrids(path: Path, scores: Scores) -> dict[str, Hybrid]:
    """Read what `add-fallback` measured, by type; nothing if there is no such file, or if it is of another pipeline or
    test set: one that alone has other scores.

    scores: of the pipeline alone on the test set, measured now. Raises DomainNerError for a damaged file.
    """
    if not path.is_file():
        return {}
    try:
        report = FallbackReport.model_validate_json(path.read_text(encoding="utf8"))
    except (ValidationError, UnicodeDecodeError) as err:
        raise DomainNerError(
            f"{path} is no report of add-fallback, or damaged.", "Remove it, or run that again."
        ) from err
    alone, both = report.scores[ALONE], report.scores[BOTH]
    if any(
        label not in alone or alone[label].support != score.support or abs(alone[label].f1 - score.f1) > SAME
        for label, score in scores.by_type.items()
    ):
        return {}
    used, n = report.used, report.n_passages
    cost = 1000 * used["cost"] / n if used.get("calls") and n else None
    return {
        label: Hybrid(report.model, both[label].f1, report.n_asked / max(1, n), cost)
        for label in scores.by_type
        if label in both
    }


def labels_of(report: FallbackReport) -> Iterable[str]:
    """The types, in the order of a report."""
    return sorted({label for rows in report.scores.values() for label in rows} - {ALL_TYPES})
