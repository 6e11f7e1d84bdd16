"""What `convert` says became of annotations and documents adds up, on the screen and in its files."""

import json

from conftest import GUIDE
from pipelines import run


def row(text, *spans, by="ann", answer="accept"):
    spans = [{"start": start, "end": end, "label": "INFRA"} for start, end in spans]
    return {"text": text, "spans": spans, "answer": answer, "_annotator_id": by}


def figures(told, title):
    """The figures of a printed table by name, read below its title."""
    lines = told[told.index(title) :].split("└")[0].splitlines()
    cells = [[cell.strip() for cell in line.split("│")[1:-1]] for line in lines if line.startswith("│")]
    return {name: int(n) for name, n in cells}


def test_accepted_is_what_is_in_the_corpus_and_each_reason(tmp_path):
    rows = [row(f"Redis {n} is number {n * 7919}", (0, 5)) for n in range(12)]
    rows += [rows[0], {**rows[1], "_annotator_id": "bob"}, row(rows[2]["text"], by="bob"), row(""), row("  ")]
    rows += [row("Kafka is full", (0, 5), answer="reject")]
    (tmp_path / "exports").mkdir()
    (tmp_path / "exports" / "p.jsonl").write_text("".join(json.dumps(one) + "\n" for one in rows), encoding="utf8")
    doccano = {"id": 1, "text": rows[3]["text"], "label": [[0, 5, "INFRA"]]}
    (tmp_path / "exports" / "d.jsonl").write_text(json.dumps(doccano) + "\n", encoding="utf8")
    places = [tmp_path / "exports", tmp_path / "corpus", tmp_path / "reports"]
    told = run("convert_annotations", *places, "--guide", GUIDE, "--prefer", "ann").stdout
    documents = figures(told, "19 documents read")
    assert documents == {
        "in the corpus": 12, "the same text again, by the same annotator": 1, "no text": 2,
        "the same text, another annotator's kept": 2, "the same text again, its annotator not named": 1,
        "accepted": 18, "rejected": 1,
    }  # fmt: skip
    assert sum(n for what, n in documents.items() if what not in ("accepted", "rejected")) == 18
    annotations = figures(told, "16 annotations read")
    assert (annotations["in the corpus"], annotations["not in the corpus"]) == (12, 4)
    assert (
        annotations["not in the corpus"] == annotations["merged duplicate"] + annotations["rejected by the annotator"]
    )
    summary = json.loads((tmp_path / "reports" / "ledger.json").read_text("utf8"))
    assert sum(summary["accepted"].values()) == summary["documents"]["accepted"] == 18
    lines = (tmp_path / "reports" / "left_out.jsonl").read_text("utf8").splitlines()
    left_out = {one["source"]: (one["reason"], one.get("kept")) for one in map(json.loads, lines)}
    assert len(left_out) == 6 and left_out["p.jsonl:13"] == ("the same text again, by the same annotator", "p.jsonl:1")


def test_a_group_by_that_nobody_has_is_told_where_files_make_the_splits(tmp_path):
    (tmp_path / "exports").mkdir()
    for n, name in enumerate(("train", "dev", "test")):
        line = json.dumps(row(f"Redis {n} is number {n * 7919}", (0, 5)))
        (tmp_path / "exports" / f"{name}.jsonl").write_text(f"{line}\n", encoding="utf8")
    places = [tmp_path / "exports", tmp_path / "corpus", tmp_path / "reports"]
    ran = run("convert_annotations", *places, "--guide", GUIDE, "--splits", "files", "--group-by", "custmer")
    assert ran.returncode == 0
    assert "vars.group_by is 'custmer', but none of the 3 passages has that key" in " ".join(ran.stdout.split())
    assert "look divided already" not in ran.stdout


def test_an_edge_that_slipped_into_a_word_is_kept_as_it_is_told_and_not_learned(tmp_path):
    (tmp_path / "exports").mkdir()
    texts = {"train": "He found an error in Kafka", "dev": "Redis can plan", "test": "Manchester and Redis"}
    for name, text in texts.items():
        spans = [(9, 10)] if name == "train" else [(text.index("Redis"), text.index("Redis") + 5)]
        line = json.dumps(row(text, *spans))
        (tmp_path / "exports" / f"{name}.jsonl").write_text(f"{line}\n", encoding="utf8")
    places = [tmp_path / "exports", tmp_path / "corpus", tmp_path / "reports"]
    told = run("convert_annotations", *places, "--guide", GUIDE, "--splits", "files").stdout
    assert (
        "train.jsonl:1: 'a' (INFRA) has an edge inside a word that no other annotation confirms: a|n; not learned"
        in (" ".join(told.split()))
    )
    assert json.loads((tmp_path / "corpus" / "tokenizer.json").read_text("utf8"))["splits"] == []
    rows = [json.loads(line) for line in (tmp_path / "reports" / "ledger.jsonl").read_text("utf8").splitlines()]
    assert [one["fate"] for one in rows if one["text"] == "a"] == ["kept as it is, doubtful"]
    assert [one["fate"] for one in rows if one["text"] == "Redis"] == ["imported", "imported"]
