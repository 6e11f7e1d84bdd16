"""Checks of annotations against the guide, each provoked once."""

import time
from functools import partial

import pytest
from checked_guides import MINIMAL, check_passages, kinds

from domain_ner.annotations.passages import LabelledSpan, Passage
from domain_ner.guide.occurrences import find_occurrences, index_names
from domain_ner.guide.schema import load_guide
from domain_ner.guide.validate import Corpus, GuideFile, validate


@pytest.fixture
def check(tmp_path):
    return partial(check_passages, tmp_path)


def test_a_correct_guide_and_corpus_have_no_findings(check):
    assert check(["[Ops](TEAM) restarted [Redis](INFRA).", "Nothing here."]) == []


@pytest.mark.parametrize(
    ("marked", "kind", "message"),
    [
        ("[Ops](CREW) called", "unknown label", "'CREW' on 'Ops'; expected one of TEAM, INFRA"),
        ("[`Redis`](INFRA) is down", "quotes", "expected 'Redis'"),
        ("down: [Redis.](INFRA) Again", "punctuation", "expected 'Redis'"),
        ("[Redis's](INFRA) memory", "possessive", "expected 'Redis'"),
        ("[the Redis](INFRA) is down", "article", "expected 'Redis'"),
        ("[a=b](INFRA)", "rule", "must_not_match"),
        ("[Ops](TEAM) team called", "rule", "must_take_after: 'team' belongs"),
        ("[one two three four](TEAM)", "rule", "has 4 tokens; expected 1 to 3"),
        ("[Ops (EU](TEAM)", "rule", "contains a bracket"),
        ("[Op's](TEAM)x y", "possessive", "expected 'Op'"),
        ("[Readers' Hub](TEAM) met", "rule", "contains a quote"),
        ("ask [The Database](INFRA)", "not an entity", "the guide says: unnamed"),
    ],
)
def test_a_fault_in_one_span_is_reported(check, marked, kind, message):
    findings = [finding for finding in check([marked]) if finding.kind == kind]
    assert len(findings) == 1
    assert message in findings[0].message
    assert findings[0].source == "a.jsonl:1"


@pytest.mark.parametrize(
    ("label", "near"), [("team", "TEAM"), ("INFRASTRUCTURE", "INFRA"), ("TEAMS", "TEAM"), ("X", "")]
)
def test_an_unknown_label_is_reported_with_the_nearest_one_of_the_guide(check, label, near):
    (finding,) = [one for one in check([f"[Ops]({label}) called"]) if one.kind == "unknown label"]
    assert finding.message.endswith(f"did you mean {near!r}?" if near else "expected one of TEAM, INFRA")


def test_white_space_that_the_reader_trimmed_is_reported(check):
    span, raw = LabelledSpan(0, 5, "INFRA"), LabelledSpan(0, 6, "INFRA")
    (finding,) = check(trimmed=[Passage("Redis is down", (span,), "a.jsonl:1", {}, "", (raw,))])
    assert (finding.kind, finding.text) == ("white space", "«Redis »is down")


def test_a_nested_span_is_reported(check):
    spans = (LabelledSpan(0, 9, "TEAM"), LabelledSpan(0, 5, "INFRA"))
    assert "nested" in kinds(check(trimmed=[Passage("Redis Ops called", spans, "a.jsonl:1")]))


def test_a_surface_with_several_types_is_reported_where_it_has_the_rarer_one(check):
    (finding,) = check(["[Vault](INFRA) one", "[Vault](INFRA) two", "ask [Vault](TEAM) now"])
    assert (finding.kind, finding.source) == ("several labels", "a.jsonl:3")
    assert "in the whole corpus: INFRA 2, TEAM 1" in finding.message


def test_types_that_may_share_surfaces_are_not_reported(check):
    shared = MINIMAL.replace("digits: true", "may_share_surface_with: [TEAM]")
    assert check(["[Vault](INFRA) one", "ask [Vault](TEAM) now"], guide=shared) == []


def test_a_skipped_name_is_reported_if_it_is_nearly_always_annotated(check):
    often = [f"[Redis](INFRA) number {n}" for n in "abc"]
    (finding,) = check([*often, "and Redis again"])
    assert (finding.kind, finding.source, finding.label) == ("skipped", "a.jsonl:4", "INFRA")


