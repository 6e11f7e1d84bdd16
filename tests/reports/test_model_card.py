"""The model card: what the reports say, and nothing that they do not."""

import json
import re
import zipfile
from dataclasses import replace
from email import message_from_bytes

import pytest
import srsly
from conftest import GUIDE, ROOT
from pipelines import run
from reported import doc, report
from test_evaluation_page import full

from domain_ner.encoders.card import EncoderCard
from domain_ner.guide.schema import load_guide
from domain_ner.packaging.wheels import Documents, Release, build_wheels
from domain_ner.reports.model_card import Facts, meta_of, model_card

ENCODER = EncoderCard(
    name="minilm", family="bert", path="x", licence="Apache-2.0", hub_id="org/minilm", revision="abc",
    files={"model.safetensors": "f00"}, learning_rate=1e-4, batch_size=8, max_length=512,
)  # fmt: skip
LEDGER = {
    "annotations": 1200,
    "documents": {"accepted": 100},
    "accepted": {"in the corpus": 98, "no text": 2},
    "files": {"a.jsonl": 1200},
    "lost": {
        "annotations": {"n": 12, "of": 1200, "share": 0.01},
        "documents": {"n": 0, "of": 100, "share": 0.0},
        "tokens": {"n": 2, "of": 1000, "share": 0.002},
    },
}


def facts(made, **given):
    known = {
        "name": "en_x", "version": "1.2.3", "licence": "MIT", "lang": "en", "guide": load_guide(GUIDE), "report": made,
        "encoder": ENCODER, "ledger": LEDGER, "calibration": {}, "group_by": "org",
    }  # fmt: skip
    return Facts(**known | given)


def test_the_card_says_what_the_reports_say():
    made = full()
    card = model_card(facts(made))
    assert card.split("\n---\n\n")[1].startswith("# en_x 1.2.3\n") and 'spacy.load("en_x")' in card
    assert f"Evaluated on {made.date} with domain-ner" in card
    infra = made.headline.by_type["INFRA"]
    assert f"| INFRA | {100 * infra.f1.value:.1f} (" in card
    assert "No `org` is both in training and in test." in card
    assert "1,200 annotations in 1 exports, of 100 accepted documents, which are 98 passages; 1.0 % of the anno" in card
    assert "annotations and 0.2 % of the tokens were lost in conversion." in card
    assert (
        "INFRA has an F1 below 80.0" in card
        and "lower case (everything in lower case): F1 falls by 10.0 points." in card
    )
    assert "org/minilm, revision abc), licence Apache-2.0" in card and "`f00`" in card
    assert card.rstrip().endswith("Licence of this package: MIT.")


def test_the_card_says_that_the_encoder_is_of_another_language():
    english = replace(ENCODER, languages=("en",))
    told = "Its encoder was pretrained on en, not on `de`."
    assert told in model_card(facts(full(), encoder=english, lang="de"))
    assert "pretrained on" not in model_card(facts(full(), encoder=english))


@pytest.mark.parametrize(
    ("calibration", "told"),
    [
        ({"decoding": "marginal", "thresholds": {"INFRA": {"confidence": 0.4}}}, "a confidence of at least 40.0 %"),
        (
            {
                "decoding": "viterbi",
                "thresholds": {"INFRA": {"confidence": 0.7, "precision": 0.96, "is_reached": True},
                               "TEAM": {"confidence": 1.0, "precision": 0.5, "is_reached": False}},
            },
            "| TEAM | not reported | 50.0 |",
        ),
        ({"decoding": "viterbi", "thresholds": {}}, "calibrated on development data"),
    ],
)  # fmt: skip
def test_the_card_says_what_is_reported(calibration, told):
    assert told in model_card(facts(full(), calibration=calibration))


def test_a_type_that_is_not_reported_is_a_limit():
    thresholds = {"TEAM": {"confidence": 1.0, "precision": 0.5, "is_reached": False}}
    card = model_card(facts(full(), calibration={"decoding": "viterbi", "thresholds": thresholds}))
    assert "- TEAM is not reported at all: the development data could not guarantee" in card


def test_a_card_of_little():
    encoder = replace(ENCODER, path="", name="cnn")
    card = model_card(facts(report(doc()), encoder=encoder, licence=""))
    assert "The pipeline computes no confidences." in card
    assert "No pretrained encoder: cnn. Licence of this package: none stated." in card


