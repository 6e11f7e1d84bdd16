"""`pseudo-label` from raw texts to proven labels, and `distil`, by their commands."""

import json

import pytest
import spacy
from pipelines import run
from spacy.tokens import DocBin
from watched import passages, trained

from domain_ner.annotations.doc_keys import MARGINALS_KEY
from domain_ner.pseudo_labels.raw_texts import new_texts

GIVEN = dict(passages(150, "raw"))
HELD_OUT = dict(passages(20, "test"))
# Some differ from a held-out one in a word or so.
NEW = new_texts(list(GIVEN), list(HELD_OUT))


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    return trained(tmp_path_factory.getbasetemp() / "watched") / "model"


@pytest.fixture
def raw(tmp_path):
    path = tmp_path / "raw.jsonl"
    texts = [*GIVEN, *HELD_OUT, "", next(iter(GIVEN))]
    path.write_text("".join(json.dumps({"text": text}) + "\n" for text in texts))
    return path


@pytest.fixture
def held_out(tmp_path):
    """A folder with a corpus of texts that must not be labelled."""
    nlp = spacy.blank("en")
    (tmp_path / "corpus").mkdir()
    DocBin(docs=map(nlp.make_doc, HELD_OUT)).to_disk(tmp_path / "corpus" / "test.spacy")
    return tmp_path / "corpus"


def read(path):
    return list(DocBin().from_disk(path).get_docs(spacy.blank("en").vocab))


def review(folder, *, wrong=lambda text: False):
    """Answer the tasks as Prodigy exports them, with the truth, or with nothing where the labels shall be wrong."""
    rows = [json.loads(line) for line in (folder / "tasks.prodigy.jsonl").read_text("utf8").splitlines()]
    answers = []
    for row in rows:
        assert row["spans"] == []
        spans = [] if wrong(row["text"]) else (GIVEN | HELD_OUT)[row["text"]]
        found = [{"start": start, "end": end, "label": label} for start, end, label in spans]
        answers.append({"text": row["text"], "spans": found, "answer": "accept", "_view_id": "ner_manual"})
    (folder / "reviewed" / "all.jsonl").write_text("".join(json.dumps(row) + "\n" for row in answers))


def test_labels_are_admitted_once_a_review_proves_them(model, raw, held_out, tmp_path):
    output, silver = tmp_path / "labels", tmp_path / "silver"
    silver.mkdir()
    told = run("pseudo_label", model, raw, output, "--annotated", held_out, "--sure", "0.5", "--n", "80").stdout
    docs = read(output / "pseudo.spacy")
    assert sorted(doc.text for doc in docs) == sorted(NEW)
    assert f"{len(NEW)} of {len(GIVEN) + len(HELD_OUT) + 2} texts" in told
    record = json.loads((output / "pseudo-labels.json").read_text("utf8"))
    assert record["n_passages"] == len(NEW) and record["pipeline"]["name"] == "en_watched"
    admit = ("pseudo_label", output, "--silver", silver)
    ran = run(*admit, check=False)
    assert ran.returncode == 1 and "There is no review" in ran.stderr
    review(output / "sample")
    run("review_sample", output / "sample")
    ran = run(*admit, check=False)
    assert ran.returncode == 1 and "proves nothing: it has no contract" in ran.stderr
    run("review_sample", output / "sample", "--contract", "all precision >= 0.9")
    assert "proven: all precision >= 0.9" in run(*admit).stdout
    assert (silver / "labels.spacy").read_bytes() == (output / "pseudo.spacy").read_bytes()


def test_labels_that_are_not_proven_or_not_what_was_reviewed_are_refused(model, raw, tmp_path):
    output, silver = tmp_path / "labels", tmp_path / "silver"
    run("pseudo_label", model, raw, output, "--sure", "0.5", "--n", "80")
    review(output / "sample", wrong=lambda text: "Redis" in text)
    ran = run("review_sample", output / "sample", "--contract", "all precision >= 0.9", check=False)
    assert ran.returncode == 1
    ran = run("pseudo_label", output, "--silver", silver, check=False)
    assert ran.returncode == 1 and "not proven: all precision >= 0.9: at least 0." in ran.stderr
    review(output / "sample")
    run("review_sample", output / "sample", "--contract", "all precision >= 0.5")
    (output / "pseudo.spacy").write_bytes((output / "pseudo.spacy").read_bytes() + b" ")
    ran = run("pseudo_label", output, "--silver", silver, check=False)
    assert ran.returncode == 1 and "is not what was reviewed" in ran.stderr
    assert not silver.exists()


def test_drafts_count_by_how_far_they_can_be_trusted(model, raw, tmp_path):
    drafts = tmp_path / "drafts.jsonl"
    rows = []
    for text, entities in GIVEN.items():
        spans = [{"start": start, "end": end, "label": label} for start, end, label in entities]
        rows.append({"text": text, "spans": spans, "answer": "accept", "_view_id": "ner_manual"})
    drafts.write_text("".join(json.dumps(row) + "\n" for row in rows))
    told = run("pseudo_label", model, raw, tmp_path / "labels", "--drafts", drafts).stdout
    assert "by estimate: share of the entities that it names" in told
    record = json.loads((tmp_path / "labels" / "pseudo-labels.json").read_text("utf8"))
    assert record["named"][str(drafts)]["INFRA"] > 0.8


def test_what_does_not_fit_is_refused(model, raw, held_out, tmp_path):
    (held_out / "in.txt").write_text(next(iter(HELD_OUT)))
    for arguments, message in (
        ((model, tmp_path / "out"), "Two paths are given"),
        ((tmp_path / "out",), "There are no labels in"),
        ((model, raw, tmp_path / "out", "--sure", "2"), "vars.sure is 2; expected a share"),
        ((model, held_out / "in.txt", tmp_path / "out", "--annotated", held_out), "None of 1 texts is new"),
    ):
        ran = run("pseudo_label", *arguments, check=False)
        assert ran.returncode == 1 and message in ran.stderr, ran.stderr
    run("pseudo_label", model, raw, tmp_path / "out")
    ran = run("pseudo_label", model, raw, tmp_path / "out", check=False)
    assert ran.returncode == 1 and "holds labels already" in ran.stderr


def test_distil_writes_marginals_of_new_texts(model, raw, held_out, tmp_path):
    output = tmp_path / "silver" / "distilled.spacy"
    told = run("distil_pipeline", model, raw, output, "--annotated", held_out, "--also", model).stdout
    docs = read(output)
    assert len(docs) == len(NEW) and all(MARGINALS_KEY in doc.user_data for doc in docs)
    assert f"written: {output}, with {len(docs)} texts" in told
    warned = run("distil_pipeline", model, raw, output)
    assert "Without --annotated" in warned.stdout
    ran = run("distil_pipeline", model, raw, tmp_path / "x.jsonl", check=False)
    assert ran.returncode == 1 and "expected a file that ends with .spacy" in ran.stderr
