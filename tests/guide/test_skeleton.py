"""The skeleton of a guide, written from annotations."""

from functools import partial

import pytest
from checked_guides import check_passages, errors, kinds
from conftest import GUIDE, LABELS

from domain_ner.annotations.passages import Passage
from domain_ner.guide.markup import parse_markup
from domain_ner.guide.schema import PLACEHOLDER, UNDECIDED
from domain_ner.guide.skeleton import guide_skeleton


@pytest.fixture
def check(tmp_path):
    return partial(check_passages, tmp_path)


def test_a_skeleton_has_no_errors_but_its_placeholders_and_lists_what_to_decide(check):
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
