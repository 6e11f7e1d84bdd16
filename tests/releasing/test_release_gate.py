"""A release: its gate, its number and its files."""

import shutil

import pytest
from releases import (
    EPOCH,
    WORSE,
    candidate,
    gathered,
    make,
    prepare,
    tree,
    write_docs,
)  # fmt: skip

from domain_ner.errors import DomainNerError
from domain_ner.evaluation.comparison import FOUND, LOST
from domain_ner.releasing.records import ReleaseRecord
from domain_ner.releasing.registry import Registry


@pytest.fixture
def registry(tmp_path):
    return Registry(str(tmp_path / "registry"))


@pytest.fixture
def work(tmp_path):
    return tmp_path / "work"


@pytest.fixture(scope="module")
def prepared(tmp_path_factory):
    """The folder of a registry with 0.1.0 in use, and a better candidate with more data."""
    return prepare(tmp_path_factory.mktemp("prepared"))


@pytest.fixture
def used(prepared, registry, tmp_path):
    """A registry with 0.1.0 in use."""
    shutil.copytree(prepared[0], tmp_path / "registry")
    return registry


@pytest.fixture
def better(prepared):
    return prepared[1]


def test_the_first_release_has_no_gate_and_the_wanted_number(registry, work, tmp_path):
    made = make(registry, candidate(tmp_path), work, wanted="0.3.0")
    assert made.is_new and made.record.version == "0.3.0" and made.record.gate.baseline == ""
    names = set(made.record.files)
    assert names == {
        "domain_ner-0.1.0-py3-none-any.whl", "en_rules-0.3.0-py3-none-any.whl", "MODEL_CARD.md", "CHANGES.md",
        "data.jsonl", "release.schema.json",
    }  # fmt: skip
    assert not work.exists()
    assert made.record.date == "2026-09-21T14:13:20Z"


def test_a_better_pipeline_with_more_data_is_the_next_minor_version(used, better, tmp_path):
    made = make(used, better, tmp_path / "work")
    assert (made.record.version, made.record.parent) == ("0.2.0", "0.1.0")
    (result,) = made.record.gate.results
    assert result.is_passed and result.overall.second == 1.0 > result.overall.first and result.changes == {FOUND: 12}
    assert made.record.bump == "minor: new types (TEAM)"
    assert used.in_use().version == "0.1.0"


def test_a_worse_pipeline_does_not_pass_and_writes_nothing_to_the_registry(registry, work, tmp_path):
    make(registry, candidate(tmp_path / "first"), work)
    before = tree(tmp_path / "registry")
    made = make(registry, candidate(tmp_path / "second", names=WORSE), work)
    assert made.record is None and not made.gate.is_passed
    assert made.gate.results[0].changes[LOST] == 18 and "Not passed" in made.gate.results[0].verdict
    assert tree(tmp_path / "registry") == before


def test_it_is_released_by_force_and_the_reason_is_recorded(registry, work, tmp_path):
    make(registry, candidate(tmp_path / "first"), work)
    made = make(registry, candidate(tmp_path / "second", names=WORSE), work, forced="the law asks for it")
    assert made.record.version == "1.0.0" and made.record.bump == "major: types were removed or renamed (TEAM)"
    assert made.record.gate.forced == "the law asks for it"
    changes = registry.read(made.record, "CHANGES.md").decode()
    assert "Released although the gate failed**: the law asks for it" in changes


def test_a_reason_that_was_not_needed_is_not_recorded(used, better, tmp_path):
    assert make(used, better, tmp_path / "work", forced="to be safe").record.gate.forced == ""


def test_reviewed_samples_can_fail_the_gate_and_those_that_were_learned_are_left_out(registry, work, tmp_path):
    make(registry, candidate(tmp_path / "first"), work)
    seldom = {"Redis": "INFRA", "Kafka": "INFRA", "Search": "TEAM"}
    reviewed = write_docs(tmp_path / "reviewed.spacy", [2, *range(300, 330)], {"Orders": "TEAM"})
    test = write_docs(tmp_path / "test.spacy", range(200, 224), seldom)
    other = candidate(tmp_path / "second", names=seldom)
    test.replace(other.corpus / "test.spacy")
    made = make(registry, other, work, reviewed=reviewed)
    on_test, on_reviewed = made.gate.results
    assert on_test.is_passed and not on_reviewed.is_passed and made.record is None
    assert (on_reviewed.n_passages, on_reviewed.n_learned) == (31, 0)


