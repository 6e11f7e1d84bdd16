"""Collections of BioC made by its library, and what the reader finds in them."""

import bioc

from domain_ner.annotations.records import FileLog, ReaderOptions, Sample
from domain_ner.conversion.offsets import locate
from domain_ner.readers.standoff import bioc as reader
from domain_ner.readers.text_files.decoding import read_sample

TITLE, BODY = "😀 Anna left.", "Left and right ventricles of Bob."


def annotation(start, words, label="PER", *, name="T1", parts=(), **infons):
    found = bioc.BioCAnnotation()
    found.id, found.text, found.infons = name, words, {"type": label, **infons}
    for offset, length in parts or [(start, len(words))]:
        found.add_location(bioc.BioCLocation(offset, length))
    return found


def passage(offset, text, *annotations, sentences=(), **infons):
    found = bioc.BioCPassage()
    found.offset, found.infons = offset, infons
    if text is not None:
        found.text = text
    for one in annotations:
        found.add_annotation(one)
    for one in sentences:
        found.add_sentence(one)
    return found


def sentence(offset, text, *annotations):
    found = bioc.BioCSentence()
    found.offset, found.text = offset, text
    for one in annotations:
        found.add_annotation(one)
    return found


def collection(*documents):
    found = bioc.BioCCollection()
    found.source = found.date = found.key = "x"
    for n, passages in enumerate(documents, start=1):
        document = bioc.BioCDocument()
        document.id, document.infons = f"doc{n}", {"journal": "J"}
        for one in passages:
            document.add_passage(one)
        found.add_document(document)
    return found


def read(path, **options):
    log = FileLog(path.name)
    return list(reader.read(path, ReaderOptions(**options), log)), log


def recognises(path):
    text, whole = read_sample(path)
    return reader.recognises(Sample(path, text, whole))


def found(record):
    located = zip(record.spans, locate(record, None), strict=True)
    return [(record.text[at.start : at.end] if at.start is not None else None, span.label) for span, at in located]
