"""Two pipelines on one test set: what changed, whether it is luck, and the exit code that a release hangs on."""

import json
import re
import shutil
import zipfile
from dataclasses import replace
from pathlib import Path

import jsonschema
import pytest
import spacy
from pipelines import run
from spacy.tokens import DocBin, Span
from spacy.training import Example

from domain_ner.crf_ner.fitting import set_settings
from domain_ner.errors import DomainNerError
from domain_ner.evaluation.comparison import (
    FOUND,
    GONE,
    LOST,
    NEW,
    Comparison,
    changes,
    compare_pipelines,
    fingerprint,
    measure,
    open_pipeline,
    unpack,
)
from domain_ner.evaluation.predicting import EvaluatedDoc
from domain_ner.reports.comparison_markdown import verdict

NAMES = ["Redis", "Kafka", "Vault", "Consul"]
ENGLISH = spacy.blank("en")


def ruled(*found):
    """A pipeline that finds these names, as INFRA."""
    nlp = spacy.blank("en")
    nlp.add_pipe("entity_ruler").add_patterns([{"label": "INFRA", "pattern": name} for name in found])
    return nlp


def gold(n_docs):
    """Passages with two names each, in turn."""
    docs = []
    for n in range(n_docs):
        doc = ENGLISH.make_doc(f"{NAMES[n % 4]} called {NAMES[(n + 1) % 4]} at {n}")
        doc.ents = [Span(doc, place, place + 1, label="INFRA") for place in (0, 2)]
        doc.user_data["source"] = f"a.jsonl:{n}"
        docs.append(doc)
    return docs


@pytest.fixture
def folder(tmp_path):
    """Pipelines that find four, three and no names, and a test corpus."""
    ruled(*NAMES).to_disk(tmp_path / "four")
    ruled(*NAMES[:3]).to_disk(tmp_path / "three")
    ruled("nothing").to_disk(tmp_path / "none")
    DocBin(docs=gold(60), store_user_data=True).to_disk(tmp_path / "test.spacy")
    return tmp_path


def compared(tmp_path, first, second, *, n_docs=60, margin=0.0):
    docs = gold(n_docs)
    return compare_pipelines(*(measure("x", nlp, tmp_path, docs) for nlp in (first, second)), margin=margin)


def test_a_real_loss_fails_and_a_gain_does_not(tmp_path):
    worse = compared(tmp_path, ruled(*NAMES), ruled(*NAMES[:3]))
    assert (worse.is_passed, worse.lost, worse.overall.verdict) == (False, ["all", "INFRA"], "worse")
    assert worse.overall.difference == pytest.approx(6 / 7 - 1)
    assert worse.overall.high < 0
    better = compared(tmp_path, ruled(*NAMES[:3]), ruled(*NAMES))
    assert (better.is_passed, better.overall.verdict) == (True, "better")


def test_a_loss_within_the_margin_passes(tmp_path):
    assert compared(tmp_path, ruled(*NAMES), ruled(*NAMES[:3]), margin=0.2).is_passed


def test_a_loss_that_may_be_luck_passes(tmp_path):
    made = compared(tmp_path, ruled(*NAMES), ruled(*NAMES[:3]), n_docs=3)
    assert made.overall.difference < 0 and made.overall.verdict == "no difference shown" and made.is_passed


@pytest.mark.parametrize("n_docs", [1, 2])
@pytest.mark.parametrize("found", [[], ["nothing"], NAMES])
def test_little_or_nothing_to_compare(tmp_path, n_docs, found):
    made = compared(tmp_path, ruled("something else"), ruled(*found), n_docs=n_docs)
    json.dumps(json.loads(made.model_dump_json()), allow_nan=False)
    assert made.is_passed


