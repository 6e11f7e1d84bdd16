"""Whatever tags are called and however few words an export has, spans are read on their own text, or convert asks."""

import pytest
import spans_of_texts
from spans_of_texts import make_case

from domain_ner.annotations.records import FileLog, ReaderOptions
from domain_ner.errors import DomainNerError
from domain_ner.readers.argilla import rows as argilla
from domain_ner.readers.label_studio import table as label_studio_table
from domain_ner.readers.label_studio import tasks as label_studio

WRITERS = {
    "json": (spans_of_texts.write_json, label_studio),
    "json_min": (spans_of_texts.write_min, label_studio_table),
    "csv": (spans_of_texts.write_csv, label_studio_table),
    "dialogues": (spans_of_texts.write_dialogues, label_studio),
    "argilla": (spans_of_texts.write_argilla, argilla),
}


def read(path, reader, **options):
    return list(reader.read(path, ReaderOptions(**options), FileLog(path.name)))


def wrong_texts(case, records):
    """The records with spans that have another text than their task has under the key of their tag."""
    wrong = []
    for record in records:
        data = case.tasks[int(record.document) - 1][0]
        wrong += [(one.label, record.text) for one in record.spans if record.text != data[case.truth[one.label]]]
    return wrong


@pytest.mark.parametrize("format", WRITERS)
def test_spans_are_read_on_their_own_text_or_the_user_is_asked(tmp_path, format):
    write, reader = WRITERS[format]
    n_read = n_asked = 0
    for seed in range(400):
        case = make_case(seed)
        path = write(case, tmp_path)
        try:
            assert wrong_texts(case, read(path, reader)) == [], (seed, case)
            n_read += 1
        except DomainNerError as error:
            assert "cannot determine which text was annotated" in str(error), seed
            assert "field=" in error.fix, seed
            n_asked += 1
            assert format == "argilla" or not case.is_decided_by_words(), (seed, case)
    assert n_read > 100
    assert n_asked > 50
