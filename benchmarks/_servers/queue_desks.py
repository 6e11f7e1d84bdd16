"""An annotator who answers the tasks of a queue in Label Studio or doccano: takes, corrects, and exports them."""

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from _servers import doccano, label_studio
from _servers.contents import ANNA
from _servers.doccano_circle import APPROVED, TOGETHER, import_all
from _servers.environments import DOCCANO, LABEL_STUDIO, Package
from _servers.label_studio_circle import regions
from _servers.queues import Queue, Shown, Task, label_names
from domain_ner.annotations.passages import LabelledSpan
from domain_ner.errors import DomainNerError
from domain_ner.writers.label_studio import LABELS_TAG, TEXT_TAG

SHOWN = (LABELS_TAG, TEXT_TAG, "text")


class Desk(Protocol):
    """A server with an administrator, who imports and exports, and an annotator.

    address: of the server. labels: the folder that `export-labels` wrote.
    """

    def __init__(self, address: str, labels: Path) -> None: ...

    def answer(self, queue: Queue, target: Path) -> list[Shown]:
        """Import a queue into a new project, give the right answer to each task, and export.

        target: the folder for the export. Returns the tasks as they were shown.
        Raises DomainNerError if the tool refuses something.
        """
        ...


class LabelStudioDesk:
    """In Label Studio tasks come one after the other, as from its button *Label All Tasks*."""

    def __init__(self, address: str, labels: Path) -> None:
        self.admin = label_studio.log_in(address, label_studio.ADMIN)
        self.annotator = label_studio.add_user(self.admin, address, ANNA)
        self.config = (labels / "label_studio.xml").read_text(encoding="utf8")

    def answer(self, queue: Queue, target: Path) -> list[Shown]:
        """As in `Desk`."""
        project = label_studio.Project(self.admin, queue.name, self.config, maximum_annotations=1)
        told = project.import_file(queue.file("label_studio"))
        if told["task_count"] != len(queue.tasks):
            raise DomainNerError(f"Label Studio took {told['task_count']} of {len(queue.tasks)} tasks: {told}")
        shown = []
        for _ in queue.tasks:
            given = project.next_task(self.annotator)
            shown.append(label_studio_shown(given))
            result = label_studio_result(given, queue.task_of(shown[-1].text))
            made_from = next((one["id"] for one in given["predictions"]), None)
            project.annotate(self.annotator, int(given["id"]), result, parent_prediction=made_from)
        project.export("JSON", target / "export.json")
        return shown


def label_studio_shown(given: Mapping[str, Any]) -> Shown:
    """A task as the labelling page gets it. Raises DomainNerError for several predictions: the page shows one."""
    data, predictions = given["data"], given["predictions"]
    if len(predictions) > 1:
        raise DomainNerError(f"Label Studio has {len(predictions)} predictions of task {given['id']}; expected one.")
    suggested: list[LabelledSpan] = []
    for region in (region for one in predictions for region in one["result"]):
        value = region["value"]
        span = LabelledSpan(value["start"], value["end"], value["labels"][0])
        if (value["text"], region["from_name"], region["to_name"]) != (
            data[TEXT_TAG][span.start : span.end], LABELS_TAG, TEXT_TAG,
        ):  # fmt: skip
            raise DomainNerError(f"Label Studio has a region of other words or tags: {region}")
        suggested.append(span)
    model, score = next(((one["model_version"], one["score"]) for one in predictions), ("", None))
    return Shown(data[TEXT_TAG], tuple(sorted(suggested)), data, data, model, score)


def label_studio_result(given: Mapping[str, Any], task: Task) -> list[Mapping[str, Any]]:
    """The regions that are submitted: right ones of the prediction as they are, and those that it lacks."""
    right = set(task.gold.spans)
    kept: dict[LabelledSpan, Mapping[str, Any]] = {}
    for region in (region for one in given["predictions"] for region in one["result"]):
        span = LabelledSpan(region["value"]["start"], region["value"]["end"], region["value"]["labels"][0])
        if span in right:
            kept[span] = region
    return [*kept.values(), *regions(task.gold.text, tuple(sorted(right - kept.keys())), SHOWN)]


class DoccanoDesk:
    """In doccano an annotator opens texts from a list. Suggestions are annotations: only shared projects show them."""

    def __init__(self, address: str, labels: Path) -> None:
        self.admin = doccano.log_in(address, doccano.ADMIN)
        self.annotator = doccano.add_user(self.admin, address, ANNA)
        self.labels = label_names(labels)

    def answer(self, queue: Queue, target: Path) -> list[Shown]:
        """As in `Desk`."""
        project = doccano.Project(self.admin, queue.name, [self.annotator], **TOGETHER)
        for label in self.labels:
            project.add_label(label)
        import_all(project, queue.file("doccano"))
        if project.label_ids().keys() != set(self.labels):
            raise DomainNerError(f"doccano has the labels {list(project.label_ids())}; expected {self.labels}.")
        shown = [self._answered(project, queue, row) for row in project.rows(self.annotator)]
        project.export(target / "export.zip", **APPROVED)
        return shown

    def _answered(self, project: doccano.Project, queue: Queue, row: Mapping[str, Any]) -> Shown:
        task = queue.task_of(row["text"])
        suggested = project.spans(self.annotator, row["text"])
        for span, number in suggested.items():
            if span not in task.gold.spans:
                project.remove_span(self.annotator, row["text"], number)
        project.annotate(self.annotator, row["text"], [span for span in task.gold.spans if span not in suggested])
        return Shown(row["text"], tuple(sorted(suggested)), row["meta"], row["meta"].get("meta", {}))


@dataclass(frozen=True)
class Tool:
    """A tool: how it is installed, how its server runs, and who works there."""

    package: Package
    serving: Callable[[Path, Path, float], AbstractContextManager[str]]
    desk: Callable[[str, Path], Desk]


TOOLS = {
    "doccano": Tool(DOCCANO, doccano.serving, DoccanoDesk),
    "label_studio": Tool(LABEL_STUDIO, label_studio.serving, LabelStudioDesk),
}