def test_every_entity_that_changed_is_told():
    def doc(*predicted):
        text = "a b c d e"
        spans = tuple((text.index(one), text.index(one) + 1, "X") for one in predicted)
        return EvaluatedDoc("f:1", text, {}, (), ((0, 1, "X"), (2, 3, "X")), spans, {})

    found = changes(doc("a", "c"), doc("b", "d"))
    assert [(one.kind, one.text[one.start : one.end]) for one in found] == [
        (LOST, "a"), (FOUND, "b"), (GONE, "c"), (NEW, "d"),
    ]  # fmt: skip


def test_opens_a_folder_a_wheel_and_a_package(folder, tmp_path, monkeypatch):
    site = tmp_path / "site"
    shutil.copytree(folder / "three", site / "en_x" / "en_x-0.1.0")
    (site / "en_x" / "meta.json").write_text(
        json.dumps(json.loads((folder / "three" / "meta.json").read_text()) | {"name": "x", "version": "0.1.0"})
    )
    (site / "en_x" / "__init__.py").write_text(
        "from spacy.util import load_model_from_init_py\n\n\ndef load(**overrides):\n"
        "    return load_model_from_init_py(__file__, **overrides)\n"
    )
    (site / "en_x-0.1.0.dist-info").mkdir()
    (site / "en_x-0.1.0.dist-info" / "METADATA").write_text("Metadata-Version: 2.1\nName: en_x\nVersion: 0.1.0\n")
    monkeypatch.syspath_prepend(str(site))
    wheel = tmp_path / "en_x-0.1.0-py3-none-any.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        for path in (folder / "three").rglob("*"):
            if path.is_file():
                archive.write(path, f"en_x/en_x-0.1.0/{path.relative_to(folder / 'three')}")
    for one in (folder / "three", wheel, "en_x"):
        with open_pipeline(str(one)) as (nlp, inside):
            assert [ent.text for ent in nlp("Redis and Consul").ents] == ["Redis"]
            assert (inside / "config.cfg").is_file()


@pytest.mark.parametrize("given", ["nowhere", "no_such_package"])
def test_what_is_no_pipeline(given):
    with pytest.raises(DomainNerError, match="not a folder, a wheel or an installed package"), open_pipeline(given):
        pass


def test_wheels_without_a_pipeline(tmp_path):
    (tmp_path / "broken.whl").write_bytes(b"no zip")
    with pytest.raises(DomainNerError, match="Cannot read .*broken.whl"):
        unpack(tmp_path / "broken.whl", tmp_path / "to")
    with zipfile.ZipFile(tmp_path / "other.whl", "w") as archive:
        archive.writestr("domain_ner/__init__.py", "")
    with pytest.raises(DomainNerError, match="holds no pipeline"):
        unpack(tmp_path / "other.whl", tmp_path / "to")


def test_the_command_fails_on_a_loss_and_writes_its_reports(folder):
    arguments = (folder / "test.spacy", folder / "reports")
    passed = run("compare_pipelines", folder / "three", folder / "four", *arguments)
    assert passed.returncode == 0, passed.stderr
    assert "Passed" in passed.stdout and re.search(r"INFRA .* 85\.7 .* 100\.0 .* better", passed.stdout)
    failed = run("compare_pipelines", folder / "four", folder / "three", *arguments, check=False)
    assert failed.returncode == 1 and "Not passed" in failed.stdout and "Traceback" not in failed.stderr
    plain = json.loads((folder / "reports" / "comparison.json").read_text())
    jsonschema.validate(plain, json.loads((folder / "reports" / "comparison.schema.json").read_text()))
    made = Comparison.model_validate(plain)
    assert {one.kind for one in made.changes} == {LOST} and len(made.changes) == 30
    shown = (folder / "reports" / "comparison.md").read_text()
    assert "**Not passed**" in shown and "`Consul` INFRA" in shown and "and 20 more" in shown


def test_the_command_says_what_is_missing(folder):
    failed = run("compare_pipelines", "", folder / "four", folder / "test.spacy", folder / "reports", check=False)
    assert failed.returncode == 1 and "vars.baseline is empty" in failed.stderr
    failed = run(
        "compare_pipelines", "four", folder / "four", folder / "test.spacy", folder / "r", "--margin", "-1", check=False
    )
    assert failed.returncode == 1 and "vars.margin is -1" in failed.stderr


