"""Annotations that are likely wrong: found by models that did not learn them, and written as review tasks."""

import json
import random
import re

import jsonschema
import pytest
import spacy
from pipelines import convert, create_config, fetch, run
from spacy.tokens import DocBin

from domain_ner.annotations.passages import LabelledSpan, Passage
from domain_ner.conversion.exports import ImportSettings, read_annotations
from domain_ner.corpus.docs import DocRules, make_doc
from domain_ner.corpus.tokenizer import create_tokenizer
from domain_ner.errors import DomainNerError
from domain_ner.evaluation.label_errors import OutOfSample, make_folds, rank, report, review_tasks
from domain_ner.evaluation.predicting import evaluate_doc
from domain_ner.evaluation.suspect_schema import LabelErrors
from domain_ner.metrics.suspects import LACKING_ANNOTATION, NEEDLESS_ANNOTATION, OTHER_TYPE
from domain_ner.reports.label_errors_markdown import label_errors_markdown
from domain_ner.writers.queues import write_queue

TEXT = "Payments 🎉 uses Redis and Kafka."
TOKENIZER = create_tokenizer()(spacy.blank("en"))


def span(words, label):
    return LabelledSpan(TEXT.index(words), TEXT.index(words) + len(words), label)


def entity(words, label):
    return (TEXT.index(words), TEXT.index(words) + len(words), label)


def judged(*annotated, text=TEXT, normalize="", **predicted):
    """A gold document, and what a model says of it: words to (label, probability)."""
    spans = tuple(sorted(annotated))
    passage = Passage(text, spans, "a.jsonl:3", {"org": "x"}, annotator="ann", rows=tuple(range(len(spans))))
    gold = make_doc(passage, DocRules(TOKENIZER, normalize=normalize)).doc
    doc = TOKENIZER(gold.text)
    doc.set_ents([doc.char_span(*entity(words, label)[:2], label=label) for words, (label, _) in predicted.items()])
    probable = {entity(words, label): sure for words, (label, sure) in predicted.items()}
    return gold, OutOfSample(evaluate_doc(gold, doc), probable)


@pytest.fixture
def found():
    one = judged(span("Payments", "TEAM"), span("Redis", "TEAM"), Redis=("INFRA", 0.9), Kafka=("INFRA", 0.8))
    two = judged(span("Redis", "INFRA"), Redis=("INFRA", 0.9), Kafka=("INFRA", 0.95))
    docs, outs = zip(*(one, two), strict=True)
    return list(docs), list(outs)


def test_folds_hold_each_passage_once_and_alike_many():
    texts = [f"passage {n}" for n in range(23)]
    folds = make_folds(texts, 5, seed=1)
    assert sorted(n for fold in folds for n in fold) == list(range(23))
    assert {len(fold) for fold in folds} == {4, 5}
    assert folds == make_folds(texts, 5, seed=1) != make_folds(texts, 5, seed=2)


def test_passages_that_are_nearly_the_same_are_in_one_fold():
    """A model that learned the one, with its mistake, would not doubt the other."""
    same = "at noon the squad restarted redis and kafka because of a full disk on the second node in oslo"
    texts = [f"{n} quite another text {n}" for n in range(20)] + [f"{same} {n}" for n in range(4)]
    for fold in make_folds(texts, 4, seed=0):
        assert len([n for n in fold if n >= 20]) in (0, 4)


@pytest.mark.parametrize("n_folds", [1, 3, 0])
def test_too_few_passages_are_refused(n_folds):
    with pytest.raises(DomainNerError, match=f"5 different passages in {n_folds} folds"):
        make_folds([f"passage {n}" for n in range(5)], n_folds, seed=0)


def test_suspects_are_ranked_over_all_documents(found):
    """`Redis` is INFRA elsewhere, and `Kafka`, never annotated, comes once more: that counts beside the models."""
    _, outs = found
    ranked = [(n, one.kind, one.annotated or one.suggested) for n, one in rank(outs)]
    assert ranked == [
        (0, NEEDLESS_ANNOTATION, (entity("Payments", "TEAM"),)),
        (0, OTHER_TYPE, (entity("Redis", "TEAM"),)),
        (1, LACKING_ANNOTATION, (entity("Kafka", "INFRA"),)),
        (0, LACKING_ANNOTATION, (entity("Kafka", "INFRA"),)),
    ]
    scores = [one.score for _, one in rank(outs)]
    assert scores == pytest.approx([1.0, (2 * 0.9 + 1) / 3, 2 * 0.95 / 3, 2 * 0.8 / 3])


