"""The guide's sentences as passages to train on: what is in them, and the corpus that `guide-examples` writes."""

import json

import pytest
import spacy
from conftest import GUIDE
from pipelines import run
from spacy.tokens import DocBin

from domain_ner.guide.schema import load_guide
from domain_ner.guide.sentences import guide_passages

SMALL = """
types:
  - label: TEAM
    definition: "Who does it."
    examples:
      - "Ask [Billing](TEAM) before noon, not [Kafka](INFRA)."
      - "Ask [Billing](TEAM) before noon, not [Kafka](INFRA)."
      - "[Billing](TEAM is broken markup."
    edge_cases:
      - text: "Our team is unnamed."
        why: "Nobody could say which."
  - label: INFRA
    definition: "What runs."
    examples: ["[Kafka](INFRA) was down for [Nobody](OTHER)."]
"""


@pytest.fixture
def small(tmp_path):
    path = tmp_path / "guide.yml"
    path.write_text(SMALL)
    return path


@pytest.fixture
def tokenizer(tmp_path):
    path = tmp_path / "tokenizer.json"
    path.write_text(json.dumps({"splits": [], "normalize": ""}))
    return path


def read(path):
    return list(DocBin().from_disk(path).get_docs(spacy.blank("en").vocab))


def test_each_sentence_is_a_passage_once_and_what_is_not_marked_is_no_entity(small):
    found = [(one.text, [(one.text[span.start : span.end], span.label) for span in one.spans], one.partial)
             for one in guide_passages(load_guide(small))]  # fmt: skip
    assert found == [
        ("Ask Billing before noon, not Kafka.", [("Billing", "TEAM"), ("Kafka", "INFRA")], False),
        ("Our team is unnamed.", [], False),
        ("Kafka was down for Nobody.", [("Kafka", "INFRA")], False),
    ]


def test_every_sentence_of_the_example_is_written_with_all_its_entities(tmp_path, tokenizer):
    passages = list(guide_passages(load_guide(GUIDE)))
    ran = run("guide_examples", GUIDE, tmp_path / "guide.spacy", "--tokenizer", tokenizer)
    docs = read(tmp_path / "guide.spacy")
    assert [doc.text for doc in docs] == [one.text for one in passages]
    found = [sorted((ent.start_char, ent.end_char, ent.label_) for ent in doc.ents) for doc in docs]
    assert found == [sorted((span.start, span.end, span.label) for span in one.spans) for one in passages]
    assert f"with {len(docs)} of {len(docs)} sentences" in ran.stdout


def test_sentences_of_the_corpora_are_left_out(small, tokenizer, tmp_path):
    held_out = tmp_path / "test.spacy"
    DocBin(docs=[spacy.blank("en")("Ask Billing before noon, not Kafka.")]).to_disk(held_out)
    run("guide_examples", small, tmp_path / "guide.spacy", "--tokenizer", tokenizer, "--annotated", held_out)
    assert [doc.text for doc in read(tmp_path / "guide.spacy")] == [
        "Our team is unnamed.", "Kafka was down for Nobody.",
    ]  # fmt: skip
    all_of_them = tmp_path / "guide.spacy"
    ran = run("guide_examples", small, tmp_path / "other.spacy", "--tokenizer", tokenizer,
              "--annotated", held_out, "--annotated", all_of_them, check=False)  # fmt: skip
    assert ran.returncode == 1
    assert "All 3 sentences of" in ran.stderr
    assert not (tmp_path / "other.spacy").exists()


def test_another_kind_of_file_is_refused(small, tokenizer, tmp_path):
    ran = run("guide_examples", small, tmp_path / "guide.jsonl", "--tokenizer", tokenizer, check=False)
    assert (ran.returncode, "expected a file that ends with .spacy" in ran.stderr) == (1, True)
    assert not (tmp_path / "guide.jsonl").exists()


def test_a_folder_in_the_place_of_the_corpus_is_kept(small, tokenizer, tmp_path):
    (tmp_path / "guide.spacy").mkdir()
    ran = run("guide_examples", small, tmp_path / "guide.spacy", "--tokenizer", tokenizer, check=False)
    assert (ran.returncode, "is a folder; expected a file, or none" in ran.stderr) == (1, True)
    assert (tmp_path / "guide.spacy").is_dir()


def test_without_the_tokenizer_it_says_what_to_run_first(small, tmp_path):
    ran = run("guide_examples", small, tmp_path / "guide.spacy", "--tokenizer", tmp_path / "none.json", check=False)
    assert (ran.returncode, "Run convert first" in ran.stderr) == (1, True)
    assert not (tmp_path / "guide.spacy").exists()


def test_a_guide_without_sentences_is_told(tokenizer, tmp_path):
    bare = tmp_path / "bare.yml"
    bare.write_text("types:\n  - {label: TEAM, definition: Who does it.}\n")
    ran = run("guide_examples", bare, tmp_path / "guide.spacy", "--tokenizer", tokenizer, check=False)
    assert (ran.returncode, "no marked sentence" in ran.stderr) == (1, True)
