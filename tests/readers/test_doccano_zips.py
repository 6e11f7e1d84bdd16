"""doccano's zips: a file for each annotator, damaged files, and limits."""

import zipfile
from functools import partial

import pytest
from doccano_exports import OTHERS, lines, read, recognises, row, write_rows

from domain_ner.errors import DomainNerError
from domain_ner.readers import doccano


@pytest.fixture
def write(tmp_path):
    return partial(write_rows, tmp_path)


@pytest.fixture
def write_zip(tmp_path):
    def write_members(**members):
        path = tmp_path / "export.zip"
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            for name, content in members.items():
                archive.writestr(name.replace("__", "."), content)
        return path

    return write_members


def test_a_zip_is_recognised_by_its_files(write_zip):
    assert recognises(write_zip(ann__jsonl="", bob__jsonl=lines(row())))
    assert not recognises(write_zip(ann__jsonl=lines(OTHERS["Prodigy"])))
    assert not recognises(write_zip(ann__txt="Paris"))


def test_recognising_a_file_that_is_not_a_zip_is_an_error(write):
    with pytest.raises(DomainNerError, match=r"export.zip is not a readable zip: .*\nDownload the export again"):
        recognises(write("PK", name="export.zip"))


def test_each_file_of_a_zip_is_an_annotator(write_zip):
    content = {"bob__jsonl": lines(row(), row(id=2)), "ann__jsonl": "\ufeff" + lines(row(label=[])), "x__txt": "x"}
    records, log = read(write_zip(**content))
    assert [(record.annotator, record.source) for record in records] == [
        ("ann", "export.zip/ann.jsonl:1"),
        ("bob", "export.zip/bob.jsonl:1"),
        ("bob", "export.zip/bob.jsonl:2"),
    ]
    assert log.n_documents == 3
    assert log.notes == ["byte-order mark removed (utf-8): ann.jsonl"]


def test_the_file_of_all_annotators_has_no_annotator(write_zip):
    (record,), _ = read(write_zip(all__jsonl=lines(row())))
    assert record.annotator == ""


def test_an_annotator_without_rows_is_noted_and_the_others_are_read(write_zip):
    records, log = read(write_zip(ann__jsonl="", bob__jsonl=lines(row())))
    assert (len(records), log.problems) == (1, [])
    assert log.notes == ["an empty file in the zip: no text was exported for that annotator: ann.jsonl"]


def test_a_broken_file_in_a_zip_is_reported_and_the_others_are_read(write_zip):
    content = {"ann__jsonl": lines(row()) + '{"text": "Os', "bob__jsonl": "\0\0", "cid__jsonl": lines(row())}
    records, log = read(write_zip(**content))
    assert [record.annotator for record in records] == ["ann", "cid"]
    assert log.problems[0] == (2, "ann.jsonl: JSON ends early; 1 good row before it")
    assert log.problems[1][1].startswith("bob.jsonl: cannot be read: ")


def damaged(path, name, at):
    """Change one byte of a file in a zip. at: where, counted from the end of the file's name."""
    data = bytearray(path.read_bytes())
    data[data.rfind(name, 0, data.rfind(b"PK\x01\x02", 0, data.find(b"PK\x05\x06"))) + len(name) + at] ^= 0x10
    path.write_bytes(data)
    return path


def stored(tmp_path, **members):
    path = tmp_path / "export.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in members.items():
            archive.writestr(f"{name}.jsonl", content)
    return path


def test_a_damaged_file_in_a_zip_is_reported_with_an_estimate_of_its_rows(tmp_path):
    rows = {"ann": lines(*[row(id=n) for n in range(300)]), "bob": lines(*[row(id=n) for n in range(1000)])}
    path = damaged(stored(tmp_path, **rows), b"bob.jsonl", 40)
    records, log = read(path)
    assert {record.annotator for record in records} == {"ann"} and len(records) == 300
    (problem,) = log.failures
    assert problem.message.startswith("bob.jsonl is damaged or encrypted (Bad CRC-32 for file 'bob.jsonl'): not read")
    assert (problem.cost, abs(problem.n_behind - 1000) < 20) == ("rest", True)
    assert recognises(path)


def test_a_zip_without_a_readable_file_is_an_error(tmp_path):
    path = damaged(stored(tmp_path, all=lines(row())), b"all.jsonl", 20)
    with pytest.raises(DomainNerError, match=r"export\.zip is damaged or encrypted: Bad CRC-32 for file 'all\.jsonl'"):
        recognises(path)


def test_two_files_with_the_same_name_are_both_read_with_a_note(tmp_path):
    path = tmp_path / "export.zip"
    with zipfile.ZipFile(path, "w") as archive, pytest.warns(UserWarning, match="Duplicate name"):
        for text in ("Paris and Rome", "Oslo and Bonn"):
            archive.writestr("ann.jsonl", lines(row(text=text)))
    records, log = read(path)
    assert [record.text for record in records] == ["Paris and Rome", "Oslo and Bonn"]
    assert log.notes == ["two files in the zip have the same name; both are read: ann.jsonl"]


def test_a_zip_that_unpacks_to_more_than_the_limit_is_refused(write_zip, monkeypatch):
    content = lines(row())
    path = write_zip(all__jsonl=content)
    monkeypatch.setattr(doccano, "MAX_UNPACKED_BYTES", len(content))
    assert len(read(path)[0]) == 1
    monkeypatch.setattr(doccano, "MAX_UNPACKED_BYTES", len(content) - 1)
    for tried in (recognises, read):
        with pytest.raises(
            DomainNerError, match=rf"unpacks to {len(content)} bytes; expected at most {len(content) - 1}"
        ):
            tried(path)


def test_a_note_on_many_files_of_a_zip_is_given_once(write_zip):
    told = {f"a{n}__jsonl": lines(row(relations=[{"id": 1}])) for n in range(12)}
    assert read(write_zip(**told))[1].notes == ["relations are not read: a0.jsonl, a1.jsonl, a10.jsonl … (12 in all)"]


def test_reading_a_file_that_is_not_a_zip_is_an_error(write):
    with pytest.raises(DomainNerError, match=r"export.zip is not a readable zip"):
        read(write("PK", name="export.zip"))


def test_a_zip_without_rows_is_an_error(write_zip):
    with pytest.raises(DomainNerError, match=r"has no .jsonl file"):
        read(write_zip(notes__txt="x"))
