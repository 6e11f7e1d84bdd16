"""Writes drafts: tasks for three annotation tools, and a record without texts."""

import json
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from domain_ner.annotations.passages import Passage
from domain_ner.corpus.assignments import digest
from domain_ner.drafting.run import Drafted, SourceCounts
from domain_ner.drafting.voting import Voted
from domain_ner.files import together, write_text
from domain_ner.selecting.tasks import WHY, Row, given_columns
from domain_ner.writers.queues import write_queue

RECORD, TASKS, SCORE = "draft.json", "tasks", "score"
DISAGREEMENT, SOURCES, FAILED = "disagreement", "sources", "failed"
VERSION = 1
# Disputed spans that a task names, the most disputed first.
MAX_REASONS = 5


@dataclass(frozen=True)
class RawPassage:
    """A passage to annotate, and where it comes from. text, row: as it was read."""

    text: str
    row: Row


@dataclass(frozen=True)
class Facts:
    """What is known beside the passages, without texts.

    guide: the name of its file. lang: spaCy's code. model_version: the name of the suggestions in Label Studio.
    weights: by source. unreadable: number of rows without a text. llm: what was asked, and its calls.
    """

    guide: str
    lang: str
    model_version: str
    weights: Mapping[str, float]
    min_score: float
    unreadable: int = 0
    llm: Mapping[str, Any] = field(default_factory=dict)


def make_tasks(raw: Sequence[RawPassage], drafted: Drafted, apart: Collection[str]) -> list[Passage]:
    """Make an open task of every passage, the most disputed first. apart: columns of the rows that are no meta."""
    return [_task(raw[number], drafted.voted[number], apart) for number in drafted.order]


def _task(passage: RawPassage, voted: Voted, apart: Collection[str]) -> Passage:
    return Passage(
        text=passage.text,
        spans=tuple(voted.scores),
        source=passage.row.place,
        document=passage.row.id,
        meta={**given_columns(passage.row.columns, apart), **_meta(passage.text, voted)},
        scores={span: round(score, 4) for span, score in voted.scores.items()},
    )


def _meta(text: str, voted: Voted) -> dict[str, Any]:
    """The lowest score of the spans, the disagreement, and what is disputed; what is empty is left out."""
    names = sorted({name for span in voted.scores for name in voted.sources[span]})
    disputed = sorted(
        (span for span, score in voted.proposed.items() if 0 < score < 1),
        key=lambda span: (abs(voted.proposed[span] - 0.5), span),
    )
    reasons = [
        f"{text[span.start : span.end]!r} {span.label} {voted.proposed[span]:.2f} ({', '.join(voted.sources[span])})"
        for span in disputed[:MAX_REASONS]
    ]
    failed = ", ".join(f"{name}: {reason}" for name, reason in voted.failed.items())
    meta = {DISAGREEMENT: round(voted.disagreement, 4)}
    lowest = {SCORE: round(min(voted.scores.values()), 4)} if voted.scores else {}
    texts = {SOURCES: ", ".join(names), WHY: "; ".join(reasons), FAILED: failed}
    return {**meta, **lowest, **{key: value for key, value in texts.items() if value}}


def write_draft(tasks: Sequence[Passage], drafted: Drafted, folder: Path, facts: Facts) -> list[Path]:
    """Write the tasks for each tool, and `draft.json`, into a folder: all of them, or none.

    tasks: of `make_tasks`.
    Returns the files. Raises DomainNerError when the folder cannot be written to.
    """
    with together():
        files = write_queue(tasks, folder / TASKS, lang=facts.lang, model_version=facts.model_version)
        record = json.dumps(_record(tasks, drafted, facts), ensure_ascii=False, indent=1)
        write_text(folder / RECORD, record + "\n")
    return [*files, folder / RECORD]


def _record(tasks: Sequence[Passage], drafted: Drafted, facts: Facts) -> dict[str, Any]:
    labels = Counter(span.label for task in tasks for span in task.spans)
    rows = [_row(task, drafted.voted[number]) for task, number in zip(tasks, drafted.order, strict=True)]
    return {
        "version": VERSION,
        "guide": facts.guide,
        "n_passages": len(tasks),
        "n_unreadable": facts.unreadable,
        "n_with_suggestions": sum(bool(task.spans) for task in tasks),
        "suggestions": dict(sorted(labels.items())),
        "min_score": facts.min_score,
        "sources": {
            name: {"weight": facts.weights[name], **_counted(counts)} for name, counts in drafted.counts.items()
        },
        "llm": facts.llm,
        "passages": rows,
    }


def _row(task: Passage, voted: Voted) -> dict[str, Any]:
    place = {"digest": digest(task.text), "id": task.document, "place": task.source}
    lowest = {SCORE: round(min(voted.scores.values()), 4)} if voted.scores else {}
    failed = {FAILED: dict(voted.failed)} if voted.failed else {}
    numbers = {"n_suggestions": len(voted.scores), DISAGREEMENT: round(voted.disagreement, 4)}
    return {**place, **numbers, **lowest, **failed}


def _counted(counts: SourceCounts) -> dict[str, Any]:
    return {
        "n_read": counts.n_read,
        "proposed": dict(sorted(counts.proposed.items())),
        "rejected": dict(counts.rejected.most_common()),
        "failed": dict(counts.failed.most_common()),
        "problems": dict(counts.problems.most_common()),
        "seconds": round(counts.seconds, 3),
    }
