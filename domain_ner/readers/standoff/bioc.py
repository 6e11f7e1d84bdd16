"""Reads BioC, as XML and as JSON (https://bioc.sourceforge.net), with the library `bioc`, one document at a time.

A passage is a text. Offsets count from the beginning of the document, in characters or bytes; the words of the
annotations show which.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from reprlib import repr as short
from typing import Any

from domain_ner.annotations.records import FileLog, ReaderOptions, Record, Sample, SourceSpan, as_offset
from domain_ner.errors import DomainNerError
from domain_ner.readers.json_files.json_rows import first_values, json_rows, list_at
from domain_ner.readers.standoff.parts import Mention, answer, mention_spans
from domain_ner.readers.text_files.decoding import read_sample
from domain_ner.readers.text_files.libraries import library
from domain_ner.readers.text_files.xml_text import XmlError, find_root, read_elements

NAME = "bioc"
TITLE = "BioC (XML or JSON)"
EXTENSIONS = (".xml", ".json", ".jsonl")
COLLECTION, DOCUMENT, PASSAGE = "collection", "document", "passage"
# Keys of objects that enclose the documents; the second is from PubTator 3.
AROUND = ("documents", "PubTator3")
TYPE, ANNOTATOR = "type", "annotator"
# Limit for the gap between sentences of a passage without its own text; a larger gap is a damaged offset.
MAX_GAP = 10_000
PARTS = ("passages", "sentences", "annotations")


def recognises(sample: Sample) -> bool:
    """Whether the root is a collection with a document, or JSON has documents with passages."""
    root = find_root(sample.text)
    if root:
        return root.name == COLLECTION and (f"<{DOCUMENT}>" in root.rest or f"<{DOCUMENT} " in root.rest)
    if not sample.text.lstrip().startswith(("{", "[")):
        return False
    first = next(iter(first_values(sample.text)), None)
    first = first[0] if isinstance(first, list) and first else first
    if not isinstance(first, dict):
        return False
    inside = [document for key in AROUND for document in list_at(first, key)[:1]]
    return any(_is_document(document) for document in (first, *inside))


def read(path: Path, options: ReaderOptions, log: FileLog) -> Iterator[Record]:
    """Yield a record for each passage, and for each annotator that the annotations of its document name.

    options.field: the infon with the type of an annotation; empty: `type`.
    Raises DomainNerError if nothing of the file can be read.
    """
    is_xml = find_root(read_sample(path)[0]) is not None
    n_relations = 0
    for document in _xml_documents(path, log) if is_xml else _json_documents(path, log):
        try:
            n_relations += _n_relations(document.content)
            records = list(_records(document, options, log))
        except (ValueError, TypeError) as err:
            log.problem(document.line, f"cannot combine its texts and annotations ({_describe(err)})")
        else:
            yield from records
    if n_relations:
        log.note(f"not read: {n_relations} relations")


@dataclass(frozen=True)
class _Document:
    """A BioCDocument. line: where it starts. lines: where its passages start."""

    content: Any
    line: int
    lines: tuple[int, ...]


def _xml_documents(path: Path, log: FileLog) -> Iterator[_Document]:
    biocxml, etree = library("bioc.biocxml"), library("lxml.etree")
    n_good = n_chars = 0
    try:
        for element in read_elements(path, DOCUMENT, log):
            log.n_documents += 1
            line = element.sourceline or 0
            plain = etree.tostring(element, encoding="unicode", with_tail=False)
            n_chars += len(plain)
            try:
                (document,) = biocxml.loads(f"<{COLLECTION}>{plain}</{COLLECTION}>").documents
            except Exception as err:  # a non-number, a missing key: of any class
                log.problem(line, f"not a BioC document ({_describe(err)})")
                continue
            n_good += 1
            yield _Document(document, line, tuple(passage.sourceline or line for passage in element.findall(PASSAGE)))
    except XmlError as err:
        log.n_documents += 1
        reason = "XML ends early" if err.is_cut else f"invalid XML ({err})"
        left = 0 if err.is_cut else max(0, err.n_chars - n_chars)
        message = f"{reason}; {n_good} good document{'' if n_good == 1 else 's'} before it"
        log.unread(err.line, message, n_read=n_good, read=n_chars, left=left)
    if not log.n_documents:
        raise DomainNerError(f"{path} has no BioC documents.", "Export it again, or remove the file.")


def _json_documents(path: Path, log: FileLog) -> Iterator[_Document]:
    biocjson = library("bioc.biocjson")
    for where, row in json_rows(path, log, AROUND):
        inside = next((list_at(row, key) for key in AROUND if list_at(row, key)), [row])
        log.n_documents += len(inside) - 1
        for document_row in inside:
            try:
                document = biocjson.fromJSON(_completed(_as_document(document_row)), "BioCDocument")
            except Exception as err:  # a value of a class that the library does not expect
                log.problem(where, f"not a BioC document ({_describe(err)})")
            else:
                yield _Document(document, where, (where,) * len(document.passages))


def _as_document(row: Any) -> Any:
    """Wrap a passage or a sentence, which the library can write too, in a document."""
    kind = row.get("bioctype") if isinstance(row, Mapping) else None
    if kind == "BioCSentence":
        row, kind = {"offset": row.get("offset"), "sentences": [row]}, "BioCPassage"
    return {"passages": [row]} if kind == "BioCPassage" else row


def _completed(part: Any) -> dict[str, Any]:
    """Add the keys that the library needs and other tools omit; of relations it keeps only their number."""
    if not isinstance(part, Mapping):
        raise ValueError(f"{short(part)}; expected an object")
    whole = {"id": "", "offset": 0, "text": None, "locations": []} | dict(part)
    whole["infons"] = part.get("infons") or {}
    if not isinstance(whole["infons"], Mapping):
        raise ValueError(f"infons are {short(whole['infons'])}; expected an object")
    if not isinstance(whole["text"], str | None):
        raise ValueError(f"text is {short(whole['text'])}; expected a string")
    whole["offset"] = as_offset(whole["offset"])
    whole["locations"] = [{key: as_offset(item[key]) for key in ("offset", "length")} for item in whole["locations"]]
    whole["relations"] = [{"id": "", "infons": {}, "nodes": []} for _ in part.get("relations") or []]
    for key in PARTS:
        whole[key] = [_completed(item) for item in part.get(key) or []]
    return whole


def _records(document: _Document, options: ReaderOptions, log: FileLog) -> Iterator[Record]:
    content = document.content
    homes = _homes(content)
    annotations = [annotation for inside in homes for annotation in inside]
    named = list(dict.fromkeys(filter(None, map(_annotator, annotations))))
    # If one annotator is named, anonymous annotations are theirs; if several are, the annotator is unknown.
    everyone = [*named, ""] if len(named) > 1 and not all(map(_annotator, annotations)) else named or [""]
    for passage, line, inside in zip(content.passages, document.lines, homes, strict=True):
        text = _text(passage)
        for who in everyone:
            of_them = [annotation for annotation in inside if len(everyone) == 1 or _annotator(annotation) == who]
            yield Record(
                text=text,
                spans=tuple(
                    span for annotation in of_them for span in _spans(annotation, passage.offset, text, options)
                ),
                file=log.file,
                line=line,
                document="" if content.id is None else str(content.id),
                answer=answer(options, is_empty=not annotations),
                annotator=who,
                meta={key: value for key, value in (content.infons | passage.infons).items() if value},
                unit=None,
            )


def _n_relations(document: Any) -> int:
    return len(document.relations) + sum(len(passage.relations) for passage in document.passages)


def _homes(document: Any) -> list[list[Any]]:
    """Assign annotations to passages: their own, their sentences', and the document's that begin in them."""
    homes = [
        [*passage.annotations, *(annotation for sentence in passage.sentences for annotation in sentence.annotations)]
        for passage in document.passages
    ]
    if document.annotations and not homes:
        raise ValueError(f"{len(document.annotations)} annotations and no passage")
    for annotation in document.annotations:
        start = min((location.offset for location in annotation.locations), default=0)
        before = [n for n, passage in enumerate(document.passages) if passage.offset <= start]
        homes[max(before, key=lambda n: document.passages[n].offset, default=0)].append(annotation)
    return homes


def _text(passage: Any) -> str:
    """Return the text of a passage; if it has none, that of its sentences, each at its offset."""
    if passage.text or not passage.sentences:
        return passage.text or ""
    text = ""
    for sentence in passage.sentences:
        gap = sentence.offset - passage.offset - len(text)
        if not 0 <= gap <= MAX_GAP:
            raise ValueError(
                f"a sentence at {sentence.offset} where the passage at {passage.offset} has {len(text)} characters"
            )
        text += " " * gap + (sentence.text or "")
    return text


def _spans(annotation: Any, offset: int, text: str, options: ReaderOptions) -> Iterator[SourceSpan]:
    """Yield the spans of an annotation. offset: of the text in the document."""
    key = options.field or TYPE
    label, said, name = annotation.infons.get(key), annotation.text, str(annotation.id or "?")
    parts = [(location.offset, location.length) for location in annotation.locations]
    fault = ""
    if not parts:
        fault = f"annotation {name} has no location"
    elif not all(isinstance(value, int) for part in parts for value in part):
        fault = f"annotation {name} is at {short(parts)}: expected whole numbers"
    elif key not in annotation.infons:
        known = ", ".join(annotation.infons) or "none"
        fault = (
            f"annotation {name} has no infon {key!r} (it has {known}): name that of the type in vars.reading (field=…)"
        )
    if fault:
        yield SourceSpan(None, None, label, text=said, fault=fault)
        return
    fragments = tuple((start - offset, start - offset + length) for start, length in parts)
    yield from mention_spans(Mention(name, label, fragments, said, f"offset {parts[0][0]}"), text, options)


def _annotator(annotation: Any) -> str:
    return str(annotation.infons.get(ANNOTATOR) or "")


def _is_document(row: Any) -> bool:
    if not isinstance(row, Mapping):
        return False
    if row.get("bioctype") in ("BioCDocument", "BioCPassage", "BioCSentence", "BioCCollection"):
        return True
    return any(isinstance(passage, Mapping) and "offset" in passage for passage in list_at(row, "passages")[:1])


def _describe(err: Exception) -> str:
    return f"{type(err).__name__}: {err}"
