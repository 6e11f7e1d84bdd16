"""The tasks that `next-batch` and `review-sample` write, and how what a tool shows of them differs from what it should.

A corpus stands for raw text, so that the right answer to each task is known.
"""

import json
import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import count
from pathlib import Path
from typing import Any

from _servers.circles import write_rows
from _servers.contents import Spans
from _servers.processes import run
from domain_ner.annotations.passages import LabelledSpan, Passage
from domain_ner.annotations.round_trip import unpack
from domain_ner.errors import DomainNerError
from domain_ner.selecting.tasks import WHY
from domain_ner.writers.passages import read_docbin
from domain_ner.writers.prodigy import NAME as PRODIGY
from domain_ner.writers.queues import TOOLS

NEXT_BATCH, BLIND, SUGGEST = "next-batch", "review-sample", "review-sample --suggest"
# Put before every second text: characters of which code points, UTF-16 units and what is seen differ in number.
HARD = ("\U0001f9ef ", "e\u0301 ", "\U0001f1f3\U0001f1f4\u3000", "\U00020000\t")


@dataclass(frozen=True)
class Task:
    """A task as a tool should show it.

    gold: the passage of the corpus, with the right answer. suggested: what the pipeline found; empty in a blind task.
    meta: what should come along. score: the lowest of the suggestions; None if they have none.
    """

    gold: Passage
    suggested: Spans
    meta: Mapping[str, Any]
    score: float | None = None

    @property
    def is_right(self) -> bool:
        """Whether the suggestion is the right answer."""
        return set(self.suggested) == set(self.gold.spans)


@dataclass(frozen=True)
class Queue:
    """Tasks that a command wrote, in their order.

    name: the command. folder: with a file for each tool. model: name and version of the pipeline.
    """

    name: str
    folder: Path
    tasks: Sequence[Task]
    model: str

    @property
    def is_blind(self) -> bool:
        """Whether the tasks have no suggestions."""
        return self.name == BLIND

    @property
    def is_sample(self) -> bool:
        """Whether `review-sample` reads the review."""
        return self.name != NEXT_BATCH

    def file(self, tool: str) -> Path:
        """The file for a tool."""
        return self.folder / f"tasks.{tool}{TOOLS[tool]}"

    def task_of(self, text: str) -> Task:
        """The task with a text. Raises DomainNerError if there is none: the tool has changed the text."""
        found = next((task for task in self.tasks if task.gold.text == text), None)
        if found is None:
            raise DomainNerError(f"{self.name}: the tool shows a text that is no task: {text[:60]!r}.")
        return found


@dataclass(frozen=True)
class Shown:
    """A task as a tool shows it to an annotator.

    carried: the keys beside the text. seen: meta on the page. model, score: of the suggestion in Label Studio;
    "" and None without a suggestion. model is None in a tool that names no model.
    """

    text: str
    suggested: Spans
    carried: Mapping[str, Any]
    seen: Mapping[str, Any]
    model: str | None = None
    score: float | None = None


def write_queues(pipeline: str, corpus: Path, guide: Path, n: int, work: Path) -> tuple[list[Queue], Path]:
    """Run `next-batch`, both kinds of `review-sample`, and `export-labels`.

    corpus: a DocBin with gold entities. n: the number of tasks of each queue. work: an empty folder.
    Returns the queues, and the folder with the labels. Raises DomainNerError if a command fails, and for a corpus with
    types that the guide does not have.
    """
    complete = (one for one in read_docbin(corpus) if not one.partial and not one.unknown)
    passages = {one.text: one for one in map(harder, complete, count())}
    rows = [{"id": one.document, "text": one.text, "meta": dict(one.meta)} for one in passages.values()]
    raw, labels = str(write_rows(rows, work / "raw.jsonl")), work / "labels"
    command(work, "export-labels", str(guide.resolve()), str(labels))
    unknown = {span.label for one in passages.values() for span in one.spans} - set(label_names(labels))
    if unknown:
        raise DomainNerError(f"{corpus} has types that {guide} does not have: {', '.join(sorted(unknown))}.")
    model = str(Path(pipeline).resolve()) if Path(pipeline).exists() else pipeline
    folders = {NEXT_BATCH: work / "batches", BLIND: work / "blind", SUGGEST: work / "suggested"}
    for name, folder in folders.items():
        command(work, *name.split(), model, raw, str(folder), "--n", str(n))
    records = {NEXT_BATCH: work / "batches" / "001" / "batch.json"}
    records |= {name: folders[name] / "sample.json" for name in (BLIND, SUGGEST)}
    return [queue_of(name, record, passages) for name, record in records.items()], labels


