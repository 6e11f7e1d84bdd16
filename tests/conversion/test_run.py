"""`convert` as a function: what it returns, what it tells while it runs, and that one place writes the ledger."""

import ast
import json
from contextlib import contextmanager

import pytest
from conftest import ROOT

from domain_ner.annotations.outcomes import IMPORTED
from domain_ner.conversion.exports import ImportSettings
from domain_ner.conversion.run import Callbacks, ConvertSettings, convert
from domain_ner.conversion.splitting import SplitSettings
from domain_ner.errors import DomainNerError

WRITERS_OF_LEDGER = {"settle", "explain", "place", "leave_out", "add_problem"}


def settings(folder, n=12, **changes):
    spans = [{"start": 0, "end": 5, "label": "INFRA"}]
    rows = [{"text": f"Redis is number {number * 7919}", "spans": spans} for number in range(n)]
    (folder / "exports").mkdir()
    (folder / "exports" / "a.jsonl").write_text("".join(f"{json.dumps(row)}\n" for row in rows), encoding="utf8")
    importing = ImportSettings(labels=["INFRA"])
    places = [folder / name for name in ("exports", "corpus", "reports")]
    return ConvertSettings(*places, **{"importing": importing} | changes)


class Heard:
    """Notes what is called, in order."""

    def __init__(self):
        self.calls = []

    @contextmanager
    def progress(self, name, total):
        self.calls.append((name, total))
        yield lambda: self.calls.append(name)

    def callbacks(self):
        def note(what):
            return lambda given: self.calls.append(what)

        return Callbacks(self.progress, note("file"), note("read"), note("groups"), note("learned"))


def test_the_result_says_what_was_written_and_nothing_is_printed(tmp_path, capfd):
    converted = convert(settings(tmp_path))
    assert {path.name for path in (tmp_path / "corpus").iterdir()} == {
        "train.spacy", "dev.spacy", "test.spacy", "tokenizer.json",
    }  # fmt: skip
    assert {path.name for path in (tmp_path / "reports").iterdir()} == {
        "ledger.jsonl", "ledger.json", "left_out.jsonl",
    }  # fmt: skip
    assert sum(len(corpus.docs) for corpus in converted.corpora.values()) == 12
    assert sum(corpus.mentions["INFRA"] for corpus in converted.corpora.values()) == 12
    assert converted.ledger.outcomes() == {IMPORTED: 12}
    assert capfd.readouterr() == ("", "")


def test_the_steps_are_told_in_order(tmp_path):
    heard = Heard()
    convert(settings(tmp_path), heard.callbacks())
    steps = ["read", "groups", "learned"]
    reading, converting = ["reading"] * 12, ["converting"] * 12
    assert heard.calls == [("reading", None), "file", *reading, *steps, ("converting", 12), *converting]


def test_what_was_read_is_told_also_where_it_cannot_become_a_corpus(tmp_path):
    heard = Heard()
    with pytest.raises(DomainNerError, match="would be lost"):
        convert(settings(tmp_path, importing=ImportSettings(labels=["TEAM"])), heard.callbacks())
    assert heard.calls[-1] == "read"
    assert not (tmp_path / "corpus").exists() and not (tmp_path / "reports").exists()


def test_a_bad_split_is_told_before_anything_is_read(tmp_path):
    heard = Heard()
    with pytest.raises(DomainNerError, match=r"vars\.splits"):
        convert(settings(tmp_path, splitting=SplitSettings("0.5,0.5")), heard.callbacks())
    assert heard.calls == []


def test_the_splits_are_kept_where_a_file_for_them_is_named(tmp_path):
    assigned = tmp_path / "splits.json"
    given = settings(tmp_path, splitting=SplitSettings(assigned=assigned))
    first = convert(given)
    kept = assigned.read_text("utf8")
    assert json.loads(kept) == first.division.assigned.to_json()
    assert convert(given).division.n_new == 0
    assert assigned.read_text("utf8") == kept


def writes_ledger(path):
    """Whether a module calls a method that writes a ledger, or its rows."""
    calls = [node.func for node in ast.walk(ast.parse(path.read_text("utf8"))) if isinstance(node, ast.Call)]
    written = [func for func in calls if isinstance(func, ast.Attribute) and func.attr in WRITERS_OF_LEDGER]
    return any("ledger" in ast.unparse(func.value) for func in written)


def test_one_place_writes_the_ledger():
    modules = [*(ROOT / "domain_ner").rglob("*.py"), *(ROOT / "scripts").glob("*.py")]
    assert [path.name for path in modules if writes_ledger(path)] == ["accounts.py"]
