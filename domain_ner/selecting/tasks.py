"""Makes open tasks for annotators of the chosen texts, with the pipeline's suggestions and the reasons."""

from collections.abc import Collection, Mapping
from typing import Any, Protocol

from domain_ner.annotations.passages import LabelledSpan, Passage
from domain_ner.selecting.choosing import Choice
from domain_ner.selecting.strategies import describe

# Keys of a task's meta.
WHY, PRIORITY, WANTED, META = "why", "priority", "reported", "meta"


class Row(Protocol):
    """Where a text comes from: its id, its place, and the columns that came with it."""

    @property
    def id(self) -> str: ...  # noqa: D102
    @property
    def place(self) -> str: ...  # noqa: D102
    @property
    def columns(self) -> Mapping[str, Any]: ...  # noqa: D102


def make_task(choice: Choice, row: Row, apart: Collection[str], *, is_blind: bool) -> Passage:
    """Make a task of a choice. row: of its text. apart: columns that are no meta. is_blind: without suggestions.

    Each suggestion has its confidence. The score of the choice, which says nothing of the suggestions, is the priority.
    """
    scores = {} if is_blind else scores_of(choice)
    return Passage(
        text=choice.measured.text,
        spans=tuple(scores),
        scores=scores,
        source=row.place,
        document=row.id,
        meta={**given_columns(row.columns, apart), **_meta(choice)},
    )


def scores_of(choice: Choice) -> dict[LabelledSpan, float]:
    """The entities that the pipeline reports, with their confidences, 0..1."""
    found = choice.measured.found
    return {LabelledSpan(one.start, one.end, one.label): round(one.confidence, 4) for one in found}


def given_columns(columns: Mapping[str, Any], apart: Collection[str]) -> dict[str, Any]:
    """What is known of a text: its `meta`, and plain values in other columns, such as the key of `group_by`."""
    nested = columns.get(META)
    plain = {key: value for key, value in columns.items() if isinstance(value, str | int | float) and key not in apart}
    return {**plain, **(nested if isinstance(nested, dict) else {})}


def _meta(choice: Choice) -> dict[str, Any]:
    reasons = describe(choice.measured)
    meta: dict[str, Any] = {PRIORITY: round(choice.score, 4), WHY: "; ".join(reasons)}
    return {**meta, WANTED: True} if choice.is_wanted else meta
