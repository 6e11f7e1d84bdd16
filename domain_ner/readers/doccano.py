"""Reads doccano's exports: JSONL of every version, and zips with one file per annotator (https://doccano.github.io)."""

import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from operator import itemgetter
from pathlib import Path, PurePosixPath
from typing import Any, cast

from domain_ner.annotations.records import FileLog, ReaderOptions, Record, Sample, SourceSpan, as_offset
from domain_ner.annotations.round_trip import unpack, with_carried
from domain_ner.errors import DomainNerError
from domain_ner.files.archives import BROKEN_ZIP, Member, duplicate_names, require_size
from domain_ner.readers.json_files.jsonl import Row, RowError, passage_text, read_rows, sample_rows
from domain_ner.readers.text_files.decoding import read_sample

NAME = "doccano"
TITLE = "doccano JSONL, or its zip"
EXTENSIONS = (".jsonl", ".json", ".zip")

TEXT_KEYS = ("text", "data")
SPAN_KEYS = ("entities", "label", "labels", "annotations")
ID_KEYS = ("id", "doc_id")
META_KEYS = ("meta", "metadata")
NO_META = {*ID_KEYS, *META_KEYS, "relations", "username"}
MARKS = {"Comments", "comments", "annotation_approver", "relations", "doc_id", "username", "cats"}
# From Label Studio's JSON_MIN, which has `text` and `label` too.
NOT_OURS = {"annotation_id", "annotator", "lead_time"}
ALL_MEMBERS = "all"
ROW_SUFFIXES = {".jsonl", ".json"}
# Limit for a zip: a million rows of a kilobyte.
MAX_UNPACKED_BYTES = 1 << 30


def recognises(sample: Sample) -> bool:
    """Whether a file, or the first file with rows in a zip, has doccano's rows."""
    if sample.path.suffix.lower() == ".zip":
        return _recognises_archive(sample.path)
    rows = sample_rows(sample)
    return any(_has_spans(row) for row in rows) or (bool(rows) and all(_is_empty(row) for row in rows))


def read(path: Path, options: ReaderOptions, log: FileLog) -> Iterator[Record]:
    """Yield a record for each row; a row of several annotators makes one for each.

    Raises DomainNerError for a file or zip without rows.
    """
    if path.suffix.lower() == ".zip":
        yield from _read_archive(path, options, log)
    else:
        yield from _read_file(path, _Reading(options, log))


@dataclass
class _Reading:
    """How to read a file, and what to report at its end.

    annotator: of rows that name none.
    """

    options: ReaderOptions
    log: FileLog
    annotator: str = ""
    unnamed: set[int] = field(default_factory=set)

    def name(self, label: Any) -> Any:
        """Look up a label's name. An id without a name stays a number, so that the label check reports it."""
        if not isinstance(label, int) or isinstance(label, bool):
            return label
        if 0 <= label < len(self.options.label_names):
            return self.options.label_names[label]
        self.unnamed.add(label)
        return str(label)

    def report(self) -> None:
        """Note what the whole file showed."""
        if self.unnamed:
            ids = ", ".join(str(number) for number in sorted(self.unnamed))
            self.log.note(f"labels are ids {ids}: give their names, by number, in vars.reading (label_names=…)")


def _read_file(path: Path, reading: _Reading) -> Iterator[Record]:
    for line, row in read_rows(path, reading.log):
        try:
            records = _records(row, line, reading)
        except RowError as err:
            reading.log.problem(line, str(err))
        else:
            yield from records
    reading.report()


def _records(row: Row, line: int, reading: _Reading) -> list[Record]:
    text_key = next((key for key in TEXT_KEYS if isinstance(row.get(key), str)), "text")
    text = passage_text(row.get(text_key))
    items = _items(row)
    meta = _meta({key: value for key, value in row.items() if key != text_key and value is not items})
    carried = unpack(meta)
    meta = with_carried(meta, carried)
    document = next((str(row[key]) for key in ID_KEYS if row.get(key) is not None), "")
    owner = str(row.get("username") or reading.annotator or (carried.annotator if carried else ""))
    by_annotator: dict[str, list[SourceSpan]] = {} if items else {owner: []}
    for item in items:
        by_annotator.setdefault(_annotator(item) or owner, []).append(_span(item, text, reading))
    if row.get("relations"):
        reading.log.note("relations are not read")
    return [
        Record(
            text,
            tuple(spans),
            file=reading.log.file,
            line=line,
            document=carried.document if carried else document,
            answer="accepted" if spans or reading.options.empty == "negative" else "not annotated",
            annotator=who,
            meta=meta,
            unit=None,
        )
        for who, spans in by_annotator.items()
    ]


def _items(row: Row) -> list[Any]:
    """Find a row's annotations, under the key of its doccano version; metadata may have the same key."""
    lists = {key: row[key] for key in SPAN_KEYS if isinstance(row.get(key), list)}
    spans = next((items for items in lists.values() if any(_is_span(item) for item in items)), None)
    if spans is None and not lists:
        key_used = next((key for key in SPAN_KEYS if row.get(key) is not None), "")
        what = f"{key_used} is a {type(row[key_used]).__name__}" if key_used else "no annotations"
        raise RowError(f"{what}; expected a list under one of {', '.join(SPAN_KEYS)}")
    return spans if spans is not None else next(iter(lists.values()))


def _is_span(item: Any) -> bool:
    return _is_triple(item) or (isinstance(item, dict) and {"start_offset", "end_offset"} <= item.keys())


