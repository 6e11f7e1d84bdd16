"""`monitor` from the baseline to the exit code, on outputs of `annotate` and on metrics of `serve`."""

import json
import shutil
import zipfile

import pytest
from pipelines import run
from watched import passages, trained, write_texts

from domain_ner.monitoring.baseline import BASELINE_FILE, read_baseline
from domain_ner.monitoring.report import MonitorReport
from domain_ner.serving.metrics import Metrics
from domain_ner.serving.pipeline import load

NEW = {"INFRA": ["Zorvex", "Quillmar", "Brontabase"], "TEAM": ["Yelvin guild", "Ostrow chapter"]}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return trained(tmp_path_factory.getbasetemp() / "watched")


def annotated(folder, tmp_path, name, texts, *options):
    """The output of `annotate`."""
    given = write_texts(tmp_path / f"{name}.jsonl", texts)
    baseline = ("--baseline", folder / BASELINE_FILE) if "--no-observe" not in options else ()
    run("annotate_documents", folder / "model", given, tmp_path / name, "--processes", "1", *baseline, *options)
    return tmp_path / name


def texts_of(seed, n=200, **changed):
    return [text for text, _ in passages(n, seed, **changed)]


def monitor(folder, tmp_path, *arguments, check=False, pipeline=None):
    options = ("--baseline", folder / BASELINE_FILE, "--reports", tmp_path / "reports", "--permutations", "499")
    return run("monitor_pipeline", pipeline or folder / "model", *arguments, *options, check=check)


def test_a_quiet_window_is_fine_and_new_names_ask_for_retraining(folder, tmp_path):
    quiet = annotated(folder, tmp_path, "quiet", texts_of("quiet"))
    strange = annotated(folder, tmp_path, "strange", texts_of("strange", names=NEW))
    ran = monitor(folder, tmp_path, quiet)
    assert ran.returncode == 0 and "quiet: fine; nothing to do." in ran.stdout
    history = tmp_path / "history.jsonl"
    ran = monitor(folder, tmp_path, quiet, strange, "--history", history)
    assert ran.returncode == 4, ran.stdout + ran.stderr
    assert "strange: retrain" in ran.stdout and "% of the words are unseen" in ran.stdout
    report = MonitorReport.model_validate_json((tmp_path / "reports" / "monitor.json").read_text("utf8"))
    finding = next(one for one in report.windows[1].findings if one.name == "unseen words")
    assert finding.is_significant and set(finding.passages) <= {f"d{n}" for n in range(200)}
    assert len(history.read_text("utf8").splitlines()) == 2
    names = {"monitor.html", "monitor.md", "monitor.json", "monitor.schema.json", "monitor.prom"}
    assert {path.name for path in (tmp_path / "reports").iterdir()} == names
    written = "".join(path.read_text("utf8") for path in (tmp_path / "reports").iterdir())
    assert "Zorvex" not in written and "squad" not in written


@pytest.mark.slow
def test_more_of_a_type_asks_for_a_look(folder, tmp_path):
    sentences = ["{INFRA} was slow at noon.", "Ask the {TEAM} why {INFRA} was slow.", "{INFRA} restarted {INFRA}."]
    more = annotated(folder, tmp_path, "more", texts_of("more", sentences=sentences))
    ran = monitor(folder, tmp_path, more)
    assert ran.returncode in (3, 4) and "INFRA" in ran.stdout


@pytest.mark.slow
def test_an_output_without_numbers_is_compared_by_its_entities(folder, tmp_path):
    quiet = annotated(folder, tmp_path, "quiet", texts_of("quiet"), "--no-observe")
    assert not (quiet / "observed").exists()
    ran = monitor(folder, tmp_path, quiet)
    assert ran.returncode == 0 and "Not compared, because annotate wrote no numbers of it" in ran.stdout


def test_the_metrics_of_the_service_are_a_window(folder, tmp_path):
    shutil.copytree(folder / "model", tmp_path / "packaged")
    shutil.copy(folder / BASELINE_FILE, tmp_path / "packaged")
    predictor, description = load(str(tmp_path / "packaged"))
    metrics = Metrics({key: description[key] for key in ("name", "version", "sha256", "domain_ner")})
    saved = []
    for name, changed in (("start", {}), ("quiet", {}), ("strange", {"names": NEW})):
        texts = texts_of(name, **changed)
        metrics.count_texts(texts, predictor(texts))
        saved.append(tmp_path / f"{name}.prom")
        saved[-1].write_bytes(metrics.text()[0])
    packaged = {"pipeline": tmp_path / "packaged"}
    ran = monitor(folder, tmp_path, saved[1], "--since", saved[0], **packaged)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert "aggregates do not have it: vectors" in ran.stdout
    ran = monitor(folder, tmp_path, saved[2], "--since", saved[1], **packaged)
    assert ran.returncode == 4 and "unseen words" in ran.stdout


