"""Reads Label Studio's JSON: tasks with all their annotations (https://labelstud.io/guide/task_format)."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from domain_ner.annotations.records import ACCEPTED, Answer, FileLog, ReaderOptions, Record, Sample
from domain_ner.annotations.round_trip import unpack, without_carried
from domain_ner.readers.json_files.json_rows import first_values, json_rows
from domain_ner.readers.label_studio.records import Annotation, make_records
from domain_ner.readers.label_studio.regions import Region, find_regions
from domain_ner.readers.label_studio.survey import choose, survey_of
from domain_ner.readers.label_studio.texts import LabellingConfig
from domain_ner.readers.text_choice.read_twice import ReadTwice

NAME = "label_studio"
TITLE = "Label Studio JSON"
EXTENSIONS = (".json", ".jsonl")
# The second name is from Label Studio before 1.0.
ANNOTATIONS = ("annotations", "completions")
TASK_KEYS = {
    "id", "data", "meta", "project", "file_upload", "created_at", "updated_at", "inner_id", "overlap", "is_labeled",
    "created_by", "updated_by", "cancelled_annotations", "total_annotations", "total_predictions", "comment_count",
}  # fmt: skip


def recognises(sample: Sample) -> bool:
    """Whether the first object is a task with annotations, or an annotation with its task (cloud storage)."""
    keys = first_keys(sample)
    has_data = any(key.startswith("data.") for key in keys)
    # The text of the first task may be longer than the sample.
    is_cut = not sample.whole and {key for key in keys if "." not in key} <= TASK_KEYS
    return (
        any(f"{name}.item.result" in keys for name in (*ANNOTATIONS, "predictions"))
        or (has_data and (is_cut or not keys.isdisjoint((*ANNOTATIONS, "predictions"))))
        or ("result" in keys and any(key.startswith("task.data.") for key in keys))
    )


def read(path: Path, options: ReaderOptions, log: FileLog) -> Iterator[Record]:
    """Yield a record for each annotation of each task, for each prediction, and for each task without annotation; for
    a task with several texts, one record per text.

    options.field: the keys of the texts, if nothing else determines which texts the regions lie on.
    Raises DomainNerError for a file without tasks, and if the texts cannot be determined.
    """
    tasks = ReadTwice(path, lambda log: _tasks(path, options, log))
    survey = survey_of(map(_surveyed, tasks.first()), by_key=True)
    chosen = choose(survey, LabellingConfig.beside(path), options.field, log.file)
    for annotations in tasks.again(log):
        for annotation in annotations:
            records = make_records(annotation, chosen, log)
            if not records:
                break
            yield from records


def _tasks(path: Path, options: ReaderOptions, log: FileLog) -> Iterator[list[Annotation]]:
    """Yield all annotations and predictions of each task."""
    others = Counter[str]()
    for n_task, item in json_rows(path, log):
        task = _task(item)
        if task is None:
            log.problem(n_task, f"{_describe(item)}; expected a task, with `data` and `annotations`")
        else:
            yield list(_Task(task, n_task, others, log).annotations(options))
    for kind, n_others in others.items():
        log.note(f"{kind} not read: {n_others}")


def _surveyed(annotations: Sequence[Annotation]) -> tuple[Mapping[str, Any], list[Region], bool]:
    """Return (data, regions, whether somebody accepted an annotation) of a task."""
    annotated = any(annotation.answer == ACCEPTED for annotation in annotations)
    data = annotations[0].data if annotations else {}
    return data, [region for annotation in annotations for region in annotation.regions], annotated


def first_keys(sample: Sample) -> set[str]:
    """List the keys of the first object in a JSON file, nested ones with their path (`annotations.item.result`)."""
    first = next(iter(first_values(sample.text)), None)
    first = next(iter(first), None) if isinstance(first, list) else first
    return set(_paths(first)) if isinstance(first, dict) else set()


def _paths(value: Any) -> Iterator[str]:
    """Yield the paths of keys below a value; `item` stands for the items of a list."""
    inner = value.items() if isinstance(value, dict) else [("item", item) for item in _list(value)]
    for key, inner_value in inner:
        if isinstance(value, dict):
            yield key
        yield from (f"{key}.{path}" for path in _paths(inner_value))


def _task(item: Any) -> dict[str, Any] | None:
    """Return a task, or the task inside an annotation; None if it is neither."""
    if not isinstance(item, dict):
        return None
    if "result" in item and isinstance(item.get("task"), dict):
        item = {**item["task"], "annotations": [item]}
    return item if isinstance(item.get("data"), dict) else None


def _describe(item: Any) -> str:
    return (
        f"an object with {', '.join(item) or 'nothing'}" if isinstance(item, dict) else f"a JSON {type(item).__name__}"
    )


@dataclass(frozen=True)
class _Task:
    """A task of the file. others: results that are not labelled spans, counted by type."""

    task: Mapping[str, Any]
    number: int
    others: Counter[str]
    log: FileLog

    def annotations(self, options: ReaderOptions) -> Iterator[Annotation]:
        """Yield all annotations of the task: by people, then by models."""
        people = [item for name in ANNOTATIONS for item in _list(self.task.get(name))]
        # Label Studio's own export names predictions by their ids alone, however they were made.
        named = _list(self.task.get("predictions"))
        predictions = [item for item in named if not isinstance(item, int)]
        if len(predictions) < len(named):
            self.others["predictions that are ids alone"] += len(named) - len(predictions)
        used = options.predictions and not people
        self._count_drafts(people)
        if not people and not (used and predictions):
            yield self._annotation({}, (), "not annotated")
        for item in people:
            yield from self._read(item, _answer(item))
        for item in predictions:
            yield from self._read(item, "accepted" if used else "prediction")

    def _read(self, item: Any, answer: Answer) -> Iterator[Annotation]:
        """Parse an annotation or prediction; a problem in the log if it has no readable results."""
        result = item.get("result") if isinstance(item, dict) else None
        if not isinstance(result, list):
            message = f"an annotation is {_describe(item)}; expected an object with `result`, a list of regions"
            self.log.problem(self.number, message)
            return
        regions, others = find_regions(result)
        for kind, n_others in others.items():
            self.others["relations" if kind == "relation" else f"results of type {kind}"] += n_others
        yield self._annotation(item, regions, answer)

    def _annotation(self, item: Mapping[str, Any], regions: Sequence[Region], answer: Answer) -> Annotation:
        carried = unpack(self.task["data"])
        document = "" if self.task.get("id") is None else str(self.task["id"])
        # An imported annotation that nobody has changed still belongs to its original annotator.
        is_imported = item.get("import_id") is not None and item.get("updated_by") is None
        return Annotation(
            line=self.number,
            document=carried.document if carried else document,
            data=without_carried(self.task["data"], carried),
            regions=regions,
            answer=answer,
            annotator=(carried.annotator if carried and is_imported else "") or _annotator(item),
            meta={**(carried.meta if carried else {}), **_meta(self.task, item)},
        )

    def _count_drafts(self, people: list[Any]) -> None:
        drafts = _list(self.task.get("drafts"))
        drafts += [draft for item in people if isinstance(item, dict) for draft in _list(item.get("drafts"))]
        if drafts:
            self.others["drafts"] += len(drafts)


def _answer(item: Any) -> Answer:
    cancelled = isinstance(item, dict) and (item.get("was_cancelled") or item.get("skipped"))
    return "cancelled" if cancelled else "accepted"


def _annotator(item: Mapping[str, Any]) -> str:
    """Return the annotator: an e-mail address, a number, or the version of a model."""
    by = item.get("completed_by")
    if isinstance(by, dict):
        by = by.get("email") or by.get("id")
    by = next((name for name in (by, item.get("created_username"), item.get("model_version")) if name is not None), "")
    return str(by).strip()


def _meta(task: Mapping[str, Any], item: Mapping[str, Any]) -> dict[str, Any]:
    meta = task.get("meta")
    fields = dict(meta) if isinstance(meta, dict) else {}
    if item.get("ground_truth") or item.get("honeypot"):
        fields["ground_truth"] = True
    return fields


def _list(value: Any) -> list[Any]:
    return list(value) if isinstance(value, list) else []
