"""The whole loop: train, release, annotate, monitor, review, choose, correct in three tools, release again, go back.

The annotator is simulated; the files are those that the tools read and write.
"""

import hashlib
import json
import shutil
from pathlib import Path

import pytest
from conftest import GUIDE, ROOT
from pipelines import create_config, fetch, run
from spacy.tokens import DocBin

from domain_ner.evaluation.comparison import unpack
from domain_ner.monitoring.report import MonitorReport
from domain_ner.releasing.registry import Registry
from domain_ner.reviewing.review_schema import Review

pytestmark = pytest.mark.slow
N_FIRST, N_RAW, N_BATCH = 90, 200, 45


class Project:
    """The folder of a team, in which commands run as `spacy project run` runs them."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.annotations, self.reports = folder / "annotations", folder / "reports"
        self.model, self.registry = folder / "model-optimized", folder / "registry"
        self.annotations.mkdir(parents=True)

    def train(self) -> None:
        folder = self.folder
        corpus = folder / "corpus"
        run(
            "convert_annotations", self.annotations, corpus, self.reports, "--guide", GUIDE, "--prefer", "*",
            "--assigned", folder / "splits.json", "--conflicts", "majority", "--group-by", "org",
        )  # fmt: skip
        card = fetch(folder, "cnn")
        config = create_config(folder, card, corpus, "--epochs", "6")
        shutil.rmtree(folder / "model-best", ignore_errors=True)
        run("train_model", config, folder, "--card", card)
        calibration = self.reports / "calibration.json"
        run("calibrate_model", folder / "model-best", corpus / "dev.spacy", folder / "model-calibrated", calibration)
        run(
            "evaluate_model", folder / "model-calibrated", corpus / "test.spacy", folder / "metrics.json", "--ledger",
            self.reports / "ledger.jsonl", "--train", corpus / "train.spacy", "--dev", corpus / "dev.spacy", "--log",
            self.reports / "training.jsonl", "--guide", GUIDE, "--reports", self.reports, "--robustness", 0,
        )  # fmt: skip
        run(
            "optimize_pipeline", folder / "model-calibrated", self.model, "--runtime", "onnx", "--test",
            corpus / "test.spacy", "--dev", corpus / "dev.spacy", "--reports", self.reports, "--force",
        )  # fmt: skip

    def n_passages(self) -> int:
        corpora = self.folder.glob("corpus/*.spacy")
        return sum(len(DocBin().from_disk(path)) for path in corpora)

    def release(self, *options: str) -> str:
        ran = run(
            "release_pipeline", self.model, self.folder / "corpus", self.registry, "--name", "tickets", "--version",
            "0.1.0", "--reports", self.reports, "--guide", GUIDE, "--card", self.folder / "encoder.json", "--work",
            self.folder / "release", "--no-check", *options, cwd=ROOT,
        )  # fmt: skip
        return ran.stdout

    def wheel(self) -> Path:
        """The pipeline of the version in use, as `fetch-release` gives it."""
        run("fetch_release", self.registry, self.folder / "packages")
        (wheel,) = (self.folder / "packages").glob("en_tickets-*.whl")
        return wheel


def as_exports(batch: Path, gold: dict[str, list[dict]], folder: Path) -> None:
    """What the three tools export of a batch when an annotator corrected a third of the tasks in each."""
    folder.mkdir()
    prodigy = [json.loads(line) for line in (batch / "tasks.prodigy.jsonl").read_text("utf8").splitlines()]
    studio = json.loads((batch / "tasks.label_studio.json").read_text("utf8"))
    doccano = [json.loads(line) for line in (batch / "tasks.doccano.jsonl").read_text("utf8").splitlines()]
    assert len(prodigy) == len(studio) == len(doccano) == N_BATCH
    part = N_BATCH // 3
    answered = [{**task, "spans": gold[task["text"]], "answer": "accept"} for task in prodigy[:part]]
    write_lines(folder / "prodigy.jsonl", answered)
    annotated = []
    for task in studio[part : 2 * part]:
        spans = [{**span, "labels": [span["label"]]} for span in gold[task["data"]["text"]]]
        result = [
            {"id": f"r{n}", "from_name": "label", "to_name": "text", "type": "labels", "value": value}
            for n, value in enumerate(spans)
        ]
        # As Label Studio's own export: predictions by their ids alone.
        annotations = [{"id": task["id"], "completed_by": 1, "was_cancelled": False, "result": result}]
        annotated.append({**task, "annotations": annotations, "predictions": [task["id"]]})
    (folder / "label_studio.json").write_text(json.dumps(annotated), encoding="utf8")
    labelled = [
        {**task, "label": [[one["start"], one["end"], one["label"]] for one in gold[task["text"]]]}
        for task in doccano[2 * part :]
    ]
    write_lines(folder / "doccano.jsonl", labelled)


def write_lines(path: Path, rows: list[dict]) -> None:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf8")


def hashes(folder: Path) -> dict[str, str]:
    return {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def test_the_whole_loop(tmp_path, example_rows):
    rows = list({row["text"]: row for row in example_rows}.values())
    project = Project(tmp_path / "project")
    write_lines(project.annotations / "first.jsonl", rows[:N_FIRST])
    raw = [{"id": f"raw-{n}", "text": row["text"]} for n, row in enumerate(rows[N_FIRST : N_FIRST + N_RAW])]
    write_lines(tmp_path / "raw.jsonl", raw)
    gold = {row["text"]: row["spans"] for row in rows}

    project.train()
    assert "0.1.0" in project.release("--promote")
    first = Registry(str(project.registry)).current()
    assert first.version == "0.1.0"

    # In production: annotate, monitor, and a review that says how good it is there.
    installed = unpack(project.wheel(), tmp_path / "installed")
    run("annotate_documents", installed, tmp_path / "raw.jsonl", tmp_path / "annotated", "--processes", 1)
    watched = run(
        "monitor_pipeline", project.wheel(), tmp_path / "annotated", "--reports", project.reports, check=False
    )
    assert watched.returncode in (0, 3, 4), watched.stderr
    report = MonitorReport.model_validate_json((project.reports / "monitor.json").read_text("utf8"))
    assert report.verdict in watched.stdout
    run("review_sample", project.wheel(), tmp_path / "raw.jsonl", tmp_path / "review", "--n", 30)
    tasks = (tmp_path / "review" / "tasks.prodigy.jsonl").read_text("utf8").splitlines()
    (tmp_path / "review" / "reviewed").mkdir(exist_ok=True)
    reviewed = [{**json.loads(task), "spans": gold[json.loads(task)["text"]], "answer": "accept"} for task in tasks]
    write_lines(tmp_path / "review" / "reviewed" / "answers.jsonl", reviewed)
    run("review_sample", tmp_path / "review")
    review = Review.model_validate_json((tmp_path / "review" / "review.json").read_text("utf8"))
    assert review.n_reviewed == 30
    run(
        "monitor_pipeline", project.wheel(), tmp_path / "annotated", "--reports", project.reports, "--reviewed",
        tmp_path / "review" / "review.json", check=False,
    )  # fmt: skip
    report = MonitorReport.model_validate_json((project.reports / "monitor.json").read_text("utf8"))
    assert report.windows[-1].f1.reviewed.value == review.overall.f1.value

    # The next round of annotation, by three tools.
    run(
        "next_batch", project.wheel(), tmp_path / "raw.jsonl", tmp_path / "batches", "--n", N_BATCH, "--annotated",
        project.annotations, "--evaluation", project.reports / "evaluation.json", "--reported",
        project.reports / "monitor.json",
    )  # fmt: skip
    as_exports(tmp_path / "batches" / "001", gold, project.annotations / "round-2")
    n_before = project.n_passages()
    project.train()
    assert project.n_passages() == n_before + N_BATCH

    before = hashes(project.registry / "versions")
    told = project.release("--margin", "100", "--promote")
    place = Registry(str(project.registry))
    assert [one.version for one in place.versions()] == ["0.1.0", "0.2.0"] and "0.2.0" in told
    assert place.current().version == "0.2.0"
    after = hashes(project.registry / "versions")
    assert before.items() <= after.items()

    # And back.
    run("rollback_release", project.registry)
    assert place.current().version == "0.1.0" and place.current().content == first.content
    wheel = project.wheel()
    (kept,) = (name for name in before if name.endswith(wheel.name))
    assert hashlib.sha256(wheel.read_bytes()).hexdigest() == before[kept]