def test_the_same_words_annotated_alike_elsewhere_clear_an_annotation():
    given = [judged(span("Payments", "TEAM"), span("Redis", "INFRA")) for _ in range(3)]
    doubted = rank([out for _, out in given])
    # 2 of 4: two other places, and a model that is worth two and sees nothing.
    assert [one.score for _, one in doubted] == pytest.approx([0.5] * 6)


def test_report_shows_them_in_context_and_holds_to_its_schema(found):
    docs, outs = found
    made = report(docs, outs, n_folds=5)
    jsonschema.validate(json.loads(made.model_dump_json()), LabelErrors.model_json_schema())
    assert (made.n_passages, made.n_annotations) == (2, 3)
    second = made.suspects[2]
    assert [second.text[mark.start : mark.end] for mark in second.suggested] == ["Kafka"]
    assert (second.source, second.annotator, second.annotated) == ("a.jsonl:3", "ann", [])
    told = label_errors_markdown(made)
    # Of the four that the models suggested as INFRA one is annotated: (1 + 1) / (4 + 2).
    assert (second.score, second.evidence) == (pytest.approx(1 / 3, abs=1e-3), pytest.approx(2 * 0.95 / 3, abs=1e-3))
    assert "- 33.3 % missing annotation, `a.jsonl:3`: nothing → `Kafka` INFRA" in told
    assert told.index("| **all** | 25.0 | 33.3 | 28.6 | 3 |") < told.index("## Suspects in context")


def test_nothing_suspicious_is_a_report_that_says_so(tmp_path):
    gold, out = judged(span("Redis", "INFRA"), Redis=("INFRA", 0.9))
    assert "0 places differ" in label_errors_markdown(report([gold], [out], n_folds=2))
    queue = tmp_path / "label_errors"
    (tmp_path / "label_errors.prodigy.jsonl").write_text("of an earlier run")
    assert write_queue(review_tasks([gold], [out], n=10), queue, lang="en") == []
    assert list(tmp_path.iterdir()) == []


def test_tasks_are_the_passages_as_annotated_with_what_is_suspicious(found):
    tasks = review_tasks(*found, n=3)
    assert [task.meta["review"] for task in tasks] == [
        [
            "needless annotation: 'Payments' TEAM -> nothing (0.25)",
            "wrong type: 'Redis' TEAM -> 'Redis' INFRA (0.33)",
        ],
        ["missing annotation: nothing -> 'Kafka' INFRA (0.33)"],
    ]
    assert tasks[0].spans == (span("Payments", "TEAM"), span("Redis", "TEAM"))
    assert tasks[0].suggested == (span("Redis", "INFRA"),)
    assert tasks[1].suggested == (span("Redis", "INFRA"), span("Kafka", "INFRA"))


def test_tasks_have_the_offsets_of_the_text_that_annotators_saw():
    """With white space normalised, the model's text is another."""
    seen = TEXT.replace(" ", "   ")
    where = LabelledSpan(seen.index("Redis"), seen.index("Redis") + 5, "INFRA")
    gold, out = judged(where, text=seen, normalize="whitespace", Redis=("INFRA", 0.9), Kafka=("INFRA", 0.95))
    [task] = review_tasks([gold], [out], n=1)
    assert [task.text[one.start : one.end] for one in task.suggested] == ["Redis", "Kafka"]
    assert task.text == seen


def test_queue_reads_back_as_the_annotations_that_stand(found, tmp_path):
    paths = write_queue(review_tasks(*found, n=10)[:1], tmp_path / "label_errors", lang="en")
    assert [path.name for path in paths] == [
        "label_errors.prodigy.jsonl", "label_errors.label_studio.json", "label_errors.doccano.jsonl",
    ]  # fmt: skip
    for path in paths:
        read = read_annotations(path, ImportSettings(reading="predictions=yes"))
        [passage] = read.merged
        assert (passage.text, passage.spans) == (TEXT, (span("Payments", "TEAM"), span("Redis", "TEAM"))), path
    [row] = map(json.loads, paths[0].read_text("utf8").splitlines())
    assert "answer" not in row and row["meta"]["score"] == 0.25
    [task] = json.loads(paths[1].read_text("utf8"))
    assert [one["model_version"] for one in task["predictions"]] == ["as annotated", "suggested"]
    assert [len(one["result"]) for one in task["predictions"]] == [2, 2]


