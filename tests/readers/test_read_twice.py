"""What a file holds is found once where the file is small, twice where it is not, and is the same both times."""

import pytest

from domain_ner.annotations.records import FileLog
from domain_ner.readers.text_choice import read_twice
from domain_ner.readers.text_choice.read_twice import ReadTwice


@pytest.mark.parametrize(("max_bytes", "n_times"), [(100, 1), (3, 2)])
def test_a_small_file_is_gone_through_once(tmp_path, monkeypatch, max_bytes, n_times):
    monkeypatch.setattr(read_twice, "MAX_KEPT_BYTES", max_bytes)
    (tmp_path / "x").write_text("a\nb\n", encoding="utf8")
    logs = []

    def find(log):
        logs.append(log)
        log.n_documents += 2
        log.problem(2, "it is bad")
        for n in range(5):
            log.note("a fact with cases", case=f"line {n}")
        log.note("a fact")
        yield from "ab"

    rows, log = ReadTwice(tmp_path / "x", find), FileLog("x")
    assert list(rows.first()) == list(rows.again(log)) == ["a", "b"]
    assert len(logs) == n_times
    assert (log.n_documents, log.problems) == (2, [(2, "it is bad")])
    assert log.notes == ["a fact with cases: line 0, line 1, line 2 … (5 in all)", "a fact"]
