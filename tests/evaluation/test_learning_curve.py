"""Trainings on growing parts of the data, and what is said to follow from them."""

import json
from pathlib import Path
from xml.etree import ElementTree

import jsonschema
import pytest
import spacy
from pipelines import convert, create_config, fetch, run
from reported import trained
from spacy.tokens import Doc

from domain_ner.errors import DomainNerError
from domain_ner.evaluation.learning_curve import (
    LearningCurve,
    PartScores,
    expect,
    nested_order,
    parse_fractions,
    train_parts,
)
from domain_ner.evaluation.predicting import read_docs
from domain_ner.reports.learning_curve_report import learning_curve_markdown, when

DOCS = [trained("Redis called Vault", ("Redis", "INFRA"), ("Vault", "TEAM")) for _ in range(12)]


SUPPORT = {"INFRA": 12, "TEAM": 12, "all": 24}


def parts(**f1):
    """Trainings on 100, 200, 400 and 800 passages, twice each; F1 by type."""
    return [
        PartScores(n, {label: values[place] + nudge for label, values in f1.items()}, SUPPORT, 12)
        for nudge in (-0.003, 0.003)
        for place, n in enumerate((100, 200, 400, 800))
    ]


def test_parts_are_beginnings_of_one_order_and_take_groups_whole():
    for n, doc in enumerate(DOCS):
        doc.user_data["meta"] = {"org": f"org {n % 3}"}
    order = nested_order(DOCS, group_by="org", seed=1)
    assert sorted(order) == list(range(12))
    assert [len({n % 3 for n in order[start : start + 4]}) for start in (0, 4, 8)] == [1, 1, 1]
    assert order != nested_order(DOCS, group_by="org", seed=2)
    assert len({n % 3 for n in nested_order(DOCS, group_by="", seed=1)[:4]}) > 1
    assert sorted(nested_order(DOCS, group_by="no such key", seed=1)) == list(range(12))
    for n, doc in enumerate(DOCS):
        doc.user_data["document"] = str(n % 4)
    assert len({n % 4 for n in nested_order(DOCS, group_by="document", seed=1)[:3]}) == 1


@pytest.mark.parametrize("text", ["", "0.5,1", "0.25,0.5,0.75", "0,0.5,1", "0.2,0.4,1.5", "a,b,1", "1,1,1"])
def test_fractions_that_are_none_are_refused(text):
    with pytest.raises(DomainNerError, match="expected three or more parts"):
        parse_fractions(text)
    assert parse_fractions("1, 0.25,0.5") == [0.25, 0.5, 1]


def test_every_type_of_the_test_set_has_a_curve_and_a_check():
    found = expect(parts(INFRA=(0.6, 0.7, 0.775, 0.83), all=(0.5, 0.6, 0.675, 0.73)))
    jsonschema.validate(json.loads(found.model_dump_json()), LearningCurve.model_json_schema())
    assert LearningCurve.model_validate_json(found.model_dump_json()) == found
    assert list(found.by_type) == ["INFRA", "TEAM", "all"]
    infra, team = found.by_type["INFRA"], found.by_type["TEAM"]
    assert infra.support == 12 and infra.sizes[0].f1 == pytest.approx([0.597, 0.603])
    assert infra.check.is_within and infra.check.measured == pytest.approx(0.83)
    assert infra.more[100].f1 < infra.more[300].f1 < infra.more[1000].f1 < 0.2
    assert 850 < infra.target_at < 1600
    # A type that was never found: nothing learned, nothing promised.
    assert team.sizes[-1].f1 == [0.0, 0.0] and team.target_at is None


def test_a_check_that_fails_is_said():
    """Steeply rising, and then down."""
    found = expect(parts(INFRA=(0.5, 0.7, 0.8, 0.55), all=(0.5, 0.7, 0.8, 0.55)))
    assert not found.by_type["INFRA"].check.is_within
    assert "not within" in learning_curve_markdown(found)


@pytest.mark.parametrize(
    ("at", "told"),
    [
        ((700, 600, 900), "reached"),
        ((1200, 700, None), "1,200 (now–?)"),
        ((1200, 900, 2000), "1,200 (900–2,000)"),
        ((None, 3000, None), "? (3,000–?)"),
        ((None, None, None), "not foreseeable"),
    ],
)
def test_when_the_target_is_reached(at, told):
    found = expect(parts(all=(0.5, 0.6, 0.7, 0.75)))
    fields = dict(zip(("target_at", "target_at_low", "target_at_high"), at, strict=True))
    assert when(found.by_type["all"].model_copy(update=fields), found) == told


@pytest.fixture(scope="module")
def drawn(tiny_encoder, example_rows, tmp_path_factory):
    """The folder in which the command ran on a small corpus, its arguments, and what it printed."""
    folder = tmp_path_factory.mktemp("curve")
    card = fetch(folder, tiny_encoder("bert"))
    corpus = convert(folder, example_rows[:80])
    config = create_config(folder, card, corpus)
    command = [
        "draw_learning_curve", config, *(corpus / f"{name}.spacy" for name in ("train", "dev", "test")),
        "--reports", folder / "reports", "--work", folder / "work", "--fractions", "0.25,0.5,1", "--seeds", "1",
        "--group-by", "org",
    ]  # fmt: skip
    return folder, command, run(*command)


def test_parts_are_trained_and_the_work_is_cleaned_up(drawn):
    folder, _, told = drawn
    found = LearningCurve.model_validate_json((folder / "reports" / "learning_curve.json").read_text("utf8"))
    sizes = [size.n_passages for size in found.by_type["all"].sizes]
    assert len(sizes) == 3 and sizes[-1] == found.n_passages and sizes == sorted(sizes)
    assert "training on 25 % of the passages, seed 0" in told.stdout and not (folder / "work").exists()
    svg = ElementTree.parse(folder / "reports" / "learning_curve.svg").getroot()
    assert f"Test F1 with {found.n_passages} passages" in svg.get("aria-label")
    assert "# Expected gain of more annotation" in (folder / "reports" / "learning_curve.md").read_text("utf8")


def test_what_is_wrong_is_said(drawn):
    _, command, _ = drawn
    wrong = [("half,1" if one == "0.25,0.5,1" else one) for one in command]
    told = run(*wrong, check=False)
    assert told.returncode == 1 and "vars.fractions is 'half,1'" in told.stderr


def test_a_part_without_entities_finds_nothing_and_the_others_go_on(example_rows, tmp_path):
    corpus, card = convert(tmp_path, example_rows[:60]), fetch(tmp_path, "cnn")
    config = create_config(tmp_path, card, corpus)
    vocab = spacy.blank("en").vocab
    test = read_docs(corpus / "test.spacy", vocab)
    bare = [Doc(vocab, words=["nothing", "here", str(n)], ents=["O"] * 3) for n in range(20)]
    docs = [bare[n] if n < 20 else test[0] for n in range(21)]
    parts = train_parts(config, docs, test, test, tmp_path / "work", fractions=[0.05, 1], seeds=4, gpu=-1, epochs=1)
    scored = list(parts)
    small = [part for part in scored if part.n_passages == 1]
    assert len(scored) == 8 and len(small) == 4
    assert any(part.f1["all"] == 0 for part in small) and all(part.support for part in small)


def test_a_test_set_without_entities_is_refused_before_anything_is_trained(tmp_path):
    parts = train_parts(
        Path("config.cfg"), DOCS, DOCS, [trained("nothing here")], tmp_path, fractions=[0.5, 1], seeds=1, gpu=-1
    )
    with pytest.raises(DomainNerError, match="The test set holds no entity"):
        next(parts)
