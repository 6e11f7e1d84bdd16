"""Reads UIMA CAS, as XMI with its type system and as JSON 0.4, also in the zips that INCEpTION and WebAnno export.

https://uima.apache.org/d/uimaj-current/references.html#ugr.ref.xmi, https://github.com/apache/uima-uimaj-io-jsoncas.
The layer with the entities is chosen as for WebAnno TSV.
"""

from collections.abc import Iterator
from pathlib import Path

from domain_ner.annotations.records import FileLog, ReaderOptions, Record, Sample, SourceSpan
from domain_ner.errors import DomainNerError
from domain_ner.files import DiskList
from domain_ner.readers.standoff.parts import answer
from domain_ner.readers.text_files.libraries import library
from domain_ner.readers.webanno.cas_content import CasError, CasSpan, CasText, load_texts
from domain_ner.readers.webanno.cas_files import cas_files, is_cas, is_cas_archive
from domain_ner.readers.webanno.layers import VALUE_NAMES, Column, choose_column
from domain_ner.readers.webanno.projects import UNTOUCHED

NAME = "cas"
TITLE = "UIMA CAS (XMI with its type system, JSON, or INCEpTION's zip)"
EXTENSIONS = (".xmi", ".xml", ".json", ".zip")


def recognises(sample: Sample) -> bool:
    """Whether XML is XMI, JSON is a CAS, or a zip contains any of them."""
    if sample.path.suffix.lower() == ".zip":
        return is_cas_archive(sample.path)
    return is_cas(sample.text)


def read(path: Path, options: ReaderOptions, log: FileLog) -> Iterator[Record]:
    """Yield a record for each document and annotator. One layer is chosen for all of them, after a first pass.

    options.field: the layer with the entities, or Layer|feature; empty: NamedEntity, else the only custom layer.
    Raises DomainNerError if several layers may have the entities and `options.field` names none.
    """
    library("cassis")  # if it is missing, that is one error for the file, not one for each document
    texts: DiskList[CasText] = DiskList()
    for file in cas_files(path, log):
        log.n_documents += 1
        inside = file.name.removeprefix(log.file).lstrip("/")
        try:
            loaded = load_texts(file, options.field)
        except (CasError, DomainNerError) as err:
            message = err.message if isinstance(err, DomainNerError) else str(err)
            log.problem(0, f"{inside}: {message}" if inside else message)
            continue
        for text in loaded:
            texts.append(text)
    columns = dict.fromkeys(column for text in texts for column in text.columns)
    column = choose_column(list(columns), options, log) if len(texts) else None
    by_type = column is not None and column.feature.lower() not in VALUE_NAMES and "|" not in options.field
    for text in texts:
        spans = tuple(
            span for annotation in text.spans if column for span in _spans(annotation, column, by_type=by_type)
        )
        untouched = text.annotator == UNTOUCHED
        yield Record(
            text=text.text,
            spans=spans,
            file=text.name,
            document=text.document,
            answer="not annotated" if untouched else answer(options, is_empty=not spans),
            annotator=text.annotator,
        )


def _spans(span: CasSpan, column: Column, *, by_type: bool) -> Iterator[SourceSpan]:
    """Yield the spans of an annotation: one for each value of its feature.

    by_type: no feature has the label, so the name of its type is the label, if it is below the layer.
    """
    if span.layer != column.layer:
        return
    own = span.type if span.type != column.short_layer else None
    value = span.values.get(column.feature)
    labels = [label for label in (value if isinstance(value, list) else [value]) if label]
    if not labels or (by_type and own):
        labels = [column.name_as_label or own]
    for label in labels:
        yield SourceSpan(span.start, span.end, label, fault=span.fault)
