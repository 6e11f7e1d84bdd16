"""The parts of `benchmark-servers` that need no server: the comparison, and the declared losses."""

import os
import signal
import subprocess
import sys
import time
from dataclasses import replace

import pytest
from conftest import ROOT

from domain_ner.annotations.passages import LabelledSpan
from domain_ner.conversion.exports import Annotations, ImportSettings, read_annotations
from domain_ner.conversion.ledger import Ledger
from domain_ner.errors import DomainNerError

sys.path.append(str(ROOT / "benchmarks"))

from _servers.circles import write_export
from _servers.comparison import ASPECTS, Difference, compare, expected_passages, once
from _servers.contents import ANNA, ANNOTATED, ASKED, BEN, SENT, names, spans
from _servers.environments import LABEL_STUDIO, Package, environment_of
from _servers.label_studio_circle import place, regions
from _servers.losses import LOSSES, Loss, declared, problems
from _servers.processes import running
from _servers.report import Row, cell, to_markdown

CASES = (*ANNOTATED, *ASKED)
SAME = {aspect: Difference(2, 2, 0, frozenset()) for aspect in ASPECTS}


def read_back(passages):
    return Annotations(passages, once(passages), (), Ledger())


def test_what_comes_back_as_it_went_in_does_not_differ():
    found = compare(CASES, read_back(expected_passages(CASES, {})), {})
    assert {aspect: (one.n_kept == one.n > 0, one.n_more, one.cases) for aspect, one in found.items()} == dict.fromkeys(
        ASPECTS, (True, 0, frozenset())
    )


@pytest.mark.parametrize(
    ("change", "aspects"),
    [
        ({"spans": ()}, {"spans", "labels", "annotators"}),
        ({"spans": (LabelledSpan(4, 16, "OTHER"),)}, {"labels", "annotators"}),
        ({"document": "1"}, {"documents"}),
        ({"meta": {"customer": "2"}}, {"meta", "groups"}),
        ({"annotator": "1"}, {"annotators"}),
        ({"text": "The checkout-api is down since monday."}, set(ASPECTS)),
    ],
)  # fmt: skip
def test_each_change_is_seen_and_named(change, aspects):
    first, *others = expected_passages(CASES, {})
    found = compare(CASES, read_back([replace(first, **change), *others]), {})
    assert {aspect for aspect, one in found.items() if one.cases} | {"splits"} == aspects | {"splits"}
    assert {case for one in found.values() for case in one.cases} <= {"plain"}


def test_a_group_is_the_same_however_its_number_is_written():
    first, *others = expected_passages(CASES, {})
    found = compare(CASES, read_back([replace(first, meta={"customer": 1.0}), *others]), {})
    assert not found["groups"].cases and not found["splits"].cases
    assert found["meta"].cases == {"plain"}


def test_an_annotator_goes_by_the_name_that_the_tool_gives():
    found = compare(CASES, read_back(expected_passages(CASES, {ANNA: "2"})), {ANNA: "2"})
    assert not found["annotators"].cases
    assert found["annotators"].n == len(CASES) + sum(BEN in case.answers for case in ASKED)


def test_a_text_that_nobody_annotated_is_more_than_went_in():
    passages = expected_passages(SENT, {})
    more = replace(passages[0], text=SENT[-2].text, spans=(), document="", meta={}, annotator="")
    found = compare(SENT, read_back([*passages, more]), {})
    assert (found["texts"].n_more, found["texts"].cases) == (1, {"open"})


LOSS = Loss("tool", ("CSV",), ("spans", "texts"), frozenset({"a", "b"}), "why")
GONE = Difference(3, 1, 0, frozenset({"a", "b"}), ("a: [0, 1] is gone", "b: [0, 1] is gone"))


def test_a_declared_loss_is_no_problem():
    assert problems("tool", "CSV", SAME | {"spans": GONE, "texts": GONE}, [LOSS]) == []


def test_a_loss_of_another_format_aspect_or_case_is_a_problem():
    other = Difference(3, 2, 0, frozenset({"a", "b", "c"}), (*GONE.shown, "c: [2, 3] is gone"))
    assert problems("tool", "CSV", SAME | {"spans": other, "texts": GONE}, [LOSS]) == [
        "tool, CSV, spans: not declared, c: [2, 3] is gone"
    ]
    assert len(problems("tool", "TSV", SAME | {"spans": GONE}, [LOSS])) == 2
    assert len(problems("tool", "CSV", SAME | {"spans": GONE, "texts": GONE, "labels": GONE}, [LOSS])) == 2


def test_a_declared_loss_that_no_longer_happens_is_told():
    kept = Difference(3, 2, 0, frozenset({"a"}), ("a: [0, 1] is gone",))
    assert problems("tool", "CSV", SAME | {"spans": kept, "texts": GONE}, [LOSS]) == [
        "tool, CSV, spans: declared to be lost and is not, b"
    ]


