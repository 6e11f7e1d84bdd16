"""The report of an evaluation: complete, consistent with the scores, and sane where there is nothing to tell."""

import json
import re
from datetime import date

import jsonschema
import pytest
from hypothesis import given, settings
from reported import DOCS, TEXT, doc, report, trained

from domain_ner.evaluation.report import TEST_NOTE, mentions, queue_names, queue_tasks, trained_surfaces
from domain_ner.evaluation.review import review_task
from domain_ner.evaluation.schema import Report
from domain_ner.metrics.advice import NOT_BY_ANNOTATIONS
from domain_ner.metrics.schemes import STRICT
from domain_ner.metrics.slices import SEEN
from domain_ner.reports.evaluation_markdown import evaluation_markdown


def test_the_title_says_what_was_measured_when_and_on_what():
    made = report(doc([("Redis", "INFRA")]), test_set="corpus/test.spacy", evaluated_on=date(2026, 11, 29))
    told = evaluation_markdown(made)
    assert told.startswith(
        "# Evaluation of en_x 0.1.0\n\n2026-11-29. Test set corpus/test.spacy: 1 passage, 1 entity of"
    )
    assert (made.date, made.test_set) == ("2026-11-29", "corpus/test.spacy")


def test_headline_and_schemes_agree():
    made = report(
        doc([("Redis", "INFRA"), ("Kafka", "INFRA")], [("Redis", "INFRA")]), doc([("Payments squad", "TEAM")])
    )
    assert made.headline.micro.f1.value == made.schemes[STRICT].f1 == pytest.approx(0.5)
    assert (made.headline.n_passages, made.headline.micro.support) == (2, 3)
    assert made.headline.by_type["TEAM"].verdict == "below"
    assert made.headline.by_type["INFRA"].recall.value == 0.5


def test_mistakes_are_counted_and_shown_with_their_words_confident_ones_first():
    long = f"{'before ' * 40}{TEXT}{' behind' * 40}"
    made = report(
        doc([("Payments squad", "TEAM")], [("Payments", "TEAM")], sure=0.4),
        doc([("Redis", "INFRA")], [("Redis", "TEAM")], long, sure=0.8),
        doc([("Kafka", "INFRA")]),
    )
    assert made.mistake_counts == {
        "missing": {"INFRA": 1}, "wrong type": {"INFRA": 1}, "too short": {"TEAM": 1},
    }  # fmt: skip
    assert [one.kind for one in made.mistakes] == ["wrong type", "too short", "missing"]
    first = made.mistakes[0]
    assert len(first.text) < 200 < len(long)
    assert long[first.offset :].startswith(first.text) and long[first.start : first.end] == "Redis"
    assert [(first.text[one.start : one.end], one.label, one.confidence) for one in first.predicted] == [
        ("Redis", "TEAM", 0.8)
    ]


def test_confusion_has_every_pair():
    made = report(doc([("Redis", "INFRA"), ("Payments squad", "TEAM")], [("Redis", "TEAM"), ("Kafka", "INFRA")]))
    assert made.confusion == {
        "INFRA": {"INFRA": 0, "TEAM": 1, "": 0}, "TEAM": {"INFRA": 0, "TEAM": 0, "": 1}, "": {"INFRA": 1, "TEAM": 0},
    }  # fmt: skip


def test_slices_by_what_was_seen_in_training_and_by_meta():
    seen = trained("use Redis here", ("Redis", "INFRA"))
    both = [("Redis", "INFRA"), ("Kafka", "INFRA")]
    made = report(
        doc(both, [("Redis", "INFRA")], org="one", site=1, id="1"),
        doc(both, both, org="two", site=1.0, id="2"),
        doc(both, both, org="two", site="2", id="3"),
        doc(both, both, org="one", site=2.0, id="4"),
        train=[seen],
    )
    found = {trait: {one.value: (one.n_correct, one.support) for one in some} for trait, some in made.slices.items()}
    assert found["surface"] == {"seen in training": (4, 4), "unseen": (3, 4)}
    assert found["meta: org"] == {"one": (3, 4), "two": (4, 4)}
    assert found["meta: site"] == {"1": (3, 4), "2": (4, 4)}
    assert "meta: id" not in found
    assert found["length"] == {"1 token": (7, 8)}
    assert sum(n for _, n in found["position"].values()) == 8


