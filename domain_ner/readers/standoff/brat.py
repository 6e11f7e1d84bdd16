"""Reads brat standoff: an `.ann` file, or an `.a1`/`.a2` pair, and its `.txt` (https://brat.nlplab.org/standoff.html).

It reads entities; relations, events, attributes, normalisations and notes are only counted.
"""

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import lru_cache
from pathlib import Path

from domain_ner.annotations.records import FileLog, ReaderOptions, Record, Sample, SourceSpan
from domain_ner.annotations.round_trip import FILE, SIDECAR, Carried, unpack
from domain_ner.errors import DomainNerError
from domain_ner.readers.json_files.jsonl import read_rows
from domain_ner.readers.standoff.parts import Mention, mention_spans
from domain_ner.readers.text_files.decoding import read_lines, read_text

NAME = "brat"
TITLE = "brat standoff (.ann and .txt)"
EXTENSIONS = (".ann", ".a1", ".a2")
NUMBER = r"-?\d{1,15}"
ENTITY = re.compile(
    rf"(T\S*)\s++(\S+)\s++({NUMBER}\s++{NUMBER}(?:\s*+;\s*+{NUMBER}\s++{NUMBER})*)(?:\t(.*)|\s*)", re.DOTALL
)
ANNOTATION = re.compile(r"(?:[TREAMN]\S*\d\S*|#\S*|\*)[\t ]")
ENTITY_ID = re.compile(r"T[\w.-]*\d[\w.-]*[\t ]")
TRIGGER = re.compile(r"E\S*[\t ]\S+:(T\S+)")
KINDS = {
    "R": "relations", "E": "events", "A": "attributes", "M": "attributes", "N": "normalisations", "#": "notes",
    "*": "equivalences",
}  # fmt: skip
BOM = "\ufeff"


def recognises(sample: Sample) -> bool:
    """Whether an .ann, .a1 or .a2 file has standoff annotations, or is empty: a text without annotations."""
    if sample.path.suffix.lower() not in EXTENSIONS:
        return False
    first = next((line for line in sample.text.split("\n") if line.strip()), "")
    return not first or ANNOTATION.match(first) is not None


def read(path: Path, options: ReaderOptions, log: FileLog) -> Iterator[Record]:
    """Yield the one record of a text and its annotations.

    Raises DomainNerError when the `.txt` is missing.
    """
    log.n_documents += 1
    text = _text(path, log)
    entities, faulty = _read_annotations(path, log)
    text, shift = _as_counted(text, entities, log)
    if shift:
        entities = [
            replace(entity, fragments=tuple((a + shift, b + shift) for a, b in entity.fragments)) for entity in entities
        ]
    spans = [span for entity in entities for span in mention_spans(entity, text, options)]
    empty = not spans and not faulty
    carried = _carried(path, log)
    yield Record(
        text=text,
        spans=(*spans, *faulty),
        file=log.file,
        document=carried.document if carried else path.stem,
        annotator=carried.annotator if carried else "",
        meta=carried.meta if carried else {},
        answer="not annotated" if empty and options.empty == "skip" else "accepted",
    )


def _carried(path: Path, log: FileLog) -> Carried | None:
    """Read what domain-ner's own export says about the text."""
    beside = path.with_name(SIDECAR)
    if not beside.is_file():
        return None
    try:
        return _sidecar(beside, beside.stat().st_mtime_ns).get(path.stem)
    except DomainNerError as err:
        log.note(f"cannot read {SIDECAR} ({err.message}): its documents and meta are unknown")
        return None


@lru_cache(maxsize=1)  # all files of a folder need it
def _sidecar(path: Path, changed_ns: int) -> dict[str, Carried]:
    rows = (row for _, row in read_rows(path, FileLog(path.name)))
    return {str(row.get(FILE)): carried for row in rows if (carried := unpack(row))}


def _text(path: Path, log: FileLog) -> str:
    """Read the annotated text with its own line ends and byte-order mark, which brat counts."""
    text_file = next(
        (candidate for suffix in (".txt", ".TXT") if (candidate := path.with_suffix(suffix)).is_file()), None
    )
    if text_file is None:
        raise DomainNerError(
            f"{path.name} has no text: {path.stem}.txt is not beside it.",
            "Put both files of each pair into the folder.",
        )
    of_text = FileLog(text_file.name)
    text = read_text(text_file, of_text) if text_file.stat().st_size else ""
    for note in of_text.notes:
        log.note(f"the text beside it: {note}")
    with text_file.open("rb") as stream:
        marked = stream.read(3) == BOM.encode()
    return f"{BOM}{text.removeprefix(BOM)}" if marked else text


