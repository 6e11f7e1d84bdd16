"""The circle through doccano: shared and individual projects, approved texts and all, other rows and other offsets."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from _servers.circles import Export, Say, write_export, write_rows
from _servers.contents import ANNA, ASKED, BEN, FOREIGN, LABELS, SENT, Case
from _servers.doccano import ADMIN, Project, add_user, log_in
from _servers.http import Client
from _servers.losses import CODE_POINTS, DOCCANO, EACH, EACH_APPROVED, RELATIONS, SHARED, SHARED_APPROVED
from domain_ner.errors import DomainNerError

APPROVED = {"exportApproved": True}
TOGETHER = {"collaborative_annotation": True}
# In shared projects one person annotates.
ASKED_OF_ANNA = tuple(case.by(ANNA) for case in ASKED)
KNOWN = tuple(case for case in SENT if case not in ASKED)


class Circle:
    """A server with its users. work: a folder for files on their way in. target: a folder for exports."""

    def __init__(self, address: str, work: Path, target: Path) -> None:
        self.work, self.target = work, target
        self.admin = log_in(address, ADMIN)
        self.users = {name: add_user(self.admin, address, name) for name in (ANNA, BEN)}

    def project(self, name: str, **settings: Any) -> Project:
        """A project with both annotators and all labels."""
        project = Project(self.admin, name, list(self.users.values()), **settings)
        for label in LABELS:
            project.add_label(label)
        return project

    def fill(self, project: Project, annotated: Sequence[Case], asked: Sequence[Case], **options: Any) -> None:
        """Import what is annotated, approve it, and let the annotators do the rest."""
        cases = [*annotated, *(case.before() for case in asked)]
        import_all(project, write_export(cases, self.work / "export.jsonl", "doccano"))
        for case in annotated:
            if case.answers:
                project.confirm(self.admin, case.text)
        annotate_all(project, asked, self.users, **options)


def exports(address: str, work: Path, target: Path, say: Say) -> Iterator[Export]:
    """Everything that doccano exports of sequence labelling."""
    circle = Circle(address, work, target)
    say("a project that all share")
    yield from shared(circle)
    say("a project with a file for each annotator")
    yield from each(circle)
    say("a project with relations")
    related = circle.project("related", use_relation=True, **TOGETHER)
    circle.fill(related, KNOWN, ASKED_OF_ANNA)
    yield exported(circle, RELATIONS, {"related": related}, (*KNOWN, *ASKED_OF_ANNA), APPROVED)
    say("offsets as a program sends them that counts code points")
    counted = circle.project("counted", **TOGETHER)
    circle.fill(counted, (), ASKED_OF_ANNA, as_code_points=True)
    yield exported(circle, CODE_POINTS, {"counted": counted}, ASKED_OF_ANNA, APPROVED)


def shared(circle: Circle) -> Iterator[Export]:
    """Of a project in which all annotate the same copy, and of one with rows of others."""
    project = circle.project("shared", **TOGETHER)
    circle.fill(project, KNOWN, ASKED_OF_ANNA)
    other, foreign = fill_foreign(circle)
    cases = (*KNOWN, *ASKED_OF_ANNA, *foreign)
    for name, options in ((SHARED, {}), (SHARED_APPROVED, APPROVED)):
        yield exported(circle, name, {"shared": project, "foreign": other}, cases, options)


def each(circle: Circle) -> Iterator[Export]:
    """Of a project in which each annotator has a copy."""
    project = circle.project("each")
    circle.fill(project, KNOWN, ASKED)
    yield exported(circle, EACH, {"each": project}, SENT, {}, "empty=skip")
    yield exported(circle, EACH_APPROVED, {"each": project}, SENT, APPROVED)


def exported(
    circle: Circle, name: str, projects: Mapping[str, Project], cases: Sequence[Case],
    options: Mapping[str, Any], reading: str = "",
) -> Export:  # fmt: skip
    """Export projects into one folder."""
    folder = circle.target / DOCCANO / name
    folder.mkdir(parents=True, exist_ok=True)
    for file, project in projects.items():
        project.export(folder / f"{file}.zip", **options)
    return Export(DOCCANO, name, folder, cases, reading)


def fill_foreign(circle: Circle) -> tuple[Project, list[Case]]:
    """A project with rows that we did not write: (project, its cases under doccano's own numbers).

    Rows with other keys go into a file of their own: in one file, doccano refuses them all.
    """
    project = circle.project("foreign", **TOGETHER)
    for has_meta in (True, False):
        rows = [{"text": case.text, "label": [], **case.meta} for case in FOREIGN if bool(case.meta) == has_meta]
        import_all(project, write_rows(rows, circle.work / f"foreign-{has_meta}.jsonl"))
    annotate_all(project, FOREIGN, circle.users)
    numbers = project.examples()
    return project, [replace(case, document=str(numbers[case.text])) for case in FOREIGN]


def import_all(project: Project, file: Path) -> None:
    """Import a file. Raises DomainNerError where doccano leaves out a row."""
    errors = project.import_file(file)
    if errors:
        raise DomainNerError(f"doccano left out rows of {file.name}: {errors}")


def annotate_all(
    project: Project, cases: Sequence[Case], users: Mapping[str, Client], *, as_code_points: bool = False
) -> None:
    """Let each annotator annotate the cases of which there are annotations by that name."""
    for case in cases:
        for who, spans in case.answers.items():
            project.annotate(users[who], case.text, spans, as_code_points=as_code_points)