def test_declared_losses_are_of_known_aspects_and_cases_and_have_a_reason():
    for loss in LOSSES:
        assert set(loss.aspects) <= set(ASPECTS) and loss.reason.endswith(".") and loss.cases
        assert all(declared(loss.tool, name, aspect) >= loss.cases for name in loss.formats for aspect in loss.aspects)


def test_cells_and_reasons_are_written():
    assert [cell(one) for one in (SAME["texts"], GONE, Difference(2, 2, 1, frozenset()))] == [
        "2",
        "1 of 3",
        "2, 1 more",
    ]
    lines = list(to_markdown([Row("Label Studio 1.23.2", "CSV", "", SAME, ())]))
    assert lines[2] == f"| Label Studio 1.23.2 | CSV |{' 2 |' * len(ASPECTS)}"
    assert any(line.startswith("- Label Studio, CSV: annotators.") for line in lines)


def test_what_is_sent_to_label_studio_is_read_back_from_the_exported_file(tmp_path):
    cases = [*ANNOTATED, *(case.by(ANNA) for case in ASKED), *SENT[-2:]]
    write_export(cases, tmp_path / "x.json", "label_studio")
    found = compare(cases, read_annotations(tmp_path, ImportSettings(prefer=("*",))), {})
    assert not [line for one in found.values() for line in one.shown]


def test_doccano_s_file_says_by_itself_that_its_offsets_are_utf16(tmp_path):
    write_export(ANNOTATED, tmp_path / "x.jsonl", "doccano")
    found = compare(ANNOTATED, read_annotations(tmp_path, ImportSettings(prefer=("*",))), {})
    assert not any(one.cases for one in found.values())


def test_regions_of_a_dialogue_lie_in_its_paragraphs():
    text = "Redis is slow.\nKafka, Vault?"
    assert place(text, 9, 20) == {"start": "0", "end": "1", "startOffset": 9, "endOffset": 5}
    (region,) = regions(text, spans(text, ("Vault", "INFRA")), ("label", "talk", "dialogue"))
    assert region["value"] == {
        "start": "1", "end": "1", "startOffset": 7, "endOffset": 12, "text": "Vault", "paragraphlabels": ["INFRA"],
    }  # fmt: skip


def test_names_of_cases_are_unique():
    assert len(names(*SENT)) == len(SENT)


# Processes


def test_a_tool_for_other_pythons_is_an_error_that_names_them(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", "")
    with pytest.raises(DomainNerError, match=r"Old needs Python 2\.5 or 2\.6; none is on the path"):
        environment_of(Package("old", "Old", ("old==1",), ("2.5", "2.6")), tmp_path)


def test_a_tool_that_is_there_is_not_installed_again(tmp_path):
    folder = tmp_path / LABEL_STUDIO.name
    folder.mkdir()
    (folder / "installed.txt").write_text("\n".join(LABEL_STUDIO.requirements))
    assert environment_of(LABEL_STUDIO, tmp_path) == folder / "bin"


posix = pytest.mark.skipif(not hasattr(os, "killpg"), reason="process groups")


@posix
@pytest.mark.parametrize(
    ("code", "seconds", "why"),
    [("print('no port')", 60, "ended as it started"), ("import time; time.sleep(60)", 1, "did not answer in 1 s")],
)
def test_a_server_that_ends_or_does_not_answer_shows_the_end_of_its_log(tmp_path, code, seconds, why):
    with (
        pytest.raises(DomainNerError, match=f"(?s)A server {why}.*last lines of log"),
        running("A server", [sys.executable, "-c", code], tmp_path / "log", os.environ) as server,
    ):
        server.wait_until(lambda: False, seconds)
    assert server.has_ended


STARTER = """
import os, sys, time
from pathlib import Path
sys.path.append(sys.argv[1])
from _servers.processes import running
child = "import os, time; print(os.getpid(), flush=True); time.sleep(60)"
with running("x", [sys.executable, "-c", child], Path(sys.argv[2]), os.environ):
    time.sleep(60)
"""


@posix
def test_a_server_ends_with_the_process_that_started_it_even_if_that_was_killed(tmp_path):
    log = tmp_path / "log"
    starter = subprocess.Popen([sys.executable, "-c", STARTER, str(ROOT / "benchmarks"), str(log)])
    while not (log.exists() and log.read_text().endswith("\n")):
        time.sleep(0.1)
    pid = int(log.read_text())
    os.kill(starter.pid, signal.SIGKILL)
    starter.wait()
    until = time.monotonic() + 20
    while is_alive(pid) and time.monotonic() < until:
        time.sleep(0.1)
    assert not is_alive(pid)


def is_alive(pid):
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True
