"""Inputs of every format, cut into shards anywhere, hold the same documents."""

import csv
import gzip
import json

import fsspec
import pyarrow.parquet
import pytest
import unreachable  # noqa: F401 (registers a store)
from annotators import text_of, write_rows

from domain_ner.annotating.jobs import Settings
from domain_ner.annotating.reading import read_shard
from domain_ner.annotating.shards import Limits, plan_shards
from domain_ner.annotating.sources import find_sources, open_source, stamp_of
from domain_ner.errors import DomainNerError

ODD = ['a, "quoted"\nname in two lines', "é 日本語 🔥", "x" * 200_000, "plain"]
SETTINGS = Settings()


def documents(inputs, size=3, *, settings=SETTINGS, lines=False):
    shards = list(plan_shards(find_sources([str(path) for path in inputs], lines=lines), Limits(size)))
    assert [shard.number for shard in shards] == list(range(len(shards)))
    read = [list(read_shard(shard, settings)) for shard in shards]
    assert [len(part) for part in read] == [shard.n_documents for shard in shards]
    assert all(len(part) <= size for part in read)
    return [document for part in read for document in part]


def rows():
    return [{"id": f"d{n}", "text": text, "year": 2020 + n} for n, text in enumerate([*ODD, *map(text_of, range(7))])]


def as_jsonl(folder, bom=b""):
    path = write_rows(folder / "in.jsonl", rows())
    path.write_bytes(bom + path.read_bytes().replace(b"\n", b"\n\n", 2))  # blank lines are no documents
    return path


def as_csv(folder, suffix=".csv", delimiter=",", encoding="utf-8-sig"):
    path = folder / f"in{suffix}"
    with path.open("w", encoding=encoding, newline="") as stream:
        writer = csv.DictWriter(stream, ["id", "text", "year"], delimiter=delimiter)
        writer.writeheader()
        writer.writerows(rows())
    return path


def as_parquet(folder):
    path = folder / "in.parquet"
    pyarrow.parquet.write_table(pyarrow.Table.from_pylist(rows()), path, row_group_size=4)
    return path


def as_packed(folder):
    path = folder / "in.jsonl.gz"
    path.write_bytes(gzip.compress(as_jsonl(folder).read_bytes()))
    return path


def as_tsv(folder):
    return as_csv(folder, ".tsv", "\t", "utf8")


def with_bom(folder):
    return as_jsonl(folder, b"\xef\xbb\xbf")


@pytest.mark.parametrize("write", [as_jsonl, with_bom, as_packed, as_csv, as_tsv, as_parquet])
@pytest.mark.parametrize("size", [1, 3, 4, 100])
def test_the_documents_of_a_file_are_the_same_however_it_is_cut(tmp_path, write, size):
    found = documents([write(tmp_path)], size)
    assert [(document.id, document.text) for document in found] == [(row["id"], row["text"]) for row in rows()]
    assert not any(document.problem for document in found)
    assert [int(document.columns["year"]) for document in found] == [row["year"] for row in rows()]


def test_a_document_without_id_is_named_by_file_and_row(tmp_path):
    path = write_rows(tmp_path / "in.jsonl", [{"text": "one"}, {"text": "two", "id": ""}, {"text": "three", "id": 7}])
    path.write_text("\n" + path.read_text())
    assert [document.id for document in documents([path], 1)] == [f"{path}:2", f"{path}:3", "7"]


def test_a_text_file_is_a_document_and_with_lines_each_line_is(tmp_path):
    for name in ("b", "a"):
        (tmp_path / f"{name}.txt").write_text(f"{name} one\n\n{name} two\n")
    assert [(one.id, one.text) for one in documents([tmp_path])] == [
        (str(tmp_path / f"{name}.txt"), f"{name} one\n\n{name} two\n") for name in ("a", "b")
    ]
    assert [one.text for one in documents([tmp_path], lines=True)] == ["a one", "a two", "b one", "b two"]


def test_folders_globs_and_files_are_listed_once_each(tmp_path):
    for name in ("b.jsonl", "a.jsonl", "deep/c.jsonl", ".hidden.jsonl", "notes.md"):
        write_rows(tmp_path / name, [{"text": name}])
    found = documents([tmp_path / "b.jsonl", tmp_path, tmp_path / "*.jsonl"])
    assert [document.text for document in found] == ["b.jsonl", "a.jsonl", "deep/c.jsonl"]


