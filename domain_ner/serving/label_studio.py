"""Answers Label Studio's ML backend protocol: predictions for tasks, by the tags of a labelling config.

Offsets are code points, as Label Studio has them (see `writers.label_studio`). Texts are never fetched: a task whose
text is a URL gets no prediction.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from xml.etree import ElementTree

from domain_ner.readers.label_studio.texts import texts_of
from domain_ner.serving.found import Entity, Found


class ConfigError(ValueError):
    """A labelling config that has no place for entities."""


@dataclass(frozen=True)
class Control:
    """A tag with labels. key: of the text in a task's data. labels: by value, what a region is called; none: any."""

    from_name: str
    to_name: str
    key: str
    labels: Mapping[str, str]

    def name_of(self, label: str) -> str | None:
        """What the tag calls a label; None if it has no such label."""
        return self.labels.get(label) if self.labels else label


def controls_of(config: str) -> list[Control]:
    """Find the tags that label a text. Raises ConfigError if there is none."""
    if "<!" in config.replace("<!--", ""):
        raise ConfigError("a document type or entities in the labelling config")
    try:
        root = ElementTree.fromstring(config)
    except (ElementTree.ParseError, UnicodeEncodeError) as err:  # the second: half a character
        raise ConfigError(f"the labelling config is not XML: {err}") from None
    texts = {
        tag.get("name", ""): tag.get("value", "").removeprefix("$")
        for tag in root.iter("Text")
        if tag.get("valueType", "text") == "text"
    }
    controls = [
        Control(tag.get("name", ""), name, texts[name], _labels(tag))
        for tag in root.iter("Labels")
        for name in tag.get("toName", "").split(",")
        if name in texts
    ]
    if not controls:
        raise ConfigError("the labelling config has no <Labels> for a <Text>")
    return controls


def _labels(tag: ElementTree.Element) -> dict[str, str]:
    values = [(label.get("value", ""), label.get("alias", "")) for label in tag.iter("Label")]
    names = {value: alias or value for value, alias in values}
    return names | {alias: alias for alias in names.values()}


@dataclass(frozen=True)
class TaskText:
    """A text of a task, and the tags that label it. number: of the task."""

    number: int
    text: str
    controls: tuple[Control, ...]


def task_texts(tasks: Sequence[Any], controls: Sequence[Control]) -> list[TaskText]:
    """Find the texts of tasks: one for each text tag that has labels and whose key is in the task's data."""
    found = []
    for number, task in enumerate(tasks):
        data = task.get("data") if isinstance(task, dict) else None
        known = texts_of(data) if isinstance(data, dict) else {}
        for to_name, key in dict.fromkeys((control.to_name, control.key) for control in controls):
            if key in known and isinstance(known[key].text, str):
                tags = tuple(control for control in controls if (control.to_name, control.key) == (to_name, key))
                found.append(TaskText(number, known[key].text, tags))
    return found


def predictions(n_tasks: int, texts: Sequence[TaskText], found: Sequence[Found], version: str) -> list[dict[str, Any]]:
    """Make the prediction of each task. version: what Label Studio shows as the model's version.

    A prediction's score is the least confidence of its entities, so that a queue by score begins with the least sure.
    """
    regions: list[list[dict[str, Any]]] = [[] for _ in range(n_tasks)]
    for task_text, result in zip(texts, found, strict=True):
        regions[task_text.number] += _regions(task_text, result.entities, len(regions[task_text.number]))
    answers = []
    for rows in regions:
        scores = [row["score"] for row in rows if row["score"] is not None]
        answers.append({"result": rows, "model_version": version, **({"score": min(scores)} if scores else {})})
    return answers


def _regions(task_text: TaskText, entities: Iterable[Entity], n_before: int) -> list[dict[str, Any]]:
    named = [
        (entity, control, name)
        for entity in entities
        for control in task_text.controls
        if (name := control.name_of(entity.label)) is not None
    ]
    return [
        {
            "id": f"domain-ner-{number}",
            "from_name": control.from_name,
            "to_name": control.to_name,
            "type": "labels",
            "score": entity.confidence,
            "value": {
                "start": entity.start,
                "end": entity.end,
                "text": task_text.text[entity.start : entity.end],
                "labels": [name],
            },
        }
        for number, (entity, control, name) in enumerate(named, n_before + 1)
    ]
