"""The circle through Label Studio: our tasks, tasks of others, dialogues, tasks with two texts."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import accumulate
from pathlib import Path
from typing import Any

from _servers.circles import Export, Say, write_export
from _servers.comparison import as_it_is, without_spaces
from _servers.contents import ANNA, ASKED, BEN, DIALOGUE, FOREIGN, LABELS, SENT, TITLE_AND_BODY, Case, Spans
from _servers.http import Client
from _servers.label_studio import ADMIN, Project, add_user, log_in, number_of
from _servers.losses import LABEL_STUDIO
from domain_ner.errors import DomainNerError
from domain_ner.guide.labelling import label_studio_config
from domain_ner.guide.schema import EntityType, Guide

CONLL = "CONLL2003"
SUFFIXES = {"JSON": ".json", "JSON_MIN": ".json", "CSV": ".csv", "TSV": ".csv", CONLL: ".conll"}
# Label Studio's export without positions: it is read only where somebody insists.
READING = {CONLL: "force=yes"}
Task = Mapping[str, Any]


def exports(address: str, work: Path, target: Path, say: Say) -> Iterator[Export]:
    """Everything that Label Studio exports of text."""
    admin = log_in(address, ADMIN)
    users = {name: add_user(admin, address, name) for name in (ANNA, BEN)}
    called = {name: number_of(user) for name, user in users.items()}
    filled = []
    for kind in KINDS:
        say(f"a project of {kind.name}")
        filled.append(fill(kind, admin, users, work))
    for format_ in filled[0].project.formats():
        say(f"exports as {format_}")
        folder = target / LABEL_STUDIO / format_
        folder.mkdir(parents=True, exist_ok=True)
        kept = [one for one in filled if format_ in one.project.formats()]
        for one in kept:
            one.project.export(format_, folder / f"{one.name}{SUFFIXES.get(format_, '')}")
        cases = [case for one in kept for case in one.cases]
        view = without_spaces if format_ == CONLL else as_it_is
        yield Export(LABEL_STUDIO, format_, folder, cases, READING.get(format_, ""), called, view)


@dataclass(frozen=True)
class Kind:
    """A kind of project.

    config: its labelling config. cases: of each task, in order; all of one task are annotated together. shown: of each
    of a task's texts, the names of the labelling tag, of the text's tag, and of its key.
    """

    name: str
    config: str
    cases: Sequence[Sequence[Case]]
    shown: Sequence[tuple[str, str, str]] = (("label", "text", "text"),)


@dataclass(frozen=True)
class Filled:
    """A project in which all is annotated, and its cases as they should come back."""

    name: str
    project: Project
    cases: Sequence[Case]


def guide_config() -> str:
    """The labelling config that `export-labels` writes."""
    return label_studio_config(Guide(types=tuple(EntityType(label=label, definition=label) for label in LABELS)))


def _labels(tag: str, name: str, to: str) -> str:
    inside = "".join(f'<Label value="{label}"/>' for label in LABELS)
    return f'<{tag} name="{name}" toName="{to}">{inside}</{tag}>'


DIALOGUES = (
    '<View><Paragraphs name="talk" value="$dialogue" layout="dialogue"/>'
    f"{_labels('ParagraphLabels', 'label', 'talk')}</View>"
)
TWO = (
    f'<View>{_labels("Labels", "l1", "t1")}<Text name="t1" value="$title"/>'
    f'{_labels("Labels", "l2", "t2")}<Text name="t2" value="$body"/></View>'
)
KINDS = (
    Kind("passages", guide_config(), [[case] for case in SENT]),
    Kind("rows of others", guide_config(), [[case] for case in FOREIGN]),
    Kind("dialogues", DIALOGUES, [[case] for case in DIALOGUE], (("label", "talk", "dialogue"),)),
    Kind("title and body", TWO, [TITLE_AND_BODY], (("l1", "t1", "title"), ("l2", "t2", "body"))),
)


def fill(kind: Kind, admin: Client, users: Mapping[str, Client], work: Path) -> Filled:
    """Import the tasks of a project and annotate those that are not."""
    project = Project(admin, kind.name, kind.config)
    ours = kind.cases[0][0] in SENT
    file = work / f"{kind.name}.json"
    if ours:
        write_export([case.before() if case in ASKED else case for (case,) in kind.cases], file, "label_studio")
    else:
        tasks = [{"data": data_of(kind, cases)} for cases in kind.cases]
        file.write_text(json.dumps(tasks, ensure_ascii=False), encoding="utf8")
    told = project.import_file(file)
    if told["task_count"] != len(kind.cases):
        raise DomainNerError(
            f"Label Studio took {told['task_count']} of {len(kind.cases)} tasks of {file.name}: {told}"
        )
    back: list[Case] = []
    for task, cases in zip(project.tasks(), kind.cases, strict=True):
        if not ours or cases[0] in ASKED:
            annotate(project, int(task["id"]), kind, cases, users)
        back += cases if ours else (replace(case, document=str(task["id"])) for case in cases)
    return Filled(kind.name, project, back)


def data_of(kind: Kind, cases: Sequence[Case]) -> Task:
    """The data of a task, as others write them."""
    data: dict[str, Any] = dict(cases[0].meta)
    for case, (_, _, key) in zip(cases, kind.shown, strict=True):
        data[key] = dialogue(case.text) if key == "dialogue" else case.text
    return data


def dialogue(text: str) -> list[Task]:
    """Lines, said in turns by two."""
    return [{"author": "AB"[n % 2], "text": line} for n, line in enumerate(text.split("\n"))]


def annotate(project: Project, task: int, kind: Kind, cases: Sequence[Case], users: Mapping[str, Client]) -> None:
    """Annotate a task by each annotator of its cases."""
    for who in cases[0].answers:
        result = [
            region
            for case, shown in zip(cases, kind.shown, strict=True)
            for region in regions(case.text, case.answers[who], shown)
        ]
        project.annotate(users[who], task, result)


def regions(text: str, spans: Spans, shown: tuple[str, str, str]) -> Iterator[Task]:
    """Regions as the page makes them: offsets count code points."""
    name, to, key = shown
    for span in spans:
        words = {"text": text[span.start : span.end]}
        if key == "dialogue":
            value = {**place(text, span.start, span.end), **words, "paragraphlabels": [span.label]}
        else:
            value = {"start": span.start, "end": span.end, **words, "labels": [span.label]}
        kind = "paragraphlabels" if key == "dialogue" else "labels"
        yield {"from_name": name, "to_name": to, "type": kind, "id": f"{to}-{span.start}-{span.label}", "value": value}


def place(text: str, start: int, end: int) -> Task:
    """The paragraphs in which a region starts and ends, and where in these."""
    starts = [0, *accumulate(len(line) + 1 for line in text.split("\n"))][:-1]
    first = max(n for n, begin in enumerate(starts) if begin <= start)
    last = max(n for n, begin in enumerate(starts) if begin < end)
    return {
        "start": str(first), "end": str(last), "startOffset": start - starts[first], "endOffset": end - starts[last],
    }  # fmt: skip
