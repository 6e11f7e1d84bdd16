"""Fixtures that several test modules share."""

import json
import os
import shutil
from pathlib import Path
from zlib import crc32

# Before anything imports PyTorch: tests run side by side, on encoders too small to share among processors.
os.environ.setdefault("OMP_NUM_THREADS", "1")

import pytest
from hypothesis import settings

# How long an example takes says how busy the machine is, not whether the code is right.
settings.register_profile("project", deadline=None)
settings.load_profile("project")

ROOT = Path(__file__).parents[1]
ANNOTATIONS = ROOT / "assets" / "annotations"
GUIDE = ROOT / "assets" / "guide.yml"
LABELS = ["SERVICE", "INFRA", "TEAM", "CONFIG", "LIBRARY", "ENDPOINT"]
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update"]


# What takes minutes: processes that are killed, clean environments, trainings, long documents. CI runs these too.
SLOW_FILES = {
    "test_any_length.py", "test_export.py", "test_gpu_check.py", "test_in_spacy.py", "test_killed.py",
    "test_label_errors.py", "test_learning_curve.py",
    "test_long_documents.py", "test_parts.py", "test_pipeline.py", "test_power_cut.py", "test_pretraining.py",
    "test_resume.py", "test_running_text.py", "test_seeds.py", "test_stopping.py", "test_trained.py",
    "test_tok2vec.py", "test_transformer_model.py", "test_tuning.py", "test_workflow.py",
}  # fmt: skip


# The dearest of the slow ones, by the time of the processor. CI runs a third of their tests, another for each commit.
LONG_FILES = {
    "test_annotate.py", "test_any_length.py", "test_coverage.py", "test_damaged_files.py", "test_deploy.py",
    "test_devices.py", "test_export.py", "test_gpu_check.py", "test_in_spacy.py", "test_killed.py",
    "test_label_errors.py", "test_learning_curve.py", "test_long_documents.py", "test_loop.py", "test_many_drafts.py",
    "test_monitor_command.py", "test_parts.py", "test_pipeline.py", "test_power_cut.py", "test_power_law.py",
    "test_predictor_process.py", "test_preparation.py", "test_pretraining.py", "test_release_killed.py",
    "test_resampling.py", "test_resume.py", "test_running_text.py", "test_seeds.py", "test_serving_command.py",
    "test_shadow.py", "test_silver.py", "test_simulation.py", "test_tok2vec.py", "test_trained.py",
    "test_transformer_model.py", "test_transformers5.py", "test_tuning.py", "test_validate.py",
}  # fmt: skip


def pytest_collection_modifyitems(config, items):
    """Mark the slow tests, those with a browser among them, and start with them: they must not be the last."""
    for item in items:
        if item.path.name in SLOW_FILES or "browser" in item.fixturenames:
            item.add_marker(pytest.mark.slow)
    items.sort(key=lambda item: item.get_closest_marker("slow") is None)
    if part := config.getoption("--long-part"):
        number, n_parts = map(int, part.split("/"))
        left_out = {item for item in items if is_long(item) and crc32(item.nodeid.encode()) % n_parts != number - 1}
        config.hook.pytest_deselected(items=list(left_out))
        items[:] = [item for item in items if item not in left_out]


def is_long(item):
    """Whether a test is a slow one of the dearest files."""
    return item.path.name in LONG_FILES and item.get_closest_marker("slow") is not None


def pytest_addoption(parser):
    parser.addoption("--long-part", help="1/3: of the dearest slow tests, only the first third; all others run")
    parser.addoption("--registry", help="URL of a folder in an object store, for tests/releasing/test_registry.py")
    parser.addoption("--corpora", help="folder of corpora (wnut17, so), for tests/evaluation/test_real_corpora.py")
    parser.addoption("--formats", help="folder of real exports with EXPECTED.json, for tests/test_formats.py")


@pytest.fixture(scope="session")
def example_rows():
    """The rows of the shipped example, as Prodigy exports them."""
    return [json.loads(line) for path in sorted(ANNOTATIONS.glob("*.jsonl")) for line in path.open(encoding="utf8")]


@pytest.fixture(scope="session")
def tiny_encoder(tmp_path_factory, example_rows):
    """A function from a family to the folder of a tiny encoder of it, built once."""
    import tiny_encoders

    texts = [row["text"] for row in example_rows]
    folder = tmp_path_factory.mktemp("encoders")

    def get(family):
        path = folder / family
        return path if path.exists() else tiny_encoders.build(family, path, texts)

    return get


@pytest.fixture
def write_jsonl(tmp_path):
    """A function that writes rows (dicts, or lines as they are) to a JSONL file and returns its path."""

    def write(rows, name="export.jsonl"):
        path = tmp_path / "annotations" / name
        path.parent.mkdir(exist_ok=True)
        lines = [row if isinstance(row, str) else json.dumps(row, ensure_ascii=False) for row in rows]
        path.write_text("".join(f"{line}\n" for line in lines), encoding="utf8")
        return path

    return write


@pytest.fixture(scope="session")
def browser():
    """Chromium, as the machine has it."""
    api = pytest.importorskip("playwright.sync_api")
    if not CHROMIUM:
        pytest.skip("needs Chromium (chromium, chromium-browser or google-chrome on the PATH)")
    with api.sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield started
        started.close()


@pytest.fixture
def opened(browser, page_file):
    """Opens the page; whatever it logs, asks the network for, or fails at ends the test."""
    told = []

    def open_page(**options):
        page = browser.new_page(**options)
        page.on("console", lambda message: told.append(message.text))
        page.on("pageerror", lambda error: told.append(str(error)))
        page.on("request", lambda request: request.url.startswith("file:") or told.append(request.url))
        page.goto(page_file.as_uri())
        return page

    yield open_page
    assert told == []