def test_meta_holds_the_scores():
    meta = meta_of(facts(full()))
    assert meta["license"] == "MIT" and meta["domain_ner"]["by_type"]["INFRA"]["support"] == 4
    json.dumps(meta, allow_nan=False)


@pytest.mark.parametrize(("spans_key", "prefix"), [("", "ents"), ("sc", "spans_sc")])
def test_the_performance_in_meta_is_that_of_the_test_set_under_spacys_names(spans_key, prefix):
    made = full()
    meta = meta_of(facts(made, spans_key=spans_key))
    micro, infra = made.headline.micro, made.headline.by_type["INFRA"]
    assert meta["performance"] == {
        f"{prefix}_p": micro.precision.value, f"{prefix}_r": micro.recall.value, f"{prefix}_f": micro.f1.value,
        f"{prefix}_per_type": {
            label: {"p": one.precision.value, "r": one.recall.value, "f": one.f1.value}
            for label, one in made.headline.by_type.items()
        },
    }  # fmt: skip
    assert 0 < infra.f1.value <= 1 and meta["domain_ner"]["performance"].startswith("on the ")


def test_the_card_says_which_words_of_the_training_text_the_package_holds():
    assert "contains no words of their text except those in the types and their definitions." in model_card(
        facts(full())
    )
    card = model_card(facts(full(), splits=[r"(?<=UNION)(?=2024)", r"(?<=\d)(?=\-)"]))
    assert "and 2 words in the split rules of its tokenizer" in card


def test_the_card_installs_the_wheels_by_their_files():
    assert "pip install domain_ner-0.1.0-py3-none-any.whl en_x-1.2.3-py3-none-any.whl" in model_card(facts(full()))


def test_the_front_matter_is_what_the_hub_reads():
    hub = pytest.importorskip("huggingface_hub")
    made = full()
    read = hub.ModelCard(model_card(facts(made))).data
    assert (read.language, read.license, read.library_name, read.pipeline_tag) == (
        ["en"], "mit", "spacy", "token-classification",
    )  # fmt: skip
    assert {"spacy", "token-classification"} <= set(read.tags) and read.base_model == "org/minilm"
    micro = made.headline.micro
    assert {one.metric_type: one.metric_value for one in read.eval_results} == {
        "precision": round(micro.precision.value, 4), "recall": round(micro.recall.value, 4),
        "f1": round(micro.f1.value, 4),
    }  # fmt: skip
    assert {(one.task_type, one.dataset_split) for one in read.eval_results} == {("token-classification", "test")}


@pytest.mark.parametrize(
    ("licence", "told"),
    [
        ("", {}),
        ("Apache-2.0", {"license": "apache-2.0"}),
        ("GPL-3.0-or-later", {"license": "gpl-3.0"}),
        ("Our own terms: v1", {"license": "other", "license_name": "our-own-terms:-v1"}),
    ],
)
def test_a_licence_is_told_to_the_hub_as_it_names_it(licence, told):
    card = model_card(facts(full(), licence=licence, lang="xx", encoder=replace(ENCODER, hub_id="")))
    read = srsly.yaml_loads(card.split("---\n")[1])
    assert {key: value for key, value in read.items() if key.startswith("license")} == told
    assert read["language"] == ["multilingual"] and "base_model" not in read


def test_the_card_says_what_it_is_for_what_not_and_who_answers_for_it():
    card = model_card(facts(full(), author="Ann", email="ann@example.org", url="https://example.org"))
    for heading in ("Intended use", "Limits", "Out-of-scope use", "Contact"):
        assert f"\n## {heading}\n\n" in card
    assert "\n## Contact\n\nAnn, <ann@example.org>, <https://example.org>\n" in card
    assert "None stated. It comes from `author`, `email` and `url`" in model_card(facts(full()))


def test_a_description_is_one_short_line_however_many_types_there_are():
    made = full()
    many = made.model_copy(update={"labels": [f"T{n}" for n in range(150)]})
    meta = meta_of(facts(many, author="Ann"))
    assert "T9 and 140 more types" in meta["description"] and "\n" not in meta["description"]
    assert meta["author"] == "Ann" and "email" not in meta


