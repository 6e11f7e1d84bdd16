"""Makes records of Label Studio's annotations: one for each text of a task, with the regions on it."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from domain_ner.annotations.records import ACCEPTED, Answer, FileLog, Record, SourceSpan
from domain_ner.readers.label_studio.regions import Region, spans_of
from domain_ner.readers.label_studio.survey import ChosenTexts
from domain_ner.readers.label_studio.texts import SAID, Text, texts_of, without
from domain_ner.readers.text_files.html_text import looks_like_html


@dataclass(frozen=True)
class Annotation:
    """One annotator's regions on one task. Fields with names as in Record have the same meaning."""

    line: int
    document: str
    data: Mapping[str, Any]
    regions: Sequence[Region]
    answer: Answer = "accepted"
    annotator: str = ""
    meta: Mapping[str, Any] = field(default_factory=dict)


def make_records(annotation: Annotation, chosen: ChosenTexts, log: FileLog) -> list[Record]:
    """Make the records of an annotation. If somebody accepted it, every text makes one, because unmarked text is then
    known to have no entity; else only texts with regions, or one. A task without text is a problem in the log.
    """
    texts = texts_of(annotation.data)
    here = [name for name in chosen.names if name in texts]
    if not here:
        log.problem(annotation.line, _no_text(annotation, chosen))
        return []
    keys = [name.removesuffix(f".{SAID}") for name in chosen.names]
    if [key.lower() for key in keys] != [SAID]:
        listed = " and ".join(map(repr, keys))
        log.note(f"the text{'s are' if len(keys) > 1 else ' is'} under {listed}")
    by_text: dict[str, list[Region]] = {name: [] for name in here}
    strays: list[SourceSpan] = []
    for region in annotation.regions:
        name = chosen.of_name[region.name]
        if name in by_text:
            by_text[name].append(region)
        elif name is None:
            log.note(f"regions of {region.name!r} are not read: vars.reading wants another text (field=…)")
        else:
            strays += _strays(region, name)
    if annotation.answer != ACCEPTED:
        by_text = {name: regions_on for name, regions_on in by_text.items() if regions_on} or {here[0]: []}
    meta = {**without(annotation.data, chosen.names), **annotation.meta}
    displayed = {name: _as_shown(texts[name], name, regions_on, chosen, log) for name, regions_on in by_text.items()}
    records = [
        _record(replace(annotation, meta=meta, regions=by_text[name]), text, log) for name, text in displayed.items()
    ]
    return _with_strays(records, strays)


def _no_text(annotation: Annotation, chosen: ChosenTexts) -> str:
    held = ", ".join(map(str, annotation.data)) or "nothing"
    wanted = f"a text under {' or '.join(chosen.names)}" if chosen.names else "a key with the text"
    hint = " (in JSON_MIN regions take the place of a text whose key is the name of their tag: export JSON)"
    lost = hint if annotation.regions and not chosen.names else ""
    return f"no text in the task (its data holds {held}); expected {wanted}{lost}"


def _record(annotation: Annotation, text: Text, log: FileLog) -> Record:
    """Make the record of a text with all regions of the annotation on it."""
    spans = tuple(spans_of(annotation.regions, text.text, text.starts))
    lost = bool(spans) and all(span.fault for span in spans)
    return Record(
        text=text.text,
        spans=spans,
        file=log.file,
        line=annotation.line,
        document=annotation.document,
        answer=annotation.answer,
        annotator=annotation.annotator,
        meta=annotation.meta,
        # If every region is lost, the text outside is not known to have no entity.
        unknown=((0, len(text.text)),) if lost else (),
        unit=None if text.as_units else "codepoint",
    )


def _as_shown(text: Text, name: str, regions: Sequence[Region], chosen: ChosenTexts, log: FileLog) -> Text:
    """Return a text as the annotator saw it."""
    if text.starts is not None:
        log.note("dialogues: paragraphs joined by line ends")
        return text
    if name not in chosen.html and (name in chosen.plain or not looks_like_html(text.text)):
        return text
    displayed = text.displayed_text(regions)
    if displayed != text.text:
        log.note("HTML: the text consists of its text nodes, a line end for <br>, as globalOffsets count it")
    return Text(displayed)


def _strays(region: Region, name: str) -> Iterator[SourceSpan]:
    """Yield the spans of regions whose text is not in their task."""
    fault = f"it lies on {name!r}, which the task does not hold"
    for label in region.labels:
        yield SourceSpan(region.value.get("start"), region.value.get("end"), label, region.words, fault=fault)


def _with_strays(records: list[Record], strays: Sequence[SourceSpan]) -> list[Record]:
    if not strays:
        return records
    first, *others = records
    whole = ((0, len(first.text)),) if not first.spans else first.unknown
    return [replace(first, spans=(*first.spans, *strays), unknown=whole), *others]
