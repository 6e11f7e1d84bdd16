"""Types that were not annotated, filled in by a trained pipeline: sure answers added, unsure ones unknown."""

import json

import pytest
import spacy
import tiny_pipelines
from pipelines import run

from domain_ner.annotations.passages import LabelledSpan, Passage
from domain_ner.conversion.exports import ImportSettings, read_annotations
from domain_ner.errors import DomainNerError
from domain_ner.pseudo_labels.completing import Limits, complete, types_to_add

TEXT = tiny_pipelines.SENTENCES[0][0]  # The Payments squad runs Redis and Kafka.
SQUAD, REDIS, KAFKA = LabelledSpan(4, 18, "TEAM"), LabelledSpan(24, 29, "INFRA"), LabelledSpan(34, 39, "INFRA")


@pytest.fixture(scope="module")
def folder(tiny_encoder, tmp_path_factory):
    model, _ = tiny_pipelines.saved(tiny_encoder("bert"), tmp_path_factory.mktemp("pipeline"))
    return model


@pytest.fixture
def nlp(folder):
    return spacy.load(folder)


def completed(nlp, passage, types=("INFRA",), **limits):
    passages, done = complete(nlp, [passage], types, Limits(**limits))
    (only,) = passages
    return only, done


def test_sure_entities_are_added_beside_the_annotated_ones(nlp):
    found, done = completed(nlp, Passage(TEXT, (SQUAD,), "a:1"), sure=0.3)
    assert found.spans == (SQUAD, REDIS, KAFKA) and found.unknown == ()
    assert (done.n_passages, done.n_kept, done.added) == (1, 1, {"INFRA": 2})


def test_unsure_text_is_unknown_instead(nlp):
    found, done = completed(nlp, Passage(TEXT, (SQUAD,), "a:1"), sure=1.0, possible=0.3)
    assert found.spans == (SQUAD,) and found.unknown == ((24, 29), (34, 39)) and done.n_unknown == 2


def test_what_people_annotated_stays_and_wins(nlp):
    mine = LabelledSpan(24, 39, "CLUSTER")
    found, _ = completed(nlp, Passage(TEXT, (mine,), "a:1"), sure=0.3, possible=0.01)
    assert found.spans == (mine,)
    assert all(end <= 24 or start >= 39 for start, end in found.unknown)


def test_only_the_wanted_types_are_added(nlp):
    found, _ = completed(nlp, Passage(TEXT, (), "a:1"), types=("TEAM",), sure=0.3)
    assert found.spans == (SQUAD,)


def test_a_passage_of_yes_and_no_answers_stays_one(nlp):
    found, _ = completed(nlp, Passage(TEXT, (), "a:1", partial=True), sure=1.0, possible=0.3)
    assert found.partial and found.unknown == ()


def test_the_types_to_add_are_those_that_are_missing(nlp):
    assert types_to_add(nlp, ["TEAM"], []) == ["INFRA"]
    assert types_to_add(nlp, ["TEAM"], ["TEAM"]) == ["TEAM"]
    with pytest.raises(DomainNerError, match="'INFRA'"):
        types_to_add(nlp, [], ["INFRRA"])
    with pytest.raises(DomainNerError, match="have all types"):
        types_to_add(nlp, ["TEAM", "INFRA"], [])
    with pytest.raises(DomainNerError, match="crf_ner"):
        types_to_add(spacy.blank("en"), [], [])


def test_the_command_writes_a_file_that_convert_reads(folder, write_jsonl, tmp_path):
    rows = [
        {
            "text": text,
            "spans": [{"start": a, "end": b, "label": c} for a, b, c in spans if c == "TEAM"],
            "answer": "accept",
        }
        for text, spans in tiny_pipelines.SENTENCES
    ]
    ran = run(
        "complete_annotations", folder, write_jsonl(rows).parent, tmp_path / "out" / "completed.jsonl", "--sure", 0.5,
        "--possible", 0.2,
    )  # fmt: skip
    assert "INFRA" in ran.stdout and "4 entities of TEAM" in ran.stdout
    merged = {one.text: one for one in read_annotations(tmp_path / "out", ImportSettings()).merged}
    assert set(merged) == {text for text, _ in tiny_pipelines.SENTENCES}
    teams = sum(span.label == "TEAM" for one in merged.values() for span in one.spans)
    assert teams == 4 and any(span.label == "INFRA" for one in merged.values() for span in one.spans)
    first = json.loads((tmp_path / "out" / "completed.jsonl").read_text("utf8").splitlines()[0])
    assert first["text"] == TEXT


def test_a_share_out_of_range_is_refused(folder, write_jsonl, tmp_path):
    ran = run("complete_annotations", folder, tmp_path, tmp_path / "out.jsonl", "--sure", 90, check=False)
    assert ran.returncode == 1 and "0 to 1" in ran.stderr