def test_the_metadata_of_the_wheel_is_complete(tmp_path):
    import spacy

    spacy.blank("en").to_disk(tmp_path / "model")
    given = facts(full(), author="Ann", email="ann@example.org", url="https://example.org")
    documents = Documents(model_card(given), meta_of(given))
    build_wheels(tmp_path / "model", ROOT, tmp_path / "wheels", Release("x", "1.2.3"), documents=documents)
    with zipfile.ZipFile(next((tmp_path / "wheels").glob("en_x-*.whl"))) as wheel:
        names = wheel.namelist()
        told = message_from_bytes(wheel.read(next(name for name in names if name.endswith("METADATA"))))
        card = wheel.read(next(name for name in names if name.endswith("/README.md"))).decode()
    assert told["Description-Content-Type"] == "text/markdown" and told["License"] == "MIT"
    assert set(told["Requires-Python"].split(",")) == {">=3.11", "<3.15"}
    assert told["Summary"].startswith("Finds INFRA, TEAM: ") and len(told["Summary"]) < 512
    assert (told["Author"], told["Author-email"], told["Home-page"]) == (
        "Ann",
        "ann@example.org",
        "https://example.org",
    )
    assert card.startswith("---\nlanguage:\n") and told.get_payload().startswith("# en_x 1.2.3\n")


def test_the_wheel_carries_card_and_meta(tmp_path):
    import spacy

    spacy.blank("en").to_disk(tmp_path / "model")
    documents = Documents("# The card\n", {"license": "MIT", "domain_ner": {"micro": {"f1": 0.5}}})
    build_wheels(tmp_path / "model", ROOT, tmp_path / "wheels", Release("x", "1.0.0"), documents=documents)
    with zipfile.ZipFile(next((tmp_path / "wheels").glob("en_x-*.whl"))) as wheel:
        names = wheel.namelist()
        metas = [json.loads(wheel.read(name)) for name in names if name.endswith("meta.json")]
        assert len(metas) == 2 and all(one["domain_ner"] == {"micro": {"f1": 0.5}} for one in metas)
        metadata = wheel.read(next(name for name in names if name.endswith("METADATA"))).decode()
        assert "License: MIT" in metadata and "# The card" in metadata
        assert wheel.read(next(name for name in names if name.endswith("README.md"))) == b"# The card\n"


def blank(folder):
    """A pipeline that knows nothing, and a test set of one passage."""
    import spacy
    from spacy.tokens import DocBin

    nlp = spacy.blank("en")
    nlp.to_disk(folder / "model")
    DocBin(docs=[nlp("a")]).to_disk(folder / "test.spacy")
    return folder / "model", folder / "test.spacy"


def test_a_report_of_another_version_is_told(tmp_path):
    blank(tmp_path)
    (tmp_path / "reports").mkdir()
    (tmp_path / "reports" / "evaluation.json").write_text('{"version": 0}')
    arguments = ("package_pipeline", tmp_path / "model", tmp_path / "test.spacy", tmp_path / "packages", "--name", "x")
    failed = run(*arguments, "--version", "1.0.0", "--reports", tmp_path / "reports", cwd=ROOT, check=False)
    assert failed.returncode == 1 and re.search("not a report of this version", failed.stderr)
    assert not (tmp_path / "packages").exists()


@pytest.mark.parametrize("name", ["two words", "domain-ner", "1st"])
def test_a_name_that_is_none_is_told(tmp_path, name):
    model, test = blank(tmp_path)
    failed = run("package_pipeline", model, test, tmp_path / "packages", "--name", name, "--version", "1.0.0", cwd=ROOT,
                 check=False)  # fmt: skip
    assert failed.returncode == 1 and "is not a valid name of a package" in failed.stderr


def test_a_report_of_another_pipeline_is_told(tmp_path):
    model, test = blank(tmp_path)
    run("evaluate_model", model, test, tmp_path / "metrics.json", "--reports", tmp_path / "reports")
    (model / "new.txt").write_text("trained again")
    failed = run("package_pipeline", model, test, tmp_path / "packages", "--name", "en_x", "--version", "1.0.0",
                 "--reports", tmp_path / "reports", cwd=ROOT, check=False)  # fmt: skip
    assert failed.returncode == 1 and "belongs to another pipeline than" in failed.stderr
