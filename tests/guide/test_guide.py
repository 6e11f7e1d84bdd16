"""The guide's shape, and each check of the guide and of annotations provoked once."""

import json
import time
from xml.etree import ElementTree

import pytest
from conftest import GUIDE, LABELS

from domain_ner.annotations.passages import LabelledSpan, Passage
from domain_ner.errors import DomainNerError
from domain_ner.guide.findings import KINDS
from domain_ner.guide.labelling import label_studio_config, prodigy_config
from domain_ner.guide.markup import parse_markup
from domain_ner.guide.occurrences import find_occurrences, index_names
from domain_ner.guide.schema import PLACEHOLDER, UNDECIDED, line_index, load_guide
from domain_ner.guide.skeleton import guide_skeleton
from domain_ner.guide.validate import Corpus, GuideFile, validate

MINIMAL = """
types:
  - label: TEAM
    definition: a group
    examples: ["[Ops](TEAM) called", "ask [Legal](TEAM)", "[Sales](TEAM)", "[HR](TEAM)", "[Risk](TEAM)"]
    edge_cases: &cases
      - {text: "a", why: b}
      - {text: "c", why: b}
      - {text: "d", why: b}
      - {text: "e", why: b}
      - {text: "f", why: b}
    rules: {must_take_after: [team], max_tokens: 3, brackets: false}
  - label: INFRA
    definition: a product
    examples: ["[Redis](INFRA)", "[S3](INFRA)", "[Kafka](INFRA)", "[NATS](INFRA)", "[Vault](INFRA)"]
    edge_cases: *cases
    rules: {must_not_match: ["="], digits: true}
not_entities:
  - {surfaces: [the database], why: unnamed}
"""
FEW = ("too few mentions", "passages without entities")


@pytest.fixture
def check(tmp_path):
    """A function that validates marked passages against a guide, and returns the findings that are not about size."""

    def run(marked=(), guide=MINIMAL, problems=(), annotators=None, trimmed=()):
        path = tmp_path / "guide.yml"
        path.write_text(guide, encoding="utf8")
        names = annotators or [""] * len(marked)
        parsed = [parse_markup(text) for text in marked]
        passages = [
            Passage(t, s, f"a.jsonl:{n}", {}, who) for n, ((t, s), who) in enumerate(zip(parsed, names, strict=True), 1)
        ]
        passages += trimmed
        kept = list({passage.text: passage for passage in reversed(passages)}.values())[::-1]
        corpus = Corpus(passages, kept, problems)
        found = validate(GuideFile(load_guide(path), path.name, line_index(path)), corpus)
        return [finding for finding in found.findings if finding.kind not in FEW]

    return run


def kinds(findings):
    return [finding.kind for finding in findings]


def errors(findings):
    return [finding.kind for finding in findings if finding.severity == "error"]


def test_a_guide_and_annotations_without_fault(check):
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
def test_a_fault_of_one_span(check, marked, kind, message):
    findings = [finding for finding in check([marked]) if finding.kind == kind]
    assert len(findings) == 1
    assert message in findings[0].message
    assert findings[0].source == "a.jsonl:1"


@pytest.mark.parametrize(
    ("label", "near"), [("team", "TEAM"), ("INFRASTRUCTURE", "INFRA"), ("TEAMS", "TEAM"), ("X", "")]
)
def test_an_unknown_label_is_told_with_the_nearest_of_the_guide(check, label, near):
    (finding,) = [one for one in check([f"[Ops]({label}) called"]) if one.kind == "unknown label"]
    assert finding.message.endswith(f"did you mean {near!r}?" if near else "expected one of TEAM, INFRA")


def test_white_space_that_the_reader_trimmed_is_told(check):
    span, raw = LabelledSpan(0, 5, "INFRA"), LabelledSpan(0, 6, "INFRA")
    (finding,) = check(trimmed=[Passage("Redis is down", (span,), "a.jsonl:1", {}, "", (raw,))])
    assert (finding.kind, finding.text) == ("white space", "«Redis »is down")


def test_a_span_in_another_is_told(check):
    spans = (LabelledSpan(0, 9, "TEAM"), LabelledSpan(0, 5, "INFRA"))
    assert "nested" in kinds(check(trimmed=[Passage("Redis Ops called", spans, "a.jsonl:1")]))


def test_one_surface_under_several_types_cites_the_minority(check):
    (finding,) = check(["[Vault](INFRA) one", "[Vault](INFRA) two", "ask [Vault](TEAM) now"])
    assert (finding.kind, finding.source) == ("several labels", "a.jsonl:3")
    assert "in the whole corpus: INFRA 2, TEAM 1" in finding.message