@pytest.mark.parametrize(("n_docs", "can_tell"), [(1, False), (5, False), (6, True)])
def test_too_few_passages_to_tell_anything(tmp_path, n_docs, can_tell):
    made = compared(tmp_path, ruled(*NAMES), ruled("nothing"), n_docs=n_docs)
    assert made.can_tell is can_tell and made.is_passed is not can_tell
    assert ("too few passages" in verdict(made)) is not can_tell


def test_a_loss_that_cannot_be_excluded_is_told(tmp_path):
    made = compared(tmp_path, ruled(*NAMES[:3]), ruled(*NAMES[1:]), n_docs=58)
    assert made.is_passed and made.overall.low < 0
    assert f"A loss of {-100 * made.overall.low:.1f} cannot be excluded." in verdict(made)


def test_where_one_may_nest_both_are_compared_on_nested_gold():
    nlp, docs = ruled("Bank of Oslo"), gold(8)
    for doc in docs:
        doc.spans["sc"] = [Span(doc, 0, 1, label="INFRA"), Span(doc, 0, 3, label="LONG")]
    flat, nested = (measure("x", nlp, Path("x"), docs, can_nest=can_nest)[1].scores for can_nest in (False, True))
    assert set(flat.by_type) == {"INFRA"} and {one: nested.by_type[one].support for one in nested.by_type} == {
        "INFRA": 8, "LONG": 8,
    }  # fmt: skip


def test_a_pipeline_against_itself_is_not_judged_and_ends_with_an_error(folder):
    """A wheel, too: its name, version and scores are other than those of the folder that it was made of."""
    shutil.copytree(folder / "four", folder / "again")
    meta = json.loads((folder / "again" / "meta.json").read_text())
    (folder / "again" / "meta.json").write_text(json.dumps(meta | {"version": "9.9.9", "description": "packaged"}))
    ran = run("compare_pipelines", folder / "again", folder / "four", folder / "test.spacy", folder, check=False)
    assert ran.returncode == 1
    said = "Not judged: both are the same pipeline, with the same weights and settings"
    assert said in ran.stdout and said in (folder / "comparison.html").read_text("utf8")
    assert "**Not judged**" in (folder / "comparison.md").read_text("utf8")
    made = json.loads((folder / "comparison.json").read_text("utf8"))
    assert (made["same"], made["is_passed"]) == ("pipeline", False)
    assert made["first"]["sha256"] == made["second"]["sha256"]


def test_other_pipelines_that_find_the_same_pass_with_a_note(folder):
    ruled(*NAMES, "Nomad").to_disk(folder / "five")
    ran = run("compare_pipelines", folder / "four", folder / "five", folder / "test.spacy", folder)
    assert "Passed: weights or settings differ, but both find the same entities in all 60 passages." in ran.stdout
    assert json.loads((folder / "comparison.json").read_text("utf8"))["same"] == "predictions"


def test_a_fingerprint_is_of_weights_and_settings(tmp_path):
    nlp = spacy.blank("en")
    nlp.add_pipe("crf_ner")
    example = Example.from_dict(nlp.make_doc("Redis is up"), {"entities": [(0, 5, "INFRA")]})
    nlp.initialize(lambda: [example])
    nlp.to_disk(tmp_path / "one")
    same, other, set_otherwise = (spacy.load(tmp_path / "one") for _ in range(3))
    other.update([Example.from_dict(other.make_doc("Redis is up"), {"entities": [(0, 5, "INFRA")]})])
    set_settings(set_otherwise, "crf_ner", replace(set_otherwise.get_pipe("crf_ner").settings, min_confidence=0.9))
    same.meta["version"] = "2.0.0"
    same("words that the vocabulary has never met")
    made = [fingerprint(one) for one in (spacy.load(tmp_path / "one"), same, other, set_otherwise)]
    assert made[0] == made[1] and len(set(made)) == 3
