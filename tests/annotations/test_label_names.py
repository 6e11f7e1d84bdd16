"""Labels of any name, and other names for them (`vars.labels`)."""

import json
import shlex

import pytest
from pipelines import run

from domain_ner.annotations.label_names import as_setting, parse_label_names, suggest
from domain_ner.conversion.exports import ImportSettings, read_annotations, unknown_labels
from domain_ner.errors import DomainNerError

# Of public corpora, and then worse.
NAMES = (
    "College Name", "LOC:city", "person/first", "B-time", "3D", "Größe", "場所", "x=y", "50%", "#tag", "[REDACTED]",
    "a, b", "it (thing)", "@role", "true", "null",
)  # fmt: skip


REGION = {
    "from_name": "label", "to_name": "text", "type": "labels",
    "value": {"start": 0, "end": 5, "text": "Redis", "labels": ["DB"]},
}  # fmt: skip


def export(folder, *rows):
    """A Prodigy export. rows: (text, label) with the label on the first word."""
    folder.mkdir(exist_ok=True)
    tasks = [
        {"text": text, "spans": [{"start": 0, "end": text.index(" "), "label": label}], "answer": "accept"}
        for text, label in rows
    ]
    (folder / "a.jsonl").write_text("".join(json.dumps(task) + "\n" for task in tasks), encoding="utf8")
    return folder


def guide_of(folder, *labels):
    """A guide with these types."""
    types = "".join(f"  - label: {json.dumps(label)}\n    definition: what it is\n" for label in labels)
    (folder / "guide.yml").write_text(f"types:\n{types}", encoding="utf8")
    return folder / "guide.yml"


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("", {}),
        ("SVC=SERVICE", {"SVC": "SERVICE"}),
        ("A=X B=X  C=", {"A": "X", "B": "X", "C": ""}),
        ('"first name=NAME" "LOC: city=LOC"', {"first name": "NAME", "LOC: city": "LOC"}),
        ("a=b=AB", {"a=b": "AB"}),
        ("A=X A=X", {"A": "X"}),
    ],
)
def test_names_are_read(text, names):
    assert parse_label_names(text).names == names


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("SERVICE", "expected old=new"),
        ("=SERVICE", "expected old=new"),
        ('"A=X', "quotation"),
        ("A=X A=Y", "names 'A' twice"),
    ],
)
def test_what_cannot_be_read_is_told(text, told):
    with pytest.raises(DomainNerError, match=told):
        parse_label_names(text)


@pytest.mark.parametrize("name", NAMES)
def test_a_suggestion_is_a_setting_that_does_it(name):
    setting = as_setting({name: "NEW", "other one": ""})
    (option,) = shlex.split(setting.removeprefix("labels: "))  # as the command line has it, between single quotes
    assert parse_label_names(option).names == {name: "NEW", "other one": ""}
    assert suggest("SERVICES", ["TEAM", "SERVICE"]) == "labels: 'SERVICES=SERVICE'"


def test_labels_apart_by_commas_are_told():
    with pytest.raises(DomainNerError, match=r"has 'SVC=SERVICE,', with a comma at its end"):
        parse_label_names("SVC=SERVICE, DB=INFRA")
    assert parse_label_names('"DB=a, b" SVC=c,').names == {"DB": "a, b", "SVC": "c,"}


def test_a_guide_of_nothing_says_what_became_of_the_annotations(tmp_path):
    folder = export(tmp_path / "in", ("Redis is up.", "DB"))
    ran = run("init_guide", folder, tmp_path / "guide.yml", "--labels", "DB=", check=False)
    assert "(1 label left out (vars.labels))" in ran.stderr
    task = {"id": 1, "data": {"text": "Redis is up."}, "annotations": [], "predictions": [{"result": [REGION]}]}
    (folder / "a.jsonl").write_text(json.dumps(task) + "\n", encoding="utf8")
    ran = run("init_guide", folder, tmp_path / "guide.yml", check=False)
    assert "(1 prediction)" in ran.stderr and "predictions=yes" in ran.stderr


def test_labels_are_printed_as_they_are(tmp_path):
    folder = export(
        tmp_path / "in", *((f"Redis {n} is up.", label) for n, label in enumerate(["[x]", ":fire:", "[/]"]))
    )
    guide = guide_of(tmp_path, "[x]", ":fire:", "[/]")
    said = run("convert_annotations", folder, tmp_path / "corpus", tmp_path / "reports", "--guide", guide).stdout
    assert all(f"│ {label}" in said for label in ("[x]", ":fire:", "[/]"))


def test_labels_are_renamed_put_together_and_left_out(tmp_path):
    folder = export(tmp_path / "in", ("Redis is up.", "DB"), ("Kafka is up.", "Queue"), ("Anna is up.", "person"))
    settings = ImportSettings(labels=["INFRA"], names="DB=INFRA Queue=INFRA person=")
    read = read_annotations(folder, settings)
    assert [[span.label for span in passage.spans] for passage in read.merged] == [["INFRA"], ["INFRA"], []]
    assert not any(loss.n_lost for loss in read.ledger.losses_by_kind())
    rows = [row.to_json() for row in read.ledger.rows]
    assert [(row["label"], row.get("was"), row.get("fate")) for row in rows] == [
        ("INFRA", "DB", None), ("INFRA", "Queue", None), ("person", None, "label left out (vars.labels)")
    ]  # fmt: skip
    assert read.merged[2].unknown == ()  # it is no entity, by the will of the user


def test_a_name_that_no_annotation_has_is_told(tmp_path):
    read = read_annotations(export(tmp_path / "in", ("Redis is up.", "DB")))
    assert unknown_labels(read, "DB=INFRA") == ""
    assert "names 'db' (did you mean 'DB'?)" in unknown_labels(read, "db=INFRA")


def test_the_error_for_unknown_labels_is_the_way_out(tmp_path):
    folder = export(tmp_path / "in", *((f"Redis {n} is up.", "Data base") for n in range(9)))
    arguments = [folder, tmp_path / "corpus", tmp_path / "reports", "--guide", guide_of(tmp_path, "DATABASE", "TEAM")]
    told = run("convert_annotations", *arguments, check=False).stderr
    setting = "labels: '\"Data base=DATABASE\"'"
    assert setting in told
    (option,) = shlex.split(setting.removeprefix("labels: "))
    said = run("convert_annotations", *arguments, "--labels", option).stdout
    assert "DATABASE" in said and "dropped" not in said


def test_a_guide_of_any_names_is_drafted_and_found_right(tmp_path):
    rows = [(f"Name{n} was seen by the night shift again.", name) for n, name in enumerate(NAMES)]
    folder = export(tmp_path / "in", *rows)
    run("init_guide", folder, tmp_path / "guide.yml")
    text = (tmp_path / "guide.yml").read_text("utf8")
    (tmp_path / "guide.yml").write_text(text.replace("Say in a sentence", "In a sentence"), encoding="utf8")
    ran = run("validate_guide", tmp_path / "guide.yml", folder, tmp_path / "reports")
    found = json.loads((tmp_path / "reports" / "guide.json").read_text("utf8"))
    assert sorted(found["statistics"]) == sorted(NAMES)
    assert not [one for one in found["findings"] if one["severity"] == "error"], ran.stdout
    assert not [one for one in found["findings"] if one["kind"] in ("markup", "example without its type")]