def _read_annotations(path: Path, log: FileLog) -> tuple[list[Mention], list[SourceSpan]]:
    """Return (entities, T lines that cannot be read)."""
    lines = [line for part in _parts(path) for line in _joined_lines(part, log)]
    entities: list[Mention] = []
    faulty: list[SourceSpan] = []
    others: Counter[str] = Counter()
    unknown: list[str] = []
    for where, line in lines:
        kind = ANNOTATION.match(line)
        if ENTITY_ID.match(line):
            entity = _entity(where, line)
            if entity:
                entities.append(entity)
            else:
                faulty.append(_unreadable(where, line))
        elif kind and kind[0][0] in KINDS:
            others[KINDS[kind[0][0]]] += 1
        else:
            unknown.append(where)
    if others:
        log.note("not read: " + ", ".join(f"{n} {kind}" for kind, n in others.items()))
    if unknown:
        log.note(f"{len(unknown)} lines are not annotations, the first is {unknown[0]}: not read")
    _note_triggers(entities, [line for _, line in lines], log)
    return entities, faulty


def _parts(path: Path) -> list[Path]:
    """List the files of a document's annotations: an .a1 has the given entities, its .a2 the rest."""
    second = path.with_suffix(".a2")
    parts = [path, second] if path.suffix == ".a1" and second.is_file() else [path]
    return [part for part in parts if part.stat().st_size]


def _joined_lines(path: Path, log: FileLog) -> Iterator[tuple[str, str]]:
    """Yield (position, line). A line that does not begin an annotation continues the words of the previous entity."""
    where, held = "", ""
    for n_line, line in read_lines(path, log):
        if held and not ANNOTATION.match(line) and _lacks_words(where, held):
            held = f"{held}\n{line}"
            continue
        if held:
            yield where, held
        where, held = f"{path.name}:{n_line}", line if line.strip() else ""
    if held:
        yield where, held


def _lacks_words(where: str, line: str) -> bool:
    entity = _entity(where, line)
    return entity is not None and bool(entity.said) and len(entity.said or "") < entity.n_chars


def _entity(where: str, line: str) -> Mention | None:
    match = ENTITY.fullmatch(line)
    if not match:
        return None
    parts = (part.split() for part in match[3].split(";"))
    fragments = tuple((int(start), int(end)) for start, end in parts)
    entity = Mention(match[1], match[2], fragments, match[4] or None, where)
    if entity.said and "\t" in entity.said and len(entity.said) > entity.n_chars:
        return replace(entity, said=entity.said.partition("\t")[0])
    return entity


def _unreadable(where: str, line: str) -> SourceSpan:
    fault = f"{where}: expected `T1<TAB>TYPE START END<TAB>words`, with a type of one word: {line!r}"
    cells = line.split("\t")
    label = cells[1].rstrip("0123456789 ;-") if len(cells) > 1 else ""
    return SourceSpan(None, None, label, text=cells[2] if len(cells) > 2 else line, fault=fault)


def _note_triggers(entities: Sequence[Mention], lines: Sequence[str], log: FileLog) -> None:
    triggers = {match[1] for line in lines if (match := TRIGGER.match(line))}
    n_triggers = sum(entity.name in triggers for entity in entities)
    if n_triggers:
        log.note(f"{n_triggers} of {len(entities)} annotations are triggers of events: read as entities nevertheless")


def _as_counted(text: str, entities: Sequence[Mention], log: FileLog) -> tuple[str, int]:
    """Return (text, what to add to each offset): with byte-order mark and line ends as the offsets count them.

    Editors and git may add a mark, or change line ends. The interpretation with which most entities have their words
    is used; on a tie the first, unchanged one.
    """
    plain = text.removeprefix(BOM)
    readings = [(plain, 0)]
    if text != plain:
        readings.append((plain, -1))
    if "\r\n" in plain:
        readings += [(plain.replace("\r\n", "\n"), shift) for _, shift in readings]
    whole = [entity for entity in entities if len(entity.fragments) == 1 and entity.said]
    best = max(readings, key=lambda reading: _n_agreeing(whole, *reading))
    if best[1]:
        log.note("offsets count the byte-order mark")
    if best[0] != plain:
        log.note(r"offsets count line ends as one character: \r\n read as \n")
    return best


def _n_agreeing(entities: Sequence[Mention], text: str, shift: int) -> int:
    return sum(
        text[entity.start + shift : entity.end + shift].split() == (entity.said or "").split() for entity in entities
    )
