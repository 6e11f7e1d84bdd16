"""Training on parts of a corpus: with as many epochs, each part once, and going on where it was stopped."""

import signal
import subprocess
import sys

import pytest
import spacy
from pipelines import SCRIPTS, convert, create_config, fetch, run
from spacy.util import load_config

from domain_ner.errors import DomainNerError
from domain_ner.evaluation.predicting import read_docs
from domain_ner.training.config import replan
from domain_ner.training.parts import train_part


@pytest.fixture(scope="module")
def project(tiny_encoder, example_rows, tmp_path_factory):
    """A config, and the documents of its corpus."""
    folder = tmp_path_factory.mktemp("parts")
    card = fetch(folder, tiny_encoder("bert"))
    corpus = convert(folder, example_rows[:80])
    config = create_config(folder, card, corpus, "--epochs", "2")
    vocab = spacy.blank("en").vocab
    return config, corpus, *(read_docs(corpus / f"{name}.spacy", vocab) for name in ("train", "dev"))


def test_a_plan_for_other_data_has_as_many_epochs(project):
    config = load_config(project[0], interpolate=True)
    lengths = [len(doc) for doc in project[2]]
    assert replan(config, lengths, epochs=2)["training.max_steps"] == config["training"]["max_steps"]
    half, more = replan(config, lengths[::2], epochs=2), replan(config, lengths, epochs=6)
    assert half["training.max_steps"] < config["training"]["max_steps"] < more["training.max_steps"]
    schedule = "training.optimizer.learn_rate.total_steps"
    assert (half[schedule], more["training.max_epochs"]) == (half["training.max_steps"], 6)


def test_batches_that_cannot_be_counted_are_told(project):
    config = load_config(project[0], interpolate=True)
    config["training"]["batcher"] = {"@batchers": "spacy.batch_by_words.v1", "size": 100}
    with pytest.raises(DomainNerError, match=r"spacy\.batch_by_words\.v1"):
        replan(config, [10], epochs=1)


def test_a_part_is_trained_once_and_again_when_it_changed(project, tmp_path):
    config, _, docs, dev = project

    def train(some):
        best, run = train_part(config, some, dev, tmp_path, gpu=-1, seed=1, epochs=1)
        return (best / "crf_ner" / "model").stat().st_mtime_ns, run

    first, run = train(docs[:20])
    assert run.scores["all"]["f"] >= 0 and not (run.folder / "model-last").exists()
    assert train(docs[:20])[0] == first
    assert train(docs[:21])[0] > first


def interrupt(running):
    """Ctrl-C, and once more where Python lost it, as it does within a finalizer; gives what was told."""
    for _ in range(3):
        running.send_signal(signal.SIGINT)
        try:
            return running.communicate(timeout=5)[1]
        except subprocess.TimeoutExpired:
            continue
    return running.communicate()[1]


def test_a_search_that_ctrl_c_stopped_goes_on_where_it_was(project, tmp_path):
    config, corpus, *_ = project
    arguments = [
        config, corpus / "train.spacy", "--reports", tmp_path / "reports",
        "--work", tmp_path / "work", "--folds", "4",  # enough to do behind the second, however late Ctrl-C comes
    ]  # fmt: skip
    command = [sys.executable, SCRIPTS / "find_label_errors.py", *arguments]
    # Where the tests themselves run in the background, Ctrl-C is ignored, and what they start inherits that.
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # noqa: PLW1509 (no threads here)
    ) as running:  # fmt: skip
        for line in running.stdout:
            if line.startswith("fold 2 of 4"):
                break
        told = interrupt(running)
    assert (
        running.returncode == 130
        and "Resume with: python -m spacy project run find-label-errors" in told
        and "Traceback" not in told
    )
    done = tmp_path / "work" / "fold-1" / "seeds" / "0" / "done.json"
    assert done.is_file() and not (tmp_path / "reports").exists()
    before = done.stat().st_mtime_ns
    ran = run("find_label_errors", *arguments, check=False)
    assert done.stat().st_mtime_ns == before
    assert any(line.startswith("fold 4 of 4") for line in ran.stdout.splitlines())
    # Two epochs of a tiny encoder: it comes to the end, and says that there is nothing to learn from it.
    assert ran.returncode == 1 and "below it, their doubts are not evidence" in " ".join(ran.stderr.split())