def test_reviewed_samples_that_one_pipeline_learned_are_left_out(used, better, tmp_path):
    reviewed = write_docs(tmp_path / "reviewed.spacy", [0, 1, *range(300, 330)])
    made = make(used, better, tmp_path / "work", reviewed=reviewed)
    assert (made.gate.results[1].n_passages, made.gate.results[1].n_learned) == (30, 2)


def test_reviewed_samples_that_were_all_learned_judge_nothing(used, better, tmp_path):
    reviewed = write_docs(tmp_path / "reviewed.spacy", range(4))
    made = make(used, better, tmp_path / "work", reviewed=reviewed)
    assert made.record and made.record.gate.results[1].verdict == "Not judged: no passage is new to both."


def test_test_passages_that_the_version_in_use_learned_are_left_out(registry, work, tmp_path):
    first = candidate(tmp_path / "first", names=WORSE)
    write_docs(tmp_path / "first" / "corpus" / "train.spacy", range(200, 210), WORSE)
    make(registry, gathered(tmp_path / "first"), work)
    made = make(registry, candidate(tmp_path / "second"), work)
    assert first.package == "en_rules"
    assert made.gate.results[0].n_learned == 3 and made.gate.results[0].n_passages == 21


def test_the_same_inputs_again_are_already_released(used, better, tmp_path):
    first = make(used, better, tmp_path / "work")
    before = tree(tmp_path / "registry")
    again = make(used, better, tmp_path / "work", epoch=EPOCH + 9999)
    assert not again.is_new and again.record == first.record and tree(tmp_path / "registry") == before


def test_the_same_pipeline_with_another_licence_is_a_patch_and_nothing_is_compared(registry, work, tmp_path):
    make(registry, candidate(tmp_path / "first"), work)
    made = make(registry, candidate(tmp_path / "first", licence="MIT"), work)
    assert made.record.version == "0.1.1" and made.record.gate.is_same and made.record.gate.results == []


def test_after_a_rollback_the_next_number_is_above_all_that_were_released(used, better, tmp_path):
    make(used, better, tmp_path / "work")
    used.promote("0.2.0", "2026-09-02T00:00:00Z")
    used.rollback("2026-09-03T00:00:00Z")
    made = make(used, candidate(tmp_path / "third", n_train=12), tmp_path / "work")
    assert (made.record.version, made.record.parent) == ("0.3.0", "0.1.0")


def test_the_change_log_tells_scores_data_and_settings(used, better, tmp_path):
    record = make(used, better, tmp_path / "work").record
    changes = used.read(record, "CHANGES.md").decode()
    for line in (
        "# en_rules 0.2.0",
        "| train | 6 | 3 | 0 | 9 |",
        "Types removed: none. Types added: TEAM.",
        "| TEAM | 0.0 | 100.0 | +100.0 |",
    ):
        assert line in changes, changes
    assert not any(name in changes for name in ("Ticket", "deploy"))


def test_a_release_holds_no_text_but_what_the_wheel_holds(used, better, tmp_path):
    record = make(used, better, tmp_path / "work").record
    for name in set(record.files) - set(record.wheels):
        assert b"Ticket" not in used.read(record, name), name
    ReleaseRecord.model_validate_json((tmp_path / "registry/versions/0.2.0/release.json").read_bytes())


def test_a_damaged_baseline_stops_before_anything_is_compared(used, better, tmp_path):
    wheel = tmp_path / "registry" / "versions" / "0.1.0" / "en_rules-0.1.0-py3-none-any.whl"
    wheel.write_bytes(wheel.read_bytes()[:-1])
    with pytest.raises(DomainNerError, match="is damaged: expected SHA-256"):
        make(used, better, tmp_path / "work")