def test_types_that_may_share_surfaces_are_let_be(check):
    shared = MINIMAL.replace("digits: true", "may_share_surface_with: [TEAM]")
    assert check(["[Vault](INFRA) one", "ask [Vault](TEAM) now"], guide=shared) == []


def test_a_name_that_is_skipped_is_told_where_it_is_nearly_always_annotated(check):
    often = [f"[Redis](INFRA) number {n}" for n in "abc"]
    (finding,) = check([*often, "and Redis again"])
    assert (finding.kind, finding.source, finding.label) == ("skipped", "a.jsonl:4", "INFRA")


def test_a_word_that_is_as_often_no_name_is_let_be(check):
    assert check(["[Ring](INFRA) a b c", "[Ring](INFRA) d e f", "Ring g h", "Ring i j", "Ring k l"]) == []


def test_a_name_that_the_same_passage_annotates_is_told(check):
    assert kinds(check(["[Redis](INFRA) died, then Redis came back"])) == ["skipped"]


def test_duplicates_are_told_but_a_second_annotator_is_welcome(check):
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


def test_annotators_who_differ_are_a_note(check):
    findings = check(["[Redis](INFRA) died", "Redis died"], annotators=["ann", "bob"])
    assert kinds(findings) == ["disagreement"]
    assert "'Redis' is INFRA for ann, but not for bob" in findings[0].message


def test_rows_that_cannot_be_read_are_errors(check):
    (finding,) = check(problems=["a.jsonl:7: invalid JSON"])
    assert (finding.kind, finding.source, finding.severity) == ("unreadable", "a.jsonl:7", "error")


def test_names_may_begin_with_an_article_where_the_guide_says_so(check):
    assert check(["[The Who](INFRA) played"], guide=MINIMAL.replace("digits: true", "articles: true")) == []


def test_size_and_variety_are_told(tmp_path, check):
    path = tmp_path / "guide.yml"
    check()
    same = [Passage(f"Redis {n}", (LabelledSpan(0, 5, "INFRA"),), f"a:{n}") for n in range(250)]
    found = validate(GuideFile(load_guide(path), path.name, {}), Corpus(same, same, ())).findings
    messages = {finding.kind: finding.message for finding in found}
    assert "TEAM has 0 mentions; it needs 200 more to be usable" in messages["too few mentions"]
    assert "INFRA has 250 mentions; it needs 250 more to be good" in messages["more mentions wanted"]
    assert "250 of 250 mentions of INFRA are 'Redis'" in messages["one surface dominates"]


@pytest.mark.parametrize(
    ("before", "after", "kind"),
    [
        ("[Ops](TEAM) called", "[Ops(TEAM) called", "markup"),
        ("[Ops](TEAM) called", "[Ops](CREW) called [HR](TEAM)", "unknown type in the guide"),
        ("[Redis](INFRA)", "[a=b](INFRA)", "example breaks a rule"),
        ("[Redis](INFRA)", "[Ops](INFRA)", "examples contradict"),
        ("[Redis](INFRA)", "[the database](INFRA)", "example is no entity"),
        ("[Redis](INFRA)", "Redis", "example without its type"),
        (', "[Risk](TEAM)"]', "]", "few examples"),
        ('      - {text: "f", why: b}\n', "", "few edge cases"),
    ],
)
def test_a_fault_of_the_guide_names_its_line(check, before, after, kind):
    assert before in MINIMAL
    found = [finding for finding in check(guide=MINIMAL.replace(before, after, 1)) if finding.kind == kind]
    assert found
    assert found[0].source.startswith("guide.yml:")
    assert int(found[0].source.split(":")[1]) > 1


@pytest.mark.parametrize(
    ("before", "after", "message"),
    [
        ("definition: a group", "definitoin: a group", r"guide\.yml:3: types\.0\.definition"),
        ("digits: true", "digits: perhaps", r"guide\.yml:\d+: types\.1\.rules\.digits.*but it is 'perhaps'"),
        ('must_not_match: ["="]', 'must_not_match: ["("]', "no valid regular expression"),
        ("label: TEAM", 'label: " TEAM"', "types.0.label"),
        ("label: TEAM", "label: INFRA", "INFRA has several entries"),
        ("types:", "types: [", "not valid YAML"),
    ],
)
def test_a_fault_of_shape_is_an_error_with_its_line(tmp_path, before, after, message):
    path = tmp_path / "guide.yml"
    path.write_text(MINIMAL.replace(before, after, 1))
    with pytest.raises(DomainNerError, match=message):
        load_guide(path)


