"""`evaluate` on several test sets: corpora and exports alike, with review tasks for its advice."""

import json

import pytest
import spacy
from pipelines import convert, run
from spacy.tokens import DocBin

from domain_ner.corpus.docs import entities
from domain_ner.errors import DomainNerError
from domain_ner.evaluation.gold import GoldRules, read_gold
from domain_ner.evaluation.schema import Report


@pytest.fixture(scope="module")
def project(example_rows, tmp_path_factory):
    """A corpus, exports that it has not seen, and a pipeline that takes every word in title case for a service."""
    folder = tmp_path_factory.mktemp("gold")
    corpus = convert(folder, example_rows[:120])
    exports = folder / "later" / "march.jsonl"
    exports.parent.mkdir()
    later = [row for row in example_rows[400:440] if row["answer"] == "accept"]
    exports.write_text("".join(json.dumps(row) + "\n" for row in later), encoding="utf8")
    nlp = spacy.blank("en", config={"nlp": {"tokenizer": {"@tokenizers": "domain_ner.Tokenizer.v1"}}})
    nlp.add_pipe("entity_ruler").add_patterns([{"label": "SERVICE", "pattern": [{"IS_TITLE": True}]}])
    nlp.to_disk(folder / "model")
    return folder, corpus, exports, nlp


def test_exports_are_read_as_annotated_in_the_pipelines_tokens(project):
    _, corpus, exports, nlp = project
    docs = read_gold(exports, nlp, GoldRules(prefer=["*"]))
    rows = {json.loads(line)["text"]: json.loads(line) for line in exports.read_text("utf8").splitlines()}
    assert len(docs) == len(rows)
    for doc in docs:
        assert [token.text for token in doc][:3] == [token.text for token in nlp.make_doc(doc.text)][:3]
        assert len(entities(doc)) <= len(rows[doc.text]["spans"])
    n_gold = sum(len(entities(doc)) for doc in docs)
    assert n_gold > 50
    assert len(read_gold(corpus / "test.spacy", nlp)) == len(DocBin().from_disk(corpus / "test.spacy"))


def test_exports_that_are_not_there_are_told(project):
    with pytest.raises(DomainNerError, match=r"none\.jsonl"):
        read_gold(project[0] / "none.jsonl", project[-1])


def test_evaluate_reports_every_test_set_and_writes_review_tasks(project):
    folder, corpus, exports, _ = project
    reports = folder / "reports" / "of evaluate"
    command = ["evaluate_model", folder / "model", corpus / "test.spacy", folder / "metrics.json", "--reports", reports]
    also = f"{exports} {corpus / 'dev.spacy'}"
    told = run(*command, "--train", corpus / "train.spacy", "--also", also, "--prefer", "*")
    report = Report.model_validate_json((reports / "evaluation.json").read_text("utf8"))
    assert list(report.test_sets) == ["march", "dev"]
    assert report.test_sets["march"].micro.support > 50
    assert report.test_sets["dev"].n_passages == len(DocBin().from_disk(corpus / "dev.spacy"))
    assert "<h3>Other test sets</h3>" in (reports / "evaluation.html").read_text("utf8")
    queues = [tip.queue for tip in report.advice if tip.queue]
    files = sorted(path.name for path in (reports / "queues").iterdir())
    assert queues and len(files) == 3 * len(queues) + 1 and "README.md" in files
    rows = (reports / f"{queues[0]}.prodigy.jsonl").read_text("utf8").splitlines()
    tip = next(tip for tip in report.advice if tip.queue)
    assert len(rows) == len(tip.passages) and json.loads(rows[0])["meta"]["review"][0].startswith(tip.label)
    assert f"{reports / 'queues'}" in told.stdout
    # Another run puts its own in their place.
    (reports / "queues" / "old.jsonl").write_text("old")
    run(*command)
    assert not (reports / "queues" / "old.jsonl").exists()


def test_two_test_sets_of_one_name_are_told_apart(project):
    folder, corpus, exports, _ = project
    other = folder / "other" / "march.jsonl"
    other.parent.mkdir()
    other.write_text(exports.read_text("utf8"), encoding="utf8")
    reports = folder / "twice"
    command = ["evaluate_model", folder / "model", corpus / "test.spacy", folder / "metrics.json", "--reports", reports]
    run(*command, "--also", f"{exports} {other}", "--prefer", "*")
    report = json.loads((reports / "evaluation.json").read_text("utf8"))
    assert list(report["test_sets"]) == [str(exports), str(other)]


def test_a_test_set_called_test_stands_beside_the_test_corpus(project):
    folder, corpus, _, _ = project
    (folder / "again").mkdir(exist_ok=True)
    other = folder / "again" / "test.spacy"
    other.write_bytes((corpus / "dev.spacy").read_bytes())
    command = ["evaluate_model", folder / "model", corpus / "test.spacy", folder / "metrics.json"]
    run(*command, "--reports", folder / "named", "--also", str(other))
    report = json.loads((folder / "named" / "evaluation.json").read_text("utf8"))
    assert list(report["test_sets"]) == [str(other)]
    assert f"| type | `test` | `{other}` |" in (folder / "named" / "evaluation.md").read_text("utf8")


def test_exports_of_another_test_set_become_documents_as_those_of_the_corpus_do(tmp_path):
    nlp = spacy.blank("en")

    def row(annotator, text, *spans):
        marked = [{"start": start, "end": end, "label": label} for start, end, label in spans]
        return {"text": text, "spans": marked, "answer": "accept", "_annotator_id": annotator}

    rows = [
        row("one", "Bank of Oslo", (0, 12, "ORG"), (8, 12, "LOC")),
        row("one", "Redis fell", (0, 5, "ORG")),
        row("two", "Redis fell", (0, 5, "LOC")),
    ]
    path = tmp_path / "march.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf8")
    with pytest.raises(DomainNerError, match="contradicting"):
        read_gold(path, nlp)
    found = read_gold(path, nlp, GoldRules(conflicts="unknown", overlaps="innermost"))
    assert [sorted(entities(doc)) for doc in found] == [[(8, 12, "LOC")], []]
