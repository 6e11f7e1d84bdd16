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
    """Whether XML is XMI, JSON a CAS, or a zip holds any of them."""
    if sample.path.suffix.lower() == ".zip":
        return is_cas_archive(sample.path)
    return is_cas(sample.text)


def read(path: Path, options: ReaderOptions, log: FileLog) -> Iterator[Record]:
    """Yield a record for each document and annotator. All are looked at before the layer is chosen, the same for all.

    options.field: the layer with the entities, or Layer|feature; empty: NamedEntity, else the one custom layer.
    Raises DomainNerError where several layers may hold the entities and `options.field` names none.
    """
    library("cassis")  # an error of the whole file where it is missing, not of each document
    texts: DiskList[CasText] = DiskList()
    for file in cas_files(path, log):
        log.n_documents += 1
        inside = file.name.removeprefix(log.file).lstrip("/")
        try:
            found = load_texts(file, options.field)
        except (CasError, DomainNerError) as err:
            told = err.message if isinstance(err, DomainNerError) else str(err)
            log.problem(0, f"{inside}: {told}" if inside else told)
            continue
        for text in found:
            texts.append(text)
    columns = dict.fromkeys(column for text in texts for column in text.columns)
    column = choose_column(list(columns), options, log) if len(texts) else None
    by_type = column is not None and column.feature.lower() not in VALUE_NAMES and "|" not in options.field
    for text in texts:
        spans = tuple(span for one in text.spans if column for span in _spans(one, column, by_type=by_type))
        untouched = text.annotator == UNTOUCHED
        yield Record(
            text=text.text,
            spans=spans,
            file=text.name,
            document=text.document,
            answer="not annotated" if untouched else answer(options, is_empty=not spans),
            annotator=text.annotator,
        )


def _spans(one: CasSpan, column: Column, *, by_type: bool) -> Iterator[SourceSpan]:
    """The spans of an annotation: one for each value of its feature.

    by_type: no feature says what it is, so that the name of its type does, where that is below the layer.
    """
    if one.layer != column.layer:
        return
    own = one.type if one.type != column.short_layer else None
    value = one.values.get(column.feature)
    labels = [label for label in (value if isinstance(value, list) else [value]) if label]
    if not labels or (by_type and own):
        labels = [column.name_as_label or own]
    for label in labels:
        yield SourceSpan(one.start, one.end, label, fault=one.fault)