def test_every_kind_has_a_severity_and_a_title():
    assert all(severity in {"error", "warning", "note"} and title for severity, title in KINDS.values())


def test_a_finding_declared_deliberate_is_left_out_there_and_only_there(check):
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


def test_names_with_a_running_number_are_looked_up_and_not_compared_with_all():
    n = 20_000
    names = index_names(f"pump {number}" for number in range(n))
    begun = time.perf_counter()
    for number in range(n):
        text = f"The pump {number} failed"
        assert list(find_occurrences(text, names, [])) == [(4, len(text) - 7)]
    assert time.perf_counter() - begun < 10


def test_the_shipped_guide_has_more_than_enough_of_everything():
    guide = load_guide(GUIDE)
    assert guide.labels == LABELS
    assert all(len(entry.examples) >= 5 and len(entry.edge_cases) >= 5 for entry in guide.types)


def test_label_studio_takes_the_labels_with_colours():
    view = ElementTree.fromstring(label_studio_config(load_guide(GUIDE)))
    assert [label.get("value") for label in view.iter("Label")] == LABELS
    assert all(label.get("background", "").startswith("#") for label in view.iter("Label"))
    assert view.find("Labels").get("toName") == view.find("Text").get("name")


def test_prodigy_takes_the_labels_with_colours():
    config = json.loads(json.dumps(prodigy_config(load_guide(GUIDE))))
    assert config["labels"] == list(config["custom_theme"]["labels"]) == LABELS


def test_a_skeleton_is_a_guide_without_errors_that_asks_what_to_decide(check):
    marked = [f"Yesterday the [Ops](TEAM) people restarted the [Redis](INFRA) box {n}." for n in "abcd"]
    marked += ["Then somebody asked [Redis](TEAM) for help with it.", "In the end Redis was left alone by everybody."]
    passages = [Passage(*parse_markup(text), f"a.jsonl:{n}") for n, text in enumerate(marked)]
    skeleton = guide_skeleton(passages, title="Mine")
    assert "annotated as INFRA (4), TEAM (1)" in skeleton
    assert "is not annotated here, but 5 times elsewhere" in skeleton
    assert errors(check(marked, guide=skeleton)) == ["placeholder in the guide"] * 2


def test_a_skeleton_passes_when_its_definitions_are_written_and_its_edge_cases_decided(check):
    marked = [f"Yesterday the [Ops](TEAM) people restarted the [Redis](INFRA) box {n}." for n in "abcd"]
    marked += ["In the end Redis was left alone by everybody."]
    skeleton = guide_skeleton([Passage(*parse_markup(text), "a.jsonl:1") for text in marked], title="Mine")
    line_of = {line.strip(): f"guide.yml:{n}" for n, line in enumerate(skeleton.splitlines(), 1)}
    found = {(finding.kind, finding.label): finding for finding in check(guide=skeleton)}
    definition = found["placeholder in the guide", "TEAM"]
    assert definition.source == line_of[f'definition: "{definition.text}"']
    assert "expected what to annotate, and what not" in definition.message
    case = found["undecided in the guide", "INFRA"]
    assert (case.severity, case.source) == ("warning", line_of[f'- text: "{case.text}"'])
    written = skeleton.replace(PLACEHOLDER, "Groups of people called").replace(UNDECIDED, "left out, since")
    assert not {"placeholder in the guide", "undecided in the guide"} & set(kinds(check(guide=written)))


def test_a_skeleton_shows_no_sentence_with_a_span_that_is_wrong_in_any_guide(check):
    marked = ['She set the code to ["sq"](VALUE) and [Redis](INFRA) stopped.', "Later [Redis](VALUE) was its name."]
    skeleton = guide_skeleton([Passage(*parse_markup(text), "a.jsonl:1") for text in marked], title="Mine")
    assert "Later [Redis](VALUE)" in skeleton and "sq" not in skeleton
    assert set(errors(check(marked, guide=skeleton))) == {"placeholder in the guide"}


def test_a_skeleton_of_the_example_has_no_errors_but_its_placeholders(check, example_rows):
    from domain_ner.conversion.exports import read_annotations

    passages = read_annotations(GUIDE.parent / "annotations").passages
    findings = check(guide=guide_skeleton(passages, title='With "quotes"'))
    assert errors(findings) == ["placeholder in the guide"] * len(LABELS)


def test_types_may_be_named_in_any_script_and_like_those_of_corpora():
    for label in ["武器名称", "event-attack/battle", "TRAT", "Größe"]:
        _, spans = parse_markup(f"see [x]({label}) now")
        assert [span.label for span in spans] == [label]