def test_the_baseline_of_a_wheel_and_of_a_folder_is_found_inside(folder, tmp_path):
    inside = "en_watched/en_watched-1.2.3"
    with zipfile.ZipFile(tmp_path / "en_watched-1.2.3-py3-none-any.whl", "w") as wheel:
        for path in (folder / "model").rglob("*"):
            if path.is_file():
                wheel.write(path, f"{inside}/{path.relative_to(folder / 'model')}")
        wheel.write(folder / BASELINE_FILE, f"{inside}/{BASELINE_FILE}")
        wheel.writestr("en_watched/__init__.py", "")
    shutil.copytree(folder / "model", tmp_path / "installed")
    shutil.copy(folder / BASELINE_FILE, tmp_path / "installed")
    given = write_texts(tmp_path / "in.jsonl", texts_of("quiet"))
    run("annotate_documents", tmp_path / "installed", given, tmp_path / "out", "--processes", "1")
    assert '"counts":[' in (tmp_path / "out" / "observed" / "part-000000.jsonl").read_text("utf8")
    for pipeline in (tmp_path / "en_watched-1.2.3-py3-none-any.whl", tmp_path / "installed"):
        ran = run("monitor_pipeline", pipeline, tmp_path / "out", "--reports", tmp_path / "reports", check=False)
        assert ran.returncode == 0, ran.stdout + ran.stderr


def test_what_does_not_fit_is_refused(folder, tmp_path):
    quiet = annotated(folder, tmp_path, "quiet", texts_of("quiet", 20))
    row = json.loads((quiet / "run.json").read_text("utf8"))
    row["pipeline"]["sha256"] = "0" * 64
    (quiet / "run.json").write_text(json.dumps(row), "utf8")
    errors = {
        (quiet,): "was predicted by en_watched 1.2.3 (000000000000); the baseline is of",
        (quiet, "--since", tmp_path / "x.prom"): "--since is for one file of metrics",
        (quiet, "--alpha", "2"): "--alpha is 2; expected",
        (quiet, "--margin", "-1"): "--margin is -1; expected",
    }
    for arguments, message in errors.items():
        ran = monitor(folder, tmp_path, *arguments)
        assert ran.returncode == 1 and message in ran.stderr, ran.stderr
    ran = run("monitor_pipeline", folder / "model", quiet, check=False)
    assert ran.returncode == 1 and "holds no baseline.json" in ran.stderr
    ran = run("monitor_pipeline", "en_nothing", quiet, check=False)
    assert ran.returncode == 1 and "There is no pipeline 'en_nothing'" in ran.stderr
    (tmp_path / "baseline.json").write_text("{}", "utf8")
    ran = run("monitor_pipeline", folder / "model", quiet, "--baseline", tmp_path / "baseline.json", check=False)
    assert ran.returncode == 1 and "is no baseline of this version" in ran.stderr


@pytest.mark.slow
def test_the_baseline_of_another_pipeline_is_refused_and_not_used_to_annotate(folder, tmp_path):
    made = read_baseline(folder / BASELINE_FILE)
    other = made.model_copy(update={"pipeline": made.pipeline.model_copy(update={"sha256": "1" * 64})})
    (tmp_path / "other.json").write_text(other.model_dump_json(), "utf8")
    given = write_texts(tmp_path / "in.jsonl", texts_of("quiet", 5))
    options = ("--processes", "1", "--baseline", tmp_path / "other.json")
    run("annotate_documents", folder / "model", given, tmp_path / "out", *options)
    settings = json.loads((tmp_path / "out" / "run.json").read_text("utf8"))["settings"]
    assert settings["observe"] and settings["baseline"] == ""
    ran = run("monitor_pipeline", folder / "model", tmp_path / "out", *options[2:], check=False)
    assert ran.returncode == 1 and "is of another pipeline than" in ran.stderr


def test_the_baseline_has_figures_of_the_test_set_and_no_text(folder):
    made = read_baseline(folder / BASELINE_FILE)
    summary = made.summary
    assert summary.n_documents == 300 and summary.f1 > 0.9 and made.corpus == "test.spacy"
    assert set(summary.by_type) == {"INFRA", "TEAM"} and sum(summary.lengths) == 300
    assert sum(summary.by_type["INFRA"].histogram) == summary.by_type["INFRA"].n_entities
    assert 0 <= summary.unseen_words < 0.02 and len(summary.mean_vector) == 16
    text = (folder / BASELINE_FILE).read_text("utf8").lower()
    assert not any(word in text for word in ("redis", "kafka", "squad", "noon", "restarted"))
