"""Reads Label Studio's JSON_MIN, CSV and TSV: a row per annotation, with regions under the labelling tag's name.

These exports omit cancelled annotations; a task that nobody annotated is a row without an annotation id.
"""

import csv
import io
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from domain_ner.annotations.records import ACCEPTED, Answer, FileLog, ReaderOptions, Record, Sample
from domain_ner.annotations.round_trip import unpack, without_carried
from domain_ner.errors import DomainNerError
from domain_ner.readers.json_files.guarded_json import JsonError, load
from domain_ner.readers.json_files.json_rows import json_rows
from domain_ner.readers.json_files.python_literals import load_literal
from domain_ner.readers.label_studio.records import Annotation, make_records
from domain_ner.readers.label_studio.regions import LABEL_KEYS, Region, is_note, region_of_value
from domain_ner.readers.label_studio.survey import choose, survey_of
from domain_ner.readers.label_studio.tasks import first_keys
from domain_ner.readers.label_studio.texts import LabellingConfig, is_dialogue
from domain_ner.readers.text_choice.read_twice import ReadTwice
from domain_ner.readers.text_files.decoding import ends_with_line_end, find_encoding, read_sample

NAME = "label_studio_table"
TITLE = "Label Studio JSON_MIN, CSV or TSV"
EXTENSIONS = (".json", ".csv", ".tsv")
# Keys that the export adds to those of the task's data.
ADDED = {
    "id",
    "annotator",
    "annotation_id",
    "created_at",
    "updated_at",
    "lead_time",
    "agreement",
    "completed_by",
    "history",
}
DELIMITERS = "\t,;"
MAX_CELL_CHARS = 2**31 - 1
OBJECTS = re.compile(r"\s*\[\s*\{")
# Prefix of a key of the task's data that is also the name of a labelling tag.
RENAMED = "_data_"
REGIONS = re.compile(r"\s*\[\s*\{.*['\"](?:" + "|".join(LABEL_KEYS) + r"|start)['\"]\s*:", re.DOTALL)
ONE_REGION = re.compile(r"\s*\{.*['\"](?:" + "|".join(LABEL_KEYS) + r")['\"]\s*:", re.DOTALL)


def recognises(sample: Sample) -> bool:
    """Whether a row has the columns that Label Studio adds, or a column of labelled regions."""
    if sample.text.lstrip()[:1] in ("[", "{"):
        return _has_region_key(first_keys(sample))
    rows = csv.reader(io.StringIO(sample.text, newline=""), delimiter=_delimiter(sample.text))
    try:
        header, *others = [row for _, row in zip(range(50), rows)]  # noqa: B905 - the shorter ends it
    except (csv.Error, ValueError):
        return False
    return len(header) > 1 and (_is_added(set(header)) or any(REGIONS.match(cell) for row in others for cell in row))


def read(path: Path, options: ReaderOptions, log: FileLog) -> Iterator[Record]:
    """Yield a record for each row.

    Raises DomainNerError for a file without rows.
    """
    rows = ReadTwice(path, lambda log: _annotations(path, options, log))
    survey = survey_of(
        (
            (row_annotation.data, row_annotation.regions, row_annotation.answer == ACCEPTED)
            for row_annotation in rows.first()
        ),
        by_key=False,
    )
    chosen = choose(survey, LabellingConfig.beside(path), options.field, log.file)
    for annotation in rows.again(log):
        yield from make_records(annotation, chosen, log)


def _annotations(path: Path, options: ReaderOptions, log: FileLog) -> Iterator[Annotation]:
    """Yield the annotation of each row."""
    is_json = read_sample(path)[0].lstrip()[:1] in ("[", "{")
    for n_line, row in json_rows(path, log) if is_json else _read_csv(path, log):
        if not isinstance(row, dict):
            log.problem(n_line, f"a JSON {type(row).__name__}; expected an object with a text and regions")
            continue
        annotation = _annotation(row, n_line, options, log)
        if annotation:
            yield annotation


def _has_region_key(keys: set[str]) -> bool:
    """Whether the keys of a JSON object are those of a JSON_MIN row."""
    if {"data", "annotations", "completions"} & keys:
        return False
    regions = {key for key in keys if "." not in key for label in LABEL_KEYS if f"{key}.item.{label}" in keys}
    return _is_added(keys) or any(f"{key}.item.start" in keys for key in regions)


def _is_added(keys: set[str]) -> bool:
    return "annotation_id" in keys or {"annotator", "lead_time"} <= keys


def _delimiter(text: str) -> str:
    """Return the most frequent separator in the first line; a TSV may be named .csv."""
    first_line = text.split("\n", 1)[0]
    return max(DELIMITERS, key=first_line.count)


def _read_csv(path: Path, log: FileLog) -> Iterator[tuple[int, dict[str, str]]]:
    """Yield (line where it starts, row by the header's names), streamed. Rows of another length are problems."""
    delimiter, n_good, bad = _delimiter(read_sample(path)[0]), 0, (0, "")
    csv.field_size_limit(MAX_CELL_CHARS)
    with path.open(encoding=find_encoding(path, log), newline="") as stream:
        rows = csv.reader(stream, delimiter=delimiter)
        header = _single_names(next(rows, []), log)
        n_end = rows.line_num
        for row in rows:
            n_line, n_end = n_end + 1, rows.line_num
            if bad[0]:
                log.problem(*bad)
                bad = 0, ""
            if len(row) == len(header):
                n_good += 1
                log.n_documents += 1
                yield n_line, dict(zip(header, row, strict=True))
            elif row:
                log.n_documents += 1
                bad = n_line, f"row has {len(row)} columns, the header {len(header)}; {n_good} good rows before it"
    # An unpaired quote swallows all lines up to the end; or the file is truncated.
    n_lines = n_end - bad[0] + 1
    if bad[0] and (n_lines > 1 or not ends_with_line_end(path)):
        log.unread(*bad, n_read=n_good, read=bad[0], left=n_lines if n_lines > 1 else 0)
    elif bad[0]:
        log.problem(*bad)
    if not n_good:
        raise DomainNerError(f"{path} has no complete row after its header.", "Export it again, or remove the file.")