WORDS = [f"{one}{two}" for one in ("ba", "ko", "mi", "tu", "ra", "se") for two in ("nd", "lk", "rt", "mp", "sh", "zz")]


def easy_rows(n):
    """Rows in which each name is told by its look, and every tenth of which lacks its annotation."""
    rng, rows = random.Random(0), []
    for number in range(n):
        words = rng.choices(WORDS, k=9)
        name = f"Redis{rng.randrange(1000)}"
        start = len(" ".join([*words[:4], ""]))
        spans = [{"start": start, "end": start + len(name), "label": "INFRA"}] if number % 10 else []
        rows.append({"text": " ".join([*words[:4], name, *words[4:]]), "spans": spans, "answer": "accept"})
    return rows


def prepare(folder, encoder, rows, *options):
    """The command's arguments for a small corpus."""
    card = fetch(folder, encoder)
    corpus = convert(folder, rows)
    config = create_config(folder, card, corpus, *options)
    return [
        "find_label_errors", config, corpus / "train.spacy", corpus / "dev.spacy", "--reports", folder / "reports",
        "--work", folder / "work", "--folds", "2", "--n", "5",
    ]  # fmt: skip


@pytest.fixture(scope="module")
def searched(tmp_path_factory):
    """Where the command wrote, its arguments, and what it printed, with models that know the type."""
    folder = tmp_path_factory.mktemp("errors")
    command = prepare(folder, "cnn", easy_rows(100), "--epochs", "12")
    return folder, command, run(*command)


def test_every_passage_is_predicted_and_the_work_is_cleaned_up(searched):
    folder, _, told = searched
    found = LabelErrors.model_validate_json((folder / "reports" / "label_errors.json").read_text("utf8"))
    n_docs = sum(len(DocBin().from_disk(folder / "corpus" / f"{name}.spacy")) for name in ("train", "dev"))
    assert (found.n_passages, found.n_folds) == (n_docs, 2)
    assert sum(len(one.annotated) for one in found.suspects) <= found.n_annotations
    assert "fold 2 of 2" in told.stdout and not (folder / "work").exists()
    evidence = [one.evidence for one in found.suspects]
    assert evidence == sorted(evidence, reverse=True)


def test_how_far_the_models_can_be_believed_is_told_first_and_bounds_every_claim(searched):
    folder, _, told = searched
    found = LabelErrors.model_validate_json((folder / "reports" / "label_errors.json").read_text("utf8"))
    known = found.held_out["INFRA"]
    assert known.f1 > 0.5 and found.held_out[""].f1 == known.f1
    assert told.stdout.index("annotations that they were not trained on") < told.stdout.index("likely an error")
    lacking = [one for one in found.suspects if one.kind == LACKING_ANNOTATION]
    assert len(lacking) >= 5 and all(0 < one.score <= max(known.precision, 0.5) + 0.02 for one in lacking)
    assert all(one.score <= one.evidence for one in found.suspects)


def test_models_that_agree_with_nothing_are_refused(tmp_path, example_rows):
    """What they do not find would be `100 % needless annotation`."""
    command = prepare(tmp_path, "cnn", example_rows[:30])
    told = run(*command, check=False)
    assert told.returncode == 1
    assert re.search(
        r"an F1 of \d\.\d on annotations that they were not trained on \(.*INFRA \d.*\); expected at least 40",
        told.stderr,
    )
    assert "vars.epochs" in told.stderr
    assert not (tmp_path / "reports" / "label_errors.json").exists()


def test_what_is_missing_is_said(searched):
    folder, command, _ = searched
    told = run("find_label_errors", folder / "none.cfg", *command[2:], check=False)
    assert told.returncode == 1 and "Run create-config first" in told.stderr
    config = folder / "transition.cfg"
    config.write_text(command[1].read_text("utf8").replace("crf_ner", "ner"), encoding="utf8")
    told = run("find_label_errors", config, *command[2:], check=False)
    assert told.returncode == 1 and "has no crf_ner" in told.stderr and "vars.head" in told.stderr
    told = run(*command[:-4], "--folds", "200", check=False)
    assert told.returncode == 1 and "expected at least 2 folds" in told.stderr
