"""Label Studio's CSV, TSV and JSON_MIN: a row for each annotation."""

import csv
import json

import pytest
from label_studio_exports import ADA, PARIS, TEXT, found, read, recognised, write

from domain_ner.annotations.records import ReaderOptions
from domain_ner.errors import DomainNerError
from domain_ner.readers.label_studio import table as label_studio_table


def row(regions=(), **rest):
    full = {"text": TEXT, "id": 3, "annotator": 1, "annotation_id": 9, "lead_time": 1.5, **rest}
    return {**full, "label": list(regions)} if regions else full


def write_csv(path, rows, delimiter=","):
    with path.open("w", newline="", encoding="utf8") as stream:
        out = csv.writer(stream, delimiter=delimiter)
        out.writerow(rows[0])
        out.writerows(
            [json.dumps(value) if isinstance(value, list) else value for value in row.values()] for row in rows
        )
    return path


def test_json_min_row_is_an_annotation(tmp_path):
    path = write(tmp_path / "min.json", [row([ADA, PARIS]), row(), row(annotation_id=None, annotator=None)])
    records, log = read(path, label_studio_table)
    assert [(r.answer, len(r.spans), r.annotator) for r in records] == [
        ("accepted", 2, "1"), ("accepted", 0, "1"), ("not annotated", 0, ""),
    ]  # fmt: skip
    assert log.n_documents == 3


@pytest.mark.parametrize("delimiter", [",", "\t", ";"])
def test_table_is_read_with_any_delimiter_under_the_name_csv(tmp_path, delimiter):
    two_lines = row([PARIS], text="Ada met Bob\nin Paris.", source="s")
    path = write_csv(tmp_path / "result.csv", [two_lines, row([ADA], source="s")], delimiter)
    records, _ = read(path, label_studio_table)
    assert recognised(path) == ["label_studio_table"]
    assert [(r.line, found(r)) for r in records] == [(2, [("Paris", "LOC")]), (4, [("Ada", "PER")])]
    assert records[0].meta == {"source": "s"}


def test_the_user_chooses_what_empty_rows_without_annotation_ids_mean(tmp_path):
    path = write(tmp_path / "min.json", [{"text": TEXT, "label": [ADA]}, {"text": "Nothing."}])
    [_, kept], _ = read(path, label_studio_table)
    [_, skipped], _ = read(path, label_studio_table, ReaderOptions(empty="skip"))
    assert (recognised(path), kept.answer, skipped.answer) == (["label_studio_table"], "accepted", "not annotated")


def test_cell_with_a_python_literal_is_read(tmp_path):
    path = write_csv(tmp_path / "pandas.csv", [{**row([ADA]), "label": str([ADA])}])
    [record], _ = read(path, label_studio_table)
    assert found(record) == [("Ada", "PER")]


def test_a_single_region_is_read_like_a_list_of_one(tmp_path):
    alone = {**row([ADA]), "label": ADA}
    [record], _ = read(write(tmp_path / "min.json", [alone]), label_studio_table)
    [of_csv], _ = read(write_csv(tmp_path / "a.csv", [{**alone, "label": json.dumps(ADA)}]), label_studio_table)
    assert found(record) == found(of_csv) == [("Ada", "PER")]


def test_a_text_that_looks_like_a_region_stays_a_text(tmp_path):
    text = 'Ada {"labels": 1'
    path = write_csv(tmp_path / "a.csv", [row([ADA]), row([ADA], text='{"labels": [1'), row([ADA], text=text)])
    records, log = read(path, label_studio_table)
    assert ([record.text for record in records], log.problems) == ([TEXT, '{"labels": [1', text], [])


def test_cell_beyond_the_limit_of_the_csv_module_is_read(tmp_path):
    [record], _ = read(write_csv(tmp_path / "long.csv", [row([ADA], text="Ada " * 50_000)]), label_studio_table)
    assert len(record.text) == 200_000


def test_truncated_cell_is_a_problem_of_its_row(tmp_path):
    path = write_csv(tmp_path / "cut.csv", [{**row([ADA]), "label": json.dumps([ADA])[:-5]}, row([PARIS])])
    records, log = read(path, label_studio_table)
    assert len(records) == 1
    assert log.problems[0][0] == 2
    assert "column 'label': invalid JSON" in log.problems[0][1]


def test_cell_with_something_else_among_its_regions_is_a_problem(tmp_path):
    _, log = read(write(tmp_path / "min.json", [row([ADA, "x"]), row()]), label_studio_table)
    assert log.problems == [
        (1, "column 'label': 1 of 2 entries are not labelled spans; expected regions as a JSON list")
    ]


def test_short_row_is_a_problem(tmp_path):
    path = write_csv(tmp_path / "short.csv", [row([ADA])])
    path.write_text(path.read_text() + "Ada met,4\n")
    records, log = read(path, label_studio_table)
    assert (len(records), log.n_documents) == (1, 2)
    assert log.problems == [(3, "row has 2 columns, the header 6; 1 good rows before it")]


@pytest.mark.parametrize(("rest", "n_behind"), [("Ada met,4", None), ('Ada met,"4\n' + "x,1\n" * 3, 2)])
def test_a_table_truncated_inside_a_row_is_read_up_to_it(tmp_path, rest, n_behind):
    path = write_csv(tmp_path / "cut.csv", [row([ADA]), row([PARIS])])
    path.write_text(path.read_text() + rest)
    records, log = read(path, label_studio_table)
    (problem,) = log.failures
    assert (len(records), problem.line, problem.cost, problem.n_behind) == (2, 4, "rest", n_behind)


def test_a_duplicate_column_name_loses_no_column(tmp_path):
    path = tmp_path / "twice.csv"
    path.write_text("text,annotation_id,note,note\nAda met,1,first,second\n")
    (record,), log = read(path, label_studio_table, ReaderOptions(field="text"))
    assert record.meta == {"note": "first", "note (column 4)": "second"}
    assert log.notes == ["duplicate column names in the header: note (column 4)"]


def test_json_min_row_that_is_not_an_object_is_a_problem(tmp_path):
    records, log = read(write(tmp_path / "min.json", ["x", row([ADA])]), label_studio_table)
    assert (len(records), log.problems) == (1, [(1, "a JSON str; expected an object with a text and regions")])


def test_table_without_rows_is_refused(tmp_path):
    with pytest.raises(DomainNerError, match="no complete row"):
        read(write(tmp_path / "none.csv", "text,annotation_id\n"), label_studio_table)