def test_a_word_that_is_often_not_annotated_is_not_reported(check):
    assert check(["[Ring](INFRA) a b c", "[Ring](INFRA) d e f", "Ring g h", "Ring i j", "Ring k l"]) == []


def test_a_skipped_name_is_reported_if_its_own_passage_annotates_it(check):
    assert kinds(check(["[Redis](INFRA) died, then Redis came back"])) == ["skipped"]


def test_duplicates_are_reported_unless_annotated_by_someone_else(check):
    text = "[Redis](INFRA) died twice"
    assert kinds(check([text, text], annotators=["ann", "ann"])) == ["duplicate"]
    assert check([text, text], annotators=["ann", "bob"]) == []


def test_near_duplicates_cite_the_earlier_one(check):
    text = "the night shift saw the disk fill up and called nobody at all until the morning came"
    (finding,) = check([text, text.replace("morning", "evening")])
    assert finding.kind == "near-duplicate"
    assert "runs occur in a.jsonl:1 too" in finding.message


def test_many_near_duplicates_are_one_finding_that_says_how_many(check):
    text = "the night shift saw the disk fill up and called nobody at all until the morning came at"
    (finding,) = check([f"{text} {n}" for n in range(9)])
    assert (finding.kind, finding.source) == ("near-duplicate", "a.jsonl:2")
    assert finding.message == (
        "9 passages are near-duplicates, each of another one: "
        "a.jsonl:1, a.jsonl:2, a.jsonl:3, a.jsonl:4, a.jsonl:5 and 4 more"
    )


def test_disagreement_between_annotators_is_a_note(check):
    findings = check(["[Redis](INFRA) died", "Redis died"], annotators=["ann", "bob"])
    assert kinds(findings) == ["disagreement"]
    assert "'Redis' is INFRA for ann, but not for bob" in findings[0].message


def test_rows_that_cannot_be_read_are_errors(check):
    (finding,) = check(problems=["a.jsonl:7: invalid JSON"])
    assert (finding.kind, finding.source, finding.severity) == ("unreadable", "a.jsonl:7", "error")


def test_names_may_begin_with_an_article_if_the_guide_allows_it(check):
    assert check(["[The Who](INFRA) played"], guide=MINIMAL.replace("digits: true", "articles: true")) == []


def test_few_mentions_and_little_variety_are_reported(tmp_path, check):
    path = tmp_path / "guide.yml"
    check()
    same = [Passage(f"Redis {n}", (LabelledSpan(0, 5, "INFRA"),), f"a:{n}") for n in range(250)]
    found = validate(GuideFile(load_guide(path), path.name, {}), Corpus(same, same, ())).findings
    messages = {finding.kind: finding.message for finding in found}
    assert "TEAM has 0 mentions; it needs 200 more to be usable" in messages["too few mentions"]
    assert "INFRA has 250 mentions; it needs 250 more to be good" in messages["more mentions wanted"]
    assert "250 of 250 mentions of INFRA are 'Redis'" in messages["one surface dominates"]


def test_a_finding_declared_deliberate_is_left_out_there_only(check):
    guide = MINIMAL + 'deliberate:\n  - {kind: skipped, surface: Redis, text: "the hamster", why: a pet}\n'
    often = [f"[Redis](INFRA) number {n}" for n in "abcdef"]
    findings = check([*often, "Redis the hamster", "and Redis again"], guide=guide)
    assert [finding.source for finding in findings] == ["a.jsonl:8"]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("Redis, Redis Stack.", ["Redis", "Redis Stack"]),
        ("redis my-Redis Redis-backed /Redis @Redis Redis2 Redis/x", []),
        ("(Redis) 'Redis' Redis", ["Redis"] * 3),
        ("/api/v1 and x/api/v1", ["/api/v1"]),
    ],
)
def test_names_are_found_as_whole_names(text, found):
    names = index_names(["Redis", "Redis Stack", "/api/v1"])
    assert [text[start:end] for start, end in find_occurrences(text, names, [])] == found


def test_numbered_names_are_looked_up_and_not_compared_with_all_names():
    n = 20_000
    names = index_names(f"pump {number}" for number in range(n))
    begun = time.perf_counter()
    for number in range(n):
        text = f"The pump {number} failed"
        assert list(find_occurrences(text, names, [])) == [(4, len(text) - 7)]
    assert time.perf_counter() - begun < 10
