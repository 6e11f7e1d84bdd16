"""Lists of names, and what the guide itself names."""

import json
import time

import pytest
from asked import GUIDE
from conftest import GUIDE as EXAMPLE

from domain_ner.drafting.gazetteer import make_gazetteer
from domain_ner.drafting.names import Names
from domain_ner.drafting.patterns import guide_names, pattern_spans
from domain_ner.errors import DomainNerError
from domain_ner.guide.schema import load_guide


def names_of(*names):
    made = Names()
    for name in names:
        made.add(name, "INFRA")
    return made


def found(text, *names):
    return [(text[one.start : one.end], one.score) for one in names_of(*names).find(text)]


def test_the_longest_name_wins_and_names_stand_alone():
    assert found("Argo CD, not Argo nor argo-cd.", "Argo", "Argo CD") == [("Argo CD", 1.0), ("Argo", 1.0)]
    assert found("xRedis Redis2 redis-a @Redis Redis_b", "Redis") == []


@pytest.mark.parametrize(
    ("text", "name", "score"),
    [
        ("redis", "Redis", 0.5), ("REDIS", "Redis", 0.5), ("Redis", "redis", 0.5), ("it", "IT", None),
        ("go", "Go", None), ("Go", "Go", 1.0), ("lagos", "LAGOS", None), ("LAGOS", "LAGOS", 1.0),
        ("STRASSE", "Straße", 0.5), ("straße", "Strasse", 0.5), ("Οδος", "ΟΔΟΣ", None), ("οδός", "Οδός", 0.5),
        ("Cafe\u0301", "Café", 1.0), ("Café", "Cafe\u0301", 1.0), ("Café", "Cafe", None),
        ("Argo\n  CD", "Argo CD", 1.0),
        ("ArgoCD", "Argo CD", None), ("C++", "C++", 1.0), (".NET", ".NET", 1.0),
    ],
)  # fmt: skip
def test_letter_case_accents_and_white_space(text, name, score):
    assert [one for _, one in found(f"to {text}, too", name)] == ([] if score is None else [score])


def test_a_name_of_two_types_is_half_of_each():
    names = names_of("Billing")
    names.add("Billing", "TEAM")
    (one,) = names.find("Billing")
    assert one.labels == ("INFRA", "TEAM") and one.score == 0.5


def test_a_name_without_a_letter_is_none():
    assert len(names_of("--", " ", "")) == 0


def test_thousands_of_names_and_long_texts_take_no_time():
    names = names_of(*(f"system {number} node" for number in range(20_000)))
    text = "the system 777 node and the system x node " * 2_000
    start = time.process_time()
    assert sum(1 for _ in names.find(text)) == 2_000
    assert time.process_time() - start < 3


def proposed(text, folder, *, has_guide=False, guide=GUIDE):
    (proposals,) = make_gazetteer(guide, [folder], has_guide=has_guide).propose([text])
    return {(text[span.start : span.end], span.label): score for span, score in proposals.scores.items()}


def test_lists_are_read_from_files_of_every_kind(tmp_path):
    (tmp_path / "infra.clouds.txt").write_text("\ufeffRedis\n\n  Argo CD  \n", encoding="utf8")
    (tmp_path / "all.csv").write_text("name,label\nPayments,TEAM\n", encoding="utf8")
    (tmp_path / "TEAM.tsv").write_text("id\tname\n1\tOps\n", encoding="utf8")
    (tmp_path / "more.jsonl").write_text(json.dumps({"pattern": "Kafka", "label": "INFRA"}) + "\n\n", encoding="utf8")
    (tmp_path / "readme.md").write_text("Not a list", encoding="utf8")
    assert proposed("Redis, Argo CD, Payments, Ops, Kafka and Not a list", tmp_path) == {
        ("Redis", "INFRA"): 1.0, ("Argo CD", "INFRA"): 1.0, ("Payments", "TEAM"): 1.0, ("Ops", "TEAM"): 1.0,
        ("Kafka", "INFRA"): 1.0,
    }  # fmt: skip


def test_labels_that_the_guide_does_not_have_are_named_with_file_and_line(tmp_path):
    (tmp_path / "all.csv").write_text("name,label\nRedis,INFRA\nKafka,INFRAS\n", encoding="utf8")
    (tmp_path / "PLANET.txt").write_text("Mars\n", encoding="utf8")
    with pytest.raises(DomainNerError) as told:
        make_gazetteer(GUIDE, [tmp_path], has_guide=False)
    assert (
        "2 names" in str(told.value) and "all.csv:3" in str(told.value) and "did you mean 'INFRA'?" in str(told.value)
    )
    assert "PLANET.txt:1" in str(told.value)


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.jsonl", b"{", "a.jsonl:1 is no JSON object"),
        ("a.csv", b"x,label\nRedis,INFRA\n", "a.csv:2 has no name"),
        ("INFRA.txt", b"caf\xe9", "Cannot read"),
        ("INFRA.md", b"Redis", "is no list of names"),
    ],
)
def test_a_list_that_cannot_be_read_is_named(tmp_path, name, content, message):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(DomainNerError, match=message):
        make_gazetteer(GUIDE, [tmp_path / name], has_guide=False)


def test_a_list_that_is_missing_and_a_folder_without_one_are_named(tmp_path):
    with pytest.raises(DomainNerError, match="Cannot read"):
        make_gazetteer(GUIDE, [tmp_path / "gone.txt"], has_guide=False)
    with pytest.raises(DomainNerError, match="There is no list"):
        make_gazetteer(GUIDE, [tmp_path], has_guide=False)


def test_names_that_the_guide_forbids_are_counted_and_not_proposed(tmp_path):
    (tmp_path / "INFRA.txt").write_text("kubectl\nthe Redis\n", encoding="utf8")
    (proposals,) = make_gazetteer(GUIDE, [tmp_path], has_guide=False).propose(["kubectl of the Redis"])
    assert not proposals.scores and proposals.rejected == {"not an entity": 1, "article": 1}


def test_the_guide_s_examples_and_patterns_are_names_too():
    guide = load_guide(EXAMPLE)
    assert ("Argo CD", "INFRA") in set(guide_names(guide))
    text = 'Argo CD calls "/v2/rooms/{id}", (see /health/a). and /etc/hosts; and/or.'
    (proposals,) = make_gazetteer(guide, [], has_guide=True).propose([text])
    spans = {text[span.start : span.end]: span.label for span in proposals.scores}
    assert spans == {"Argo CD": "INFRA", "/v2/rooms/{id}": "ENDPOINT", "/health/a": "ENDPOINT"}


def test_long_runs_without_a_space_are_no_candidates():
    assert list(pattern_spans("(" * 200_000 + " /v1", GUIDE)) and not list(pattern_spans("/" * 1000, GUIDE))