def test_advice_names_passages_and_tells_a_pair_of_types_once():
    swapped = [
        doc([("Redis", "INFRA"), ("Kafka", "TEAM")], [("Redis", "TEAM"), ("Kafka", "INFRA")], id=n) for n in range(12)
    ]
    made = report(*swapped, train=[trained("use Redis here", ("Redis", "INFRA"))])
    guides = [one for one in made.advice if one.rule == "clearer guide"]
    assert [(one.label, one.other, one.passages) for one in guides] == [("INFRA", "TEAM", ["a.jsonl:1"])]
    assert [one.label for one in made.advice if one.rule == "more examples"] == ["INFRA", "TEAM"]
    assert "clearer guide" in evaluation_markdown(made)


def test_confidences_of_what_is_right_and_wrong():
    made = report(
        doc([("Redis", "INFRA")], [("Redis", "INFRA"), ("Kafka", "INFRA")], sure=1.0), doc([], [("Redis", "INFRA")])
    )
    assert (sum(made.confidence.correct), sum(made.confidence.wrong), made.confidence.wrong[-1]) == (1, 2, 1)
    assert made.confidence.share_sure == pytest.approx(2 / 3)
    assert made.confidence.share_sure_wrong == 0.5


def test_surfaces_and_diversity():
    docs = [trained("use Redis here", ("Redis", "INFRA")), trained("redis there", ("redis", "INFRA"))]
    assert trained_surfaces(docs).of("REDIS") == {"INFRA": 2}
    made = report(doc(), train=docs, mentions={"train": mentions(docs)}).diversity["train"]["INFRA"]
    assert (made.n_mentions, made.n_surfaces, made.top, made.n_top) == (2, 1, "redis", 2)


@settings(max_examples=30)
@given(DOCS)
def test_any_report_is_whole_and_holds_to_its_schema(docs):
    """Nothing predicted, nothing in gold, one passage, a type that only one side has: no crash, no NaN."""
    made = report(*(doc(gold, predicted, sure=sure) for gold, predicted, sure in docs))
    plain = json.loads(made.model_dump_json())
    json.dumps(plain, allow_nan=False)
    jsonschema.validate(plain, Report.model_json_schema())
    assert Report.model_validate(plain) == made
    figures = [one for some in (made.headline.micro, *made.headline.by_type.values()) for one in (some.f1, some.recall)]
    assert all(one.low is None or one.low <= one.high for one in figures)
    assert "nan" not in evaluation_markdown(made)


def test_markdown_shows_any_words_as_they_are():
    text = "run `x|y`\nin A|B now"
    made = report(doc([("`x|y`", "CODE|1")], [("A|B", "CODE|1")], text, org="a|b"), doc([], [], text, org="c\nd"))
    shown = evaluation_markdown(made)
    assert "gold `` `x|y` `` CODE|1" in shown
    tables = [line for line in shown.split("\n") if line.startswith("|")]
    widths = [len(re.findall(r"(?<!\\)\|", line)) for line in tables]
    heads = [n for n, line in enumerate(tables) if set(line) <= set("|:- ")]
    for head, following in zip(heads, [*heads[1:], len(tables) + 1], strict=True):
        assert len(set(widths[head - 1 : following - 1])) == 1


def test_mistakes_are_counted_in_a_row_a_type_so_that_many_types_stay_readable():
    made = report(doc([("Redis", "INFRA"), ("Payments", "TEAM")], [("Redis", "TEAM")]))
    lines = evaluation_markdown(made).split("\n")
    head = next(n for n, line in enumerate(lines) if line.startswith("| type | mistakes | missing"))
    rows = {line.split(" | ")[0]: line for line in lines[head + 2 : head + 5]}
    assert set(rows) == {"| INFRA", "| TEAM", "| **all**"}
    assert lines[head + 6].startswith("Missing: an entity was not found;")


def test_other_test_sets_stand_beside():
    right, wrong = doc([("Redis", "INFRA")], [("Redis", "INFRA")]), doc([("Redis", "INFRA")])
    made = report(right, test_sets={"march": [right, wrong]})
    assert made.test_sets["march"].micro.recall.value == 0.5 and made.headline.micro.recall.value == 1.0
    told = evaluation_markdown(made)
    assert "## Other test sets, F1" in told and "| type | `test` | `march` |" in told


def test_the_exports_behind_it_count_what_was_lost():
    made = report(
        doc([("Redis", "INFRA")], [("Redis", "INFRA")]), outcomes={"imported": 1, "dropped": 3, "merged duplicate": 5}
    )
    assert (made.source.n_annotations, made.source.recall) == (4, 0.25)
    assert "the pipeline finds 25.0 % of them" in evaluation_markdown(made)
    assert report(doc()).source is None


