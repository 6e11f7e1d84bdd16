"""Files of columns, and the entities read from them."""

from domain_ner.annotations.records import FileLog, ReaderOptions, Sample
from domain_ner.readers.columns import conll
from domain_ner.readers.text_files.decoding import read_sample


def write_file(folder, text, name="file.conll"):
    path = folder / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode("utf-8"))
    return path


def read(path, **options):
    log = FileLog(path.name)
    return list(conll.read(path, ReaderOptions(**options), log)), log


def entities(records):
    return [(record.text[span.start : span.end], span.label) for record in records for span in record.spans]


def recognised(path):
    text, whole = read_sample(path)
    return conll.recognises(Sample(path, text, whole))


PLAIN = "Anna B-PER\nSmith I-PER\nsings O\n\nOslo B-LOC\n. O\n"
