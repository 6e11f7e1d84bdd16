"""What is long or large in one place costs time that grows with its length, and no other row."""

import json
import time

import pytest

from domain_ner.conversion.importing import import_files
from domain_ner.errors import DomainNerError
from domain_ner.readers.folder import find_exports
from domain_ner.readers.text_files import decoding

LONG = 60_000
DIGITS = "9" * 5000
ROWS = "Anna\tB-PER\nwent\tO\n\n"
PLAIN_ROW = {"id": 1, "text": "Anna", "label": [[0, 4, "PER"]]}
WIDE = "\n".join(f"w{n}\tO" for n in range(400))


def imported(folder, name, text, **beside):
    (folder / name).write_text(text, encoding="utf8")
    for suffix, content in beside.items():
        (folder / name).with_suffix(f".{suffix}").write_text(content, encoding="utf8")
    return import_files(find_exports(folder))


LONG_LINES = {
    "a comment of white space": ("a.conll", f"# note = a{' ' * LONG}b\n{ROWS}"),
    "a comment of colons": ("a.conll", f"# {'a:' * (LONG // 4)}\n{ROWS}"),
    "a row of tabs": ("a.conll", f"{ROWS}{WIDE}\nRome\tB-LOC{chr(9) * (LONG // 3)}x\n\n{ROWS}"),
    "a number in a column of numbers": ("a.conll", f"1\tAnna\tB-PER\n2\twent\tO\n{DIGITS}\tto\tO\n\n" * 3),
    "an offset in columns": ("a.conll", f"Anna\t0\t4\tB-PER\nwent\t5\t9\tO\n\nBob\t{DIGITS}\t{DIGITS}\tB-PER\n\n"),
    "white space before a row": ("a.jsonl", f"{' ' * LONG}{json.dumps(PLAIN_ROW)}"),
    "white space in a row": ("a.jsonl", json.dumps(PLAIN_ROW).replace(": ", f":{' ' * LONG}")),
    "white space between the rows of an array": ("a.json", f"[{json.dumps(PLAIN_ROW)}{' ' * LONG},{' ' * LONG}5]"),
    "slashes in a text": (
        "a.json",
        json.dumps([{
            "id": 1, "data": {"text": f"{'/' * LONG} Anna"},
            "annotations": [{"result": [
                {"type": "labels", "to_name": "text", "value": {"start": LONG + 1, "end": n, "labels": ["PER"]}}
                for n in (LONG + 5, LONG + 9)
            ]}],
        }]),
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", LONG_LINES)
def test_a_long_line_is_read_in_time_that_grows_with_its_length(tmp_path, name):
    file, text = LONG_LINES[name]
    start = time.process_time()
    read = imported(tmp_path, file, text)
    assert time.process_time() - start < 3
    assert any(passage.text[span.start : span.end] == "Anna" for passage in read.passages for span in passage.spans)


def test_a_number_of_too_many_digits_is_an_unreadable_annotation_of_brat(tmp_path):
    read = imported(tmp_path, "a.ann", f"T1\tPER 0 4\tAnna\nT2\tPER 0 {DIGITS}\tAnna\n", txt="Anna")
    (told,) = read.ledger.losses()
    assert "a.ann:2: expected `T1<TAB>TYPE START END<TAB>words`" in told


def test_a_line_that_is_too_long_to_be_one_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(decoding, "MAX_LINE_CHARS", 50)
    assert len(imported(tmp_path, "a.conll", ROWS).passages) == 1
    with pytest.raises(DomainNerError, match=r"a\.conll:4 has more than 50 characters; expected lines of text"):
        imported(tmp_path, "a.conll", f"{ROWS}{'x' * 51}\tO\n")