def test_entropy_is_low_where_it_is_always_sure():
    sure, unsure = (report(doc([("Redis", "INFRA")], [("Redis", "INFRA")], sure=p)) for p in (0.99, 0.5))
    assert unsure.splits["test"].entropy == 1.0 and sure.splits["test"].entropy < 0.1
    assert report(doc()).splits["test"].entropy is None


def test_advice_has_its_passages_as_review_tasks():
    """With a queue to each advice that its passages can carry out; what the pipeline found is suggested."""
    found = doc([("Redis", "INFRA"), ("Kafka", "INFRA")], [("Redis", "TEAM")])
    made = queue_names(report(*[found] * 20))
    with_passages = [tip for tip in made.advice if tip.passages and tip.rule not in NOT_BY_ANNOTATIONS]
    assert with_passages and len({tip.queue for tip in with_passages}) == len(with_passages)
    assert all(re.fullmatch(r"queues/\d\d-[\w.-]+", tip.queue) for tip in with_passages)
    gold = trained(TEXT, ("Redis", "INFRA"), ("Kafka", "INFRA"))
    [task] = queue_tasks(with_passages[0], {"a.jsonl:1": (gold, found)})
    assert [TEXT[one.start : one.end] for one in task.spans] == ["Redis", "Kafka"]
    assert [(TEXT[one.start : one.end], one.label) for one in task.suggested] == [("Redis", "TEAM")]
    assert task.meta["review"] == [f"{with_passages[0].label}: {with_passages[0].what}", TEST_NOTE]


@pytest.mark.parametrize("rule", NOT_BY_ANNOTATIONS)
def test_advice_that_its_test_passages_cannot_carry_out_has_no_review_tasks(rule):
    found = doc([("Redis", "INFRA"), ("Kafka", "INFRA")], [("Redis", "TEAM")])
    made = report(*[found] * 20)
    tips = [tip.model_copy(update={"rule": rule}) for tip in made.advice if tip.passages]
    assert tips and not any(tip.queue for tip in queue_names(made.model_copy(update={"advice": tips})).advice)


def test_suggestions_may_overlap_and_share_a_token():
    """As those of a spancat do, or those of one model that cross two annotations."""
    gold = trained(TEXT, ("Payments squad", "TEAM"), ("Redis", "INFRA"))
    start = TEXT.index("Payments")
    suggested = [(start, start + 14, "TEAM"), (start, start + 8, "SERVICE"), (start + 2, start + 5, "PART"),
                 (start + 9, start + 30, "LONG")]  # fmt: skip
    task = review_task(gold, suggested, ["look"])
    assert [(TEXT[one.start : one.end], one.label) for one in task.spans] == [
        ("Payments squad", "TEAM"),
        ("Redis", "INFRA"),
    ]
    assert [(TEXT[one.start : one.end], one.label) for one in task.suggested] == [
        ("Payments", "PART"), ("Payments", "SERVICE"), ("Payments squad", "TEAM"), ("squad restarted Redis", "LONG"),
    ]  # fmt: skip


def test_a_loss_that_is_no_number_does_not_spoil_the_report():
    row = {"epoch": 0, "step": 1, "score": 0.5, "losses": {"crf_ner": float("nan"), "transformer": 1.0}}
    made = report(doc(), log=[row])
    assert Report.model_validate_json(made.model_dump_json()).training[0].losses == {
        "crf_ner": None,
        "transformer": 1.0,
    }


def test_nested_names_of_training_are_seen():
    nested = trained(TEXT)
    nested.spans["sc"] = [nested.char_span(TEXT.index("squad"), TEXT.index("squad") + 5, label="TEAM")]
    made = report(doc([("squad", "TEAM")], [("squad", "TEAM")]), train=[nested], can_nest=True)
    assert [one.value for one in made.slices["surface"]] == [SEEN]
    assert mentions([nested]) == [] and mentions([nested], can_nest=True) == [("squad", "TEAM")]


def test_scores_for_other_groups_are_told_where_there_are_enough():
    docs = [doc([("Redis", "INFRA")], [("Redis", "INFRA")] if n % 4 else []) for n in range(24)]
    groups = [f"org {n % 6}" for n in range(24)]
    made = report(*docs, group_by="org", groups=groups)
    assert made.grouped.n_groups == 6 and made.grouped.low < made.headline.micro.f1.value < made.grouped.high
    assert "for a new org, judging by 6 in the test set" in evaluation_markdown(made)
    assert report(*docs[:5], group_by="org", groups=groups[:5]).grouped is None
    assert report(*docs).grouped is None
