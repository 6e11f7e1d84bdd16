"""The guide: its shape, its faults, and the labelling configs made from it."""

import json
from functools import partial
from xml.etree import ElementTree

import pytest
from checked_guides import MINIMAL, check_passages
from conftest import GUIDE, LABELS

from domain_ner.errors import DomainNerError
from domain_ner.guide.findings import KINDS
from domain_ner.guide.labelling import label_studio_config, prodigy_config
from domain_ner.guide.markup import parse_markup
from domain_ner.guide.schema import load_guide


@pytest.fixture
def check(tmp_path):
    return partial(check_passages, tmp_path)


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
def test_a_fault_in_the_guide_is_reported_with_its_line(check, before, after, kind):
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
def test_a_guide_of_the_wrong_shape_is_an_error_with_its_line(tmp_path, before, after, message):
    path = tmp_path / "guide.yml"
    path.write_text(MINIMAL.replace(before, after, 1))
    with pytest.raises(DomainNerError, match=message):
        load_guide(path)


def test_every_kind_has_a_severity_and_a_title():
    assert all(severity in {"error", "warning", "note"} and title for severity, title in KINDS.values())


def test_the_shipped_guide_has_all_labels_with_enough_examples():
    guide = load_guide(GUIDE)
    assert guide.labels == LABELS
    assert all(len(entry.examples) >= 5 and len(entry.edge_cases) >= 5 for entry in guide.types)


def test_the_label_studio_config_has_the_labels_with_colours():
    view = ElementTree.fromstring(label_studio_config(load_guide(GUIDE)))
    assert [label.get("value") for label in view.iter("Label")] == LABELS
    assert all(label.get("background", "").startswith("#") for label in view.iter("Label"))
    assert view.find("Labels").get("toName") == view.find("Text").get("name")


def test_the_prodigy_config_has_the_labels_with_colours():
    config = json.loads(json.dumps(prodigy_config(load_guide(GUIDE))))
    assert config["labels"] == list(config["custom_theme"]["labels"]) == LABELS


def test_type_names_may_be_in_any_script_and_have_the_signs_that_corpora_use():
    for label in ["武器名称", "event-attack/battle", "TRAT", "Größe"]:
        _, spans = parse_markup(f"see [x]({label}) now")
        assert [span.label for span in spans] == [label]
