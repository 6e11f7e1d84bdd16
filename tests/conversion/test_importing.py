"""What is told of a file's records, and of what could not be read, whatever its format."""

import json

import pytest

from domain_ner.annotations.records import ExportFile, ReaderOptions
from domain_ner.conversion.importing import import_files
from domain_ner.errors import DomainNerError
from domain_ner.readers.folder import find_exports


def imported(tmp_path, **options):
    return import_files(find_exports(tmp_path, options=ReaderOptions(**options))).ledger


def write(path, rows):
    path.write_text("".join(f"{row if isinstance(row, str) else json.dumps(row)}\n" for row in rows), encoding="utf8")


def notes(ledger, words):
    return [note for _, note in ledger.notes if words in note]


def test_an_id_of_several_texts_is_told_once_with_how_often_and_three_cases(tmp_path):
    write(tmp_path / "a.jsonl", [{"id": n % 12, "text": f"Anna {n}", "label": []} for n in range(17)])
    cases = [f"'{n}', of 2 records, the second text at a.jsonl:{n + 13}" for n in range(3)]
    told = f"an id that stands for several texts, all of which are kept: {', '.join(cases)} … (5 in all)"
    assert notes(imported(tmp_path), "stands for several texts") == [told]


def test_documents_of_several_sentences_are_not_told(tmp_path):
    documents = ["-DOCSTART-\tO\n\n" + "\n".join(f"Anna\tB-PER\nword{d}{n}\tO\n" for n in range(3)) for d in range(5)]
    write(tmp_path / "a.conll", ["\n".join(documents)])
    assert not notes(imported(tmp_path), "stands for several texts")


def test_an_id_of_one_text_is_not_told(tmp_path):
    write(tmp_path / "a.jsonl", [{"text": "Anna", "spans": [], "_input_hash": n % 3} for n in range(9)])
    assert not notes(imported(tmp_path), "stands for several texts")


EMPTY = {
    "prodigy": ("a.jsonl", [{"text": "x", "spans": [], "_input_hash": 1}, {"text": "y", "answer": "accept"}]),
    "doccano": ("a.jsonl", [{"id": 1, "text": "x", "label": []}, {"id": 2, "text": "y", "label": []}]),
    "dataturks": ("a.json", [{"content": "x", "annotation": []}, {"content": "y", "annotation": []}]),
    "spacy": ("a.jsonl", [{"text": "x", "entities": []}, {"text": "y", "ents": []}]),
    "conll": ("a.conll", ["x\tO\nx\tO\n", "y\tO\nz\tO"]),
}  # fmt: skip


@pytest.mark.parametrize("name", EMPTY)
def test_accepted_texts_without_entities_are_told_in_every_format(tmp_path, name):
    file, rows = EMPTY[name]
    write(tmp_path / file, rows)
    told = "2 of 2 accepted texts have no entities: treated as reviewed"
    choice = " (vars.reading: empty=negative or skip)" if name in ("doccano", "dataturks") else ""
    assert notes(imported(tmp_path), "no entities") == [told + choice]


def test_texts_that_nobody_saw_are_told_as_left_out(tmp_path):
    write(tmp_path / "a.jsonl", [*EMPTY["doccano"][1], {"id": 3, "text": "Anna", "label": [[0, 4, "PER"]]}])
    ledger = imported(tmp_path, empty="skip")
    assert notes(ledger, "no entities") == [
        "2 texts have no entities: left out as not reviewed (vars.reading: empty=negative or skip)"
    ]
    assert ledger.documents == {"accepted": 1, "not annotated": 2}


def test_a_bad_token_is_counted_among_the_tokens_and_no_document_is_lost(tmp_path):
    good = "Anna\tB-PER\nwent\tO\n\n" * 500
    write(tmp_path / "a.conll", [f"{good}Bob\tB-PER\nran\trejects\n\n{good}"])
    ledger = imported(tmp_path)
    assert [(loss.kind, loss.n_lost, loss.n) for loss in ledger.losses_by_kind()] == [
        ("annotations", 0, 1001), ("documents", 0, 1001), ("tokens", 1, 2002),
    ]  # fmt: skip
    ledger.require_loss_below(0.005)


def test_a_reader_that_fails_names_the_file_and_not_a_traceback(tmp_path):
    def read(path, options, log):
        raise RecursionError("too deep")
        yield

    file = ExportFile("a.x", tmp_path / "a.x", "x", "X files", read)
    with pytest.raises(DomainNerError, match=r"Cannot read .*a\.x as X files: RecursionError \(too deep\)"):
        import_files([file])