def _is_triple(item: Any) -> bool:
    """Whether an item is [start, end, label], with or without the words of the span."""
    is_list = isinstance(item, list) and len(item) in (3, 4)
    return is_list and all(isinstance(as_offset(offset), int) for offset in item[:2])


def _span(item: Any, text: str, reading: _Reading) -> SourceSpan:
    if isinstance(item, list) and len(item) in (3, 4):
        words = item[3] if len(item) > 3 and isinstance(item[3], str) and item[3] in text else None
        return SourceSpan(item[0], item[1], reading.name(item[2]), text=words)
    if isinstance(item, dict):
        return SourceSpan(item.get("start_offset"), item.get("end_offset"), reading.name(item.get("label")))
    fault = f"it is {item!r}: expected [start, end, label], or an object with start_offset, end_offset and label"
    return SourceSpan(None, None, None, fault=fault)


def _annotator(item: Any) -> str:
    who = item.get("user", item.get("username")) if isinstance(item, dict) else None
    return "" if who is None else str(who)


def _meta(row: Row) -> dict[str, Any]:
    """Collect metadata: doccano spreads that of an imported row over its top level; older versions nest it."""
    meta = {key: value for key, value in row.items() if key not in NO_META and value not in (None, [], "")}
    for key in META_KEYS:
        value = row.get(key)
        meta |= value if isinstance(value, dict) else {key: value} if value else {}
    return meta


def _has_spans(row: Row) -> bool:
    if not any(isinstance(row.get(key), str) for key in TEXT_KEYS) or row.keys() & NOT_OURS:
        return False
    for key in SPAN_KEYS:
        items = row.get(key)
        if isinstance(items, list) and items and all(_is_span(item) for item in items):
            # spaCy's texts with `entities` of triples look the same.
            return key != "entities" or isinstance(items[0], dict) or bool(row.keys() & MARKS)
    return False


def _is_empty(row: Row) -> bool:
    has_text = any(isinstance(row.get(key), str) for key in TEXT_KEYS)
    empty = any(row.get(key) == [] for key in SPAN_KEYS)
    return has_text and empty and not row.keys() & NOT_OURS and bool(row.keys() & {"id", *MARKS})


def _recognises_archive(path: Path) -> bool:
    """Whether the first readable file of a zip has doccano's rows. Raises DomainNerError if none is readable."""
    damaged = ""
    with _opened(path) as archive:
        for member in _members(archive):
            try:
                if member.file_size:
                    text, whole = read_sample(_inside(archive, member))
                    return recognises(Sample(_inside(archive, member), text, whole))
            except DomainNerError:
                continue  # not text
            except (OSError, *BROKEN_ZIP) as err:
                damaged = damaged or str(err)
    if damaged:
        raise DomainNerError(f"{path} is damaged or encrypted: {damaged}.", "Download the export again.")
    return False


@contextmanager
def _opened(path: Path) -> Iterator[zipfile.ZipFile]:
    """Open a zip. Raises DomainNerError if it is not one, or unpacks to more than the limit."""
    try:
        archive = zipfile.ZipFile(path)
    except (ValueError, *BROKEN_ZIP) as err:
        raise DomainNerError(f"{path} is not a readable zip: {err}.", "Download the export again.") from err
    with archive:
        require_size(archive.infolist(), path, MAX_UNPACKED_BYTES)
        yield archive


def _read_archive(path: Path, options: ReaderOptions, log: FileLog) -> Iterator[Record]:
    """Read the rows of all files; a damaged file does not affect the others, which serve to estimate its loss."""
    with _opened(path) as archive:
        members = _members(archive)
        if not members:
            raise DomainNerError(
                f"{path} has no .jsonl file; expected all.jsonl or one <annotator>.jsonl each.",
                "Export again, or remove the file.",
            )
        for name in duplicate_names(members):
            log.note("two files in the zip have the same name; both are read", case=name)
        damaged: dict[zipfile.ZipInfo, str] = {}
        for member in members:
            try:
                yield from _read_member(archive, member, options, log)
            except (OSError, *BROKEN_ZIP) as err:
                damaged[member] = str(err)
        read = sum(member.file_size for member in members if member not in damaged)
        n_read = log.n_documents
        for member, why in damaged.items():
            message = f"{member.filename} is damaged or encrypted ({why}): not read"
            log.unread(0, message, n_read=n_read, read=read, left=member.file_size)


def _read_member(
    archive: zipfile.ZipFile, member: zipfile.ZipInfo, options: ReaderOptions, log: FileLog
) -> Iterator[Record]:
    """Read the rows of one file, `all` or an annotator's; an undecodable file does not affect the others."""
    if not member.file_size:
        log.note("an empty file in the zip: no text was exported for that annotator", case=member.filename)
        return
    own = FileLog(f"{log.file}/{member.filename}")
    name = PurePosixPath(member.filename).stem
    reading = _Reading(options, own, annotator="" if name == ALL_MEMBERS else name)
    try:
        yield from _read_file(_inside(archive, member), reading)
    except DomainNerError as err:
        own.problem(0, f"cannot be read: {err.message}")
    log.take(own, member.filename)


def _members(archive: zipfile.ZipFile) -> list[zipfile.ZipInfo]:
    """List the files with rows, sorted by name."""
    paths = [(PurePosixPath(member.filename), member) for member in archive.infolist() if not member.is_dir()]
    return [
        member
        for path, member in sorted(paths, key=itemgetter(0))
        if path.suffix.lower() in ROW_SUFFIXES and not path.name.startswith(".") and "__MACOSX" not in path.parts
    ]


def _inside(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> Path:
    return cast("Path", Member(archive, member))  # has the methods that decoding needs
