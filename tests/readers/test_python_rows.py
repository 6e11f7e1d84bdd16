"""Rows of training data in Python source: those that are added later are read, or the file is refused."""

import pytest

from domain_ner.annotations.records import FileLog, ReaderOptions, Sample
from domain_ner.errors import DomainNerError
from domain_ner.readers.spacy_files import spacy_json
from domain_ner.readers.text_files.decoding import read_sample

ANNA, BOB, CLEO = (f"('{name} ran.', {{'entities': [(0, {len(name)}, 'PER')]}})" for name in ("Anna", "Bob", "Cleo"))
NAMES = ("Anna", "Bob", "Cleo")


@pytest.fixture
def read(tmp_path):
    def read_source(source):
        path = tmp_path / "train.py"
        path.write_text(source, encoding="utf8")
        assert spacy_json.recognises(Sample(path, *read_sample(path)))
        log = FileLog(path.name)
        return list(spacy_json.read(path, ReaderOptions(), log)), log

    return read_source


@pytest.mark.parametrize(
    "source",
    [
        f"T = [{ANNA}, {BOB}]\nT.append({CLEO})\n",
        f"T = [{ANNA}]\nT.extend([{BOB}, {CLEO}])\n",
        f"T = [{ANNA}]\nT += [{BOB}, {CLEO}]\n",
        f"T = [{ANNA}]\nT = T + [{BOB}] + [{CLEO}]\n",
        f"T = [{ANNA}] + [{BOB}, {CLEO}]\n",
        f"T = [{ANNA}]\nT = [*T, {BOB}, {CLEO}]\n",
        f"T = []\nT.append({ANNA})\nT.append({BOB})\nT.insert(2, {CLEO})\n",
        f"T = [{ANNA}]\nMORE = [{BOB}, {CLEO}]\nT.extend(MORE)\nALL = T + MORE\n",
        f"T, D = [{ANNA}, {BOB}], [{CLEO}]\n",
        f"T = {{'train': [{ANNA}, {BOB}], 'dev': [{CLEO}]}}\n",
        f"T: list = [\n    {ANNA},\n    {BOB},\n]\nT.append(\n    {CLEO},\n)\n",
    ],
)
def test_rows_that_are_added_are_read_once_each(read, source):
    records, log = read(source)
    assert [record.text.split()[0] for record in records] == list(NAMES)
    assert [record.text[span.start : span.end] for record in records for span in record.spans] == list(NAMES)
    assert (log.n_documents, log.problems) == (3, [])


@pytest.mark.parametrize(
    "line",
    [
        f"for name in names:\n    T.append({BOB})",
        "for name in names:\n    T.append((name, {'entities': [(0, len(name), 'PER')]}))",
        "[T.append(row) for row in rows()]",
        "T.append(row)",
        "T.append((name + ' ran.', {'entities': []}))",
        "T.extend(load('more.json'))",
        "T.extend(MORE)",
        "T += load('more.json')",
        "T = T + load('more.json')",
        f"if more:\n    T.append({BOB})",
        f"def more():\n    return [{BOB}]",
        f"T.append(dict(row={BOB}))",
        "T.pop()",
        "T.remove(T[0])",
        "T.clear()",
        "del T[0]",
        "T[0] = T[1]",
    ],
)
def test_rows_that_only_running_the_file_would_tell_are_refused_with_the_line(read, line):
    with pytest.raises(DomainNerError, match=r"train\.py: line [34] adds rows, or changes them") as error:
        read(f"T = [{ANNA}]\n\n{line}\n")
    assert "json.dump" in error.value.fix


@pytest.mark.parametrize(
    "line",
    [
        "random.shuffle(T)",
        "LABELS = []\nLABELS.append('PER')",
        "DEV = T[:1]",
        "for text, annotations in T:\n    nlp.update([text], [annotations])",
        "examples = []\nfor row in T:\n    examples.append(row)",
        "print(len(T), T[0])",
    ],
)
def test_code_that_leaves_the_rows_as_they_are_is_passed_over(read, line):
    records, log = read(f"T = [{ANNA}, {BOB}]\n{line}\n")
    assert ([record.text for record in records], log.problems) == (["Anna ran.", "Bob ran."], [])


def test_a_row_whose_offsets_are_no_literals_is_a_problem_with_its_line(read):
    records, log = read(f"T = [{ANNA}]\nT.append(('Bob ran.', {{'entities': [(0, n, 'PER')]}}))\n")
    assert len(records) == 1
    assert (log.n_documents, [line for line, _ in log.problems]) == (2, [2])