def test_an_object_store_is_read_as_a_folder_is():
    store = fsspec.filesystem("memory")
    for name in ("one", "two"):
        store.pipe(f"/bucket/{name}.jsonl", json.dumps({"text": name}).encode())
    for given in ("memory://bucket", "memory://bucket/*.jsonl"):
        assert [document.text for document in documents([given])] == ["one", "two"]
    with pytest.raises(DomainNerError, match="nothing to annotate"):
        find_sources(["memory://empty"])


@pytest.mark.parametrize("read", [lambda url: find_sources([url]), open_source, stamp_of])
def test_an_error_of_a_store_s_own_is_told_with_the_address(read):
    with pytest.raises(DomainNerError, match=r"unreachable://bucket/in.jsonl: ConnectionLostError: no answer") as told:
        read("unreachable://bucket/in.jsonl")
    assert "credentials" in told.value.fix


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        (b'{"text": ', "not JSON"),
        (b'["text"]', "not a JSON object"),
        (b'{"text": "\xff"}', "not UTF-8: byte 10"),
        (b'{"txt": "a"}', "no column 'text' among 1; did you mean 'txt'?"),
        (b'{"text": 3}', "column 'text' holds int; expected text"),
        (b'{"text": null}', "column 'text' holds nothing; expected text"),
        (b"[" * 100_000, "not JSON"),
    ],
)
def test_a_row_that_is_no_document_says_why_and_the_others_are_read(tmp_path, line, problem):
    path = tmp_path / "in.jsonl"
    path.write_bytes(b'{"text": "first"}\n' + line + b'\n{"text": "last"}\n')
    first, bad, last = documents([path], 2)
    assert (first.text, last.text) == ("first", "last") and problem in bad.problem
    assert bad.place == f"{path}:2"


def test_a_record_with_other_fields_than_the_header_or_other_bytes_says_so(tmp_path):
    path = tmp_path / "in.csv"
    path.write_bytes(b"id,text\n1,one\n2\n3,\xff\n4,four\n")
    found = documents([path], 2)
    assert [document.problem for document in found] == ["", "1 fields; expected 2, as in the header", "not UTF-8", ""]


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("in.csv", b",\n", "no header"),
        ("in.csv", b"text,text\na,b\n", "'text' occurs more than once"),
        ("in.csv", b'id,text\n1,one\n2,"not closed\n3,three\n', "the record at byte 14 is no CSV"),
        ("in.docx", b"x", "unknown format"),
        ("in.parquet", b"x", "not a Parquet file"),
        ("missing.jsonl", None, "no such file"),
    ],
)
def test_a_file_that_cannot_be_read_is_an_error_that_names_it(tmp_path, name, content, message):
    if content is not None:
        (tmp_path / name).write_bytes(content)
    with pytest.raises(DomainNerError, match=message) as error:
        documents([tmp_path / name])
    assert name in str(error.value)


def test_a_file_that_changed_after_it_was_planned_is_not_read(tmp_path):
    path = write_rows(tmp_path / "in.jsonl", rows())
    [shard] = plan_shards(find_sources([str(path)]), Limits(100))
    write_rows(path, rows()[1:])
    with pytest.raises(DomainNerError, match="changed after"):
        list(read_shard(shard, SETTINGS))


def test_a_csv_file_without_documents_stops_nothing(tmp_path):
    (tmp_path / "empty.csv").write_bytes(b"")
    write_rows(tmp_path / "a.jsonl", [{"text": "Redis"}])
    sources = find_sources([str(tmp_path)], output=tmp_path / "out")
    assert [shard.urls[0].rpartition("/")[2] for shard in plan_shards(sources, Limits())] == ["a.jsonl"]


def test_an_input_within_the_folder_for_the_output_is_an_error_that_says_so(tmp_path):
    file = tmp_path / "out" / "a.jsonl"
    file.parent.mkdir()
    file.write_text('{"text": "Redis"}\n', encoding="utf8")
    with pytest.raises(DomainNerError, match="the folder for the output"):
        find_sources([str(file)], output=file.parent)
