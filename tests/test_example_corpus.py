"""The quality gate of the shipped example: large, varied, honest, and not to be solved by looking names up."""

import json
import re
from collections import Counter

import pytest
import srsly
from conftest import ANNOTATIONS, LABELS, ROOT

from domain_ner.annotations.outcomes import OVERRULED
from domain_ner.conversion.exports import ImportSettings, read_annotations
from domain_ner.corpus.assignments import SplitAssignment
from domain_ner.corpus.near_duplicates import group_near_duplicates
from domain_ner.corpus.splits import SplitRules, divide, parse_fractions
from domain_ner.guide.inconsistencies import majority_label, surface_labels
from domain_ner.guide.occurrences import find_occurrences, index_names
from domain_ner.metrics.scores import score_entities

GENRES = {
    "incident report", "post-mortem", "chat", "code review", "design doc", "runbook", "release notes", "ticket",
    "handover", "readme", "meeting notes",
}  # fmt: skip
VARS = srsly.read_yaml(ROOT / "project.yml")["vars"]
TRAILING_NOUN = {"SERVICE": r" (service|API|app)\b", "TEAM": r" (team|squad|guild)\b"}


@pytest.fixture(scope="module")
def result():
    return read_annotations(ANNOTATIONS, ImportSettings(labels=LABELS, prefer=VARS["prefer"].split(",")))


@pytest.fixture(scope="module")
def splits(result):
    """The splits of the project's own settings."""
    former = SplitAssignment.from_json(json.loads((ROOT / "assets" / "splits.json").read_text(encoding="utf8")))
    rules = SplitRules(parse_fractions(VARS["splits"]), VARS["group_by"], VARS["seed"], former)
    return divide(result.merged, rules).splits


@pytest.fixture(scope="module")
def mentions(result):
    """Every mention as (label, surface, what follows in the text)."""
    return [
        (span.label, passage.text[span.start : span.end], passage.text[span.end : span.end + 12])
        for passage in result.merged
        for span in passage.spans
    ]


def n_words(passage):
    return len(passage.text.split())


def surfaces(passages):
    return {passage.text[span.start : span.end] for passage in passages for span in passage.spans}


def test_there_are_enough_passages_words_and_documents(result):
    assert len(result.merged) >= 1000
    several = [passage for passage in result.merged if len(re.findall(r"[.!?](\s|$)", passage.text)) > 1]
    assert sum(map(n_words, several)) >= 10_000
    assert sum(400 <= n_words(passage) <= 1200 for passage in result.merged) >= 20


def test_there_are_enough_mentions_of_each_type(mentions):
    counts = Counter(label for label, _, _ in mentions)
    assert set(counts) == set(LABELS)
    assert min(counts.values()) >= 500


def test_most_surfaces_occur_once(mentions):
    counts = Counter(surface for _, surface, _ in mentions)
    assert sum(n == 1 for n in counts.values()) / len(counts) >= 0.65


def test_there_are_tempting_passages_without_any_entity(result):
    without = [passage for passage in result.merged if not passage.spans]
    assert len(without) >= 120
    tempting = re.compile(
        r"database|queue|cache|API|service|team|deploy|python|java|kubectl|git|config|server|test|release|Jenkins|Kafka",
        re.IGNORECASE,
    )
    assert sum(bool(tempting.search(passage.text)) for passage in without) >= 100


def test_some_passages_have_two_annotators_and_some_were_rejected_or_ignored(result):
    assert len(result.passages) - len(result.merged) >= 50
    assert result.ledger.outcomes()[OVERRULED] >= 1
    assert result.documents["rejected"] >= 5
    assert result.documents["ignored"] >= 3


def test_no_two_passages_are_nearly_the_same(result):
    texts = [passage.text for passage in result.merged]
    assert group_near_duplicates(texts, n=5, threshold=0.5) == list(range(len(texts)))


def test_the_test_set_holds_organisations_and_names_that_training_never_saw(splits):
    orgs = {name: {passage.meta["org"] for passage in found} for name, found in splits.items()}
    assert not orgs["test"] & (orgs["train"] | orgs["dev"])
    tested = surfaces(splits["test"])
    assert len(tested - surfaces(splits["train"])) >= 0.5 * len(tested)


def test_shares_are_near_what_the_project_asks_for(splits):
    n_all = sum(map(len, splits.values()))
    for name, share in parse_fractions(VARS["splits"]).items():
        assert abs(len(splits[name]) / n_all - share) < 0.05


def test_looking_names_up_does_not_solve_it(splits):
    """The "majority surface" baseline: every name of the training set, with its most frequent type."""
    labels = surface_labels(splits["train"])
    names = index_names(labels)
    pairs = []
    for passage in splits["test"]:
        found = find_occurrences(passage.text, names, [])
        predicted = [(start, end, majority_label(labels[passage.text[start:end]])) for start, end in found]
        pairs.append(([(span.start, span.end, span.label) for span in passage.spans], predicted))
    scores = score_entities(pairs)
    assert scores.micro.f1 < 0.45
    assert scores.micro.n_correct > 0


def test_every_genre_has_a_rich_vocabulary(result):
    words = {genre: [] for genre in GENRES}
    for passage in result.merged:
        words[passage.meta["source"]] += re.findall(r"\w+", passage.text.lower())
    for genre, found in words.items():
        assert len(set(found[:3000])) / len(found[:3000]) >= 0.3, genre


def test_every_passage_says_which_organisation_and_genre_it_is(example_rows):
    assert all(row["meta"].keys() >= {"org", "source"} for row in example_rows)
    assert len({row["meta"]["org"] for row in example_rows}) >= 15
    assert {row["meta"]["source"] for row in example_rows} == GENRES


def test_a_noun_that_belongs_to_the_name_is_inside_the_span(mentions):
    outside = [m for m in mentions if m[0] in TRAILING_NOUN and re.match(TRAILING_NOUN[m[0]], m[2])]
    assert not outside


def test_keys_have_no_value_and_paths_no_host_or_query(mentions):
    assert not [surface for label, surface, _ in mentions if label == "CONFIG" and "=" in surface]
    paths = [surface for label, surface, _ in mentions if label == "ENDPOINT"]
    assert all(path.startswith("/") and "?" not in path and "://" not in path for path in paths)


def test_tokens_and_spans_agree_as_in_a_real_export(example_rows):
    for row in example_rows:
        tokens = row["tokens"]
        assert "".join(token["text"] + " " * token["ws"] for token in tokens) == row["text"]
        for span in row["spans"]:
            assert tokens[span["token_start"]]["start"] == span["start"]
            assert tokens[span["token_end"]]["end"] == span["end"]
