"""Makes open tasks for annotators of the chosen texts, with the pipeline's suggestions and the reasons."""

from collections.abc import Sequence
from typing import Any

from domain_ner.annotations.passages import LabelledSpan, Passage
from domain_ner.selecting.choosing import Choice
from domain_ner.selecting.strategies import describe

# Keys of a task's meta.
WHY, SCORE, WANTED = "why", "score", "reported"


def make_tasks(choices: Sequence[Choice], ids: Sequence[str], places: Sequence[str], *, blind: bool) -> list[Passage]:
    """Make a task of each choice, in their order. ids, places: of their texts. blind: without suggestions."""
    return [
        Passage(
            text=choice.measured.text,
            spans=() if blind else spans_of(choice),
            source=place,
            document=document,
            meta=_meta(choice),
        )
        for choice, document, place in zip(choices, ids, places, strict=True)
    ]


def spans_of(choice: Choice) -> tuple[LabelledSpan, ...]:
    """The entities that the pipeline reports."""
    return tuple(LabelledSpan(found.start, found.end, found.label) for found in choice.measured.found)


def _meta(choice: Choice) -> dict[str, Any]:
    reasons = describe(choice.measured)
    meta: dict[str, Any] = {SCORE: round(choice.score, 4), WHY: "; ".join(reasons)}
    return {**meta, WANTED: True} if choice.is_wanted else meta