def _single_names(header: list[str], log: FileLog) -> list[str]:
    """Make the names of columns unique by adding numbers."""
    names: list[str] = []
    for n, name in enumerate(header, start=1):
        names.append(f"{name} (column {n})" if name in names else name)
        if names[-1] != name:
            log.note("duplicate column names in the header", case=names[-1])
    return names


def _annotation(row: Mapping[str, Any], n_line: int, options: ReaderOptions, log: FileLog) -> Annotation | None:
    """Parse a row; None, with a problem in the log, if a cell with regions cannot be read."""
    regions: list[Region] = []
    data: dict[str, Any] = {}
    for name, cell in row.items():
        try:
            value = _parsed(cell)
            cell_regions = _regions(value, name)
        except ValueError as err:
            log.problem(n_line, f"column {name!r}: {err}; expected regions as a JSON list")
            return None
        regions += cell_regions
        if not cell_regions and _are_notes(value):
            log.note(f"answers under {name!r} are not read")
        elif not cell_regions and name not in ADDED:
            data[_data_key(name, row)] = value
    carried = unpack(data)
    return Annotation(
        line=n_line,
        document=carried.document if carried else _string(row.get("id")),
        data=without_carried(data, carried),
        regions=regions,
        answer=_answer(row, regions, options),
        annotator=_annotator(row),
        meta=carried.meta if carried else {},
    )


def _data_key(name: str, row: Mapping[str, Any]) -> str:
    """Return the key of the task's data: Label Studio renames a key that is also a labelling tag's name."""
    own = name.removeprefix(RENAMED)
    return own if own != name and own in row else name


def _answer(row: Mapping[str, Any], regions: list[Region], options: ReaderOptions) -> Answer:
    """Classify a row without regions: not annotated if it has no annotation id, else annotated without entities."""
    seen = row["annotation_id"] not in ("", None) if "annotation_id" in row else options.empty == "negative"
    return "accepted" if regions or seen else "not annotated"


def _parsed(cell: Any) -> Any:
    """Parse a cell to a list if it is regions, one region, or a dialogue. Raises ValueError for broken regions."""
    if region := _one_region(cell):
        return [region]
    if not isinstance(cell, str) or not OBJECTS.match(cell):
        return cell
    try:
        value = _parse(cell)
    except ValueError:
        if REGIONS.match(cell):
            raise
        return cell
    return value if _are_objects(value) and (is_dialogue(value) or REGIONS.match(cell)) else cell


def _one_region(cell: Any) -> dict[str, Any] | None:
    """Return the region in a cell with a single one; None for anything else (a text may look like one)."""
    try:
        value = _parse(cell) if isinstance(cell, str) and ONE_REGION.match(cell) else cell
    except ValueError:
        return None
    return value if isinstance(value, dict) and _are_labelled([value]) and region_of_value(value) else None


def _regions(value: Any, name: str) -> list[Region]:
    """Return the regions of a cell. Raises ValueError if some of its entries are not regions."""
    if not isinstance(value, list) or not (_are_labelled(value) or _are_bare(value)):
        return []
    parsed = [region_of_value(item, name) if isinstance(item, dict) else None for item in value]
    regions = [region for region in parsed if region]
    if regions and len(regions) < len(parsed):
        raise ValueError(f"{len(parsed) - len(regions)} of {len(parsed)} entries are not labelled spans")
    return regions


def _are_objects(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and all(isinstance(item, dict) for item in value)


def _are_labelled(value: list[Any]) -> bool:
    return any(isinstance(item, dict) and not item.keys().isdisjoint(LABEL_KEYS) for item in value)


def _are_bare(value: list[Any]) -> bool:
    """Whether these are regions without their labels; paragraphs of a dialogue may have times as offsets."""
    return _are_objects(value) and all(
        isinstance(text := item.get("text"), str)
        and isinstance(start := item.get("start"), int)
        and isinstance(end := item.get("end"), int)
        and end - start == len(text)
        for item in value
    )


def _are_notes(value: Any) -> bool:
    return _are_objects(value) and all(is_note(item) for item in value)


def _parse(cell: str) -> Any:
    """Parse a cell as JSON, or as the Python literal that pandas makes of it."""
    try:
        loaded = load(cell)
    except JsonError as err:
        try:
            return load_literal(cell)
        except ValueError:
            raise ValueError(err.message) from err
    if loaded.fault:
        raise ValueError(loaded.fault)
    return loaded.value


def _annotator(row: Mapping[str, Any]) -> str:
    by = row.get("annotator", row.get("completed_by"))
    return _string(by.get("email") or by.get("id")) if isinstance(by, dict) else _string(by)


def _string(value: Any) -> str:
    return "" if value is None else str(value)