def harder(passage: Passage, number: int) -> Passage:
    """Put one of `HARD` before every second passage, and name those that have no id. number: from 0."""
    before = HARD[number // 2 % len(HARD)] if number % 2 else ""
    spans = tuple(LabelledSpan(one.start + len(before), one.end + len(before), one.label) for one in passage.spans)
    name = passage.document or f"passage {number}"
    return replace(passage, text=before + passage.text, spans=spans, document=name)


def label_names(labels: Path) -> list[str]:
    """The types in a folder that `export-labels` wrote."""
    names: list[str] = json.loads((labels / "prodigy.json").read_text(encoding="utf8"))["labels"]
    return names


def queue_of(name: str, record: Path, passages: Mapping[str, Passage]) -> Queue:
    """The queue beside the record of a batch or a sample. passages: gold, by text."""
    known = json.loads(record.read_text(encoding="utf8"))["pipeline"]
    tasks = list(read_tasks(record.parent, passages))
    return Queue(name, record.parent, tasks, f"{known['name']} {known['version']}")


def command(work: Path, *arguments: str) -> None:
    """Run a command of the package. Raises DomainNerError, with what it printed last, if it fails."""
    run(
        f"domain-ner {arguments[0]}", [sys.executable, "-m", "domain_ner", *arguments], work / "command.log", os.environ
    )


def read_tasks(folder: Path, passages: Mapping[str, Passage]) -> Iterator[Task]:
    """The tasks in a folder, by the file for Prodigy, which is not imported anywhere. passages: gold, by text."""
    with (folder / f"tasks.{PRODIGY}{TOOLS[PRODIGY]}").open(encoding="utf8") as lines:
        for row in map(json.loads, lines):
            suggested = [LabelledSpan(one["start"], one["end"], one["label"]) for one in row["spans"]]
            score = min((one["score"] for one in row["spans"] if "score" in one), default=None)
            yield Task(passages[row["text"]], tuple(sorted(suggested)), row.get("meta", {}), score)


def differences(queue: Queue, shown: Sequence[Shown]) -> Iterator[str]:
    """What a tool shows otherwise than it should, in words."""
    if [one.text for one in shown] != [task.gold.text for task in queue.tasks]:
        yield f"the order of the {len(shown)} tasks is not that of the file"
    by_text = {one.text: one for one in shown}
    for task in queue.tasks:
        where = f"task {task.gold.document}"
        if task.gold.text not in by_text:
            yield f"{where}: its text is missing"
            continue
        one = by_text[task.gold.text]
        if one.suggested != task.suggested:
            yield f"{where}: of the suggestions, {unlike(task.suggested, one.suggested)}"
        if one.model is not None:
            model, score = ("", None) if queue.is_blind else (queue.model, task.score)
            if not one.model.startswith(model) or bool(one.model) == queue.is_blind or one.score != score:
                yield f"{where}: suggested by {one.model!r} with score {one.score}; expected {model!r} and {score}"
        yield from (f"{where}: {line}" for line in meta_differences(queue, task, one))


def unlike(expected: Spans, found: Spans) -> str:
    """How two sets of spans differ, in words."""
    lists = [
        ", ".join(f"{one.start}-{one.end} {one.label}" for one in spans) or "none"
        for spans in (
            sorted(set(expected) - set(found)),
            sorted(set(found) - set(expected)),
        )
    ]
    return f"missing are {lists[0]}; not expected are {lists[1]}"


def meta_differences(queue: Queue, task: Task, one: Shown) -> Iterator[str]:
    """What of a task's id and meta is lost."""
    carried = unpack(one.carried)
    if carried is None:
        yield "the id and the meta are missing"
        return
    if carried.document != task.gold.document:
        yield f"the id is {carried.document!r}"
    expected = {**task.gold.meta, **task.meta} if queue.name == NEXT_BATCH else {}
    if carried.meta != expected:
        yield f"meta is {carried.meta}; expected {expected}"
    if queue.name == NEXT_BATCH and not (one.seen.get(WHY) and one.seen[WHY] == task.meta.get(WHY)):
        yield f"the reason is shown as {one.seen.get(WHY)!r}; expected {task.meta.get(WHY)!r}"
