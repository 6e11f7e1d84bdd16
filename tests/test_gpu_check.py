"""`benchmark-gpu` on the CPU, in small: it trains, kills, resumes and compares as it will where there is a GPU."""

import re
import sys

import pytest
from conftest import ROOT
from pipelines import convert

sys.path.append(str(ROOT / "benchmarks"))

import gpu_check
from gpu_check import Agreement

from domain_ner.errors import DomainNerError

ENTITY, OTHER = (0, 3, 9, "INFRA"), (0, 12, 20, "TEAM")


@pytest.fixture(scope="module")
def told(example_rows, tiny_encoder, tmp_path_factory):
    """What a run on the CPU writes."""
    folder = tmp_path_factory.mktemp("gpu_check")
    corpus = convert(folder, example_rows[:200])
    small = {"passages": 60, "layers": 1, "width": 64, "batch": 4}
    gpu_check.main(corpus, tiny_encoder("bert"), "-1", **small, output=folder / "gpu.md")
    return (folder / "gpu.md").read_text(encoding="utf8")


def test_both_systems_train_both_encoders(told):
    rows = [line.split(" | ") for line in told.splitlines() if line.startswith("| ") and "words/s" not in line]
    measured = {(row[0].strip("| "), row[1]): row[2:] for row in rows[1:]}
    names = [(encoder, system) for encoder in ("bert", "random-weights") for system in gpu_check.SYSTEMS.values()]
    assert list(measured) == names
    for training, predicting, memory, of_gpu, used in measured.values():
        assert float(training.replace(",", "")) > 0 < float(predicting.replace(",", ""))
        assert float(memory) > 0.1
        assert not of_gpu
        assert 0 < int(used.removesuffix(" % |")) <= 100


def test_the_killed_training_was_resumed_and_went_to_its_end(told):
    step, n_steps = map(int, re.search(r"resumed after step (\d+) of (\d+)\.", told).groups())
    assert 0 < step < n_steps == 29  # of 30 batches in two epochs, the last one in which dev is predicted


def test_a_cpu_predicts_what_it_predicts(told):
    n_same, n_all = map(int, re.search(r"(\d+) of (\d+) entities are the same", told).groups())
    assert n_same == n_all
    assert "differ by 0 on average, and by 0 at most" in told


def test_differences_between_devices_are_counted():
    agreed = Agreement.of({ENTITY: 0.9, OTHER: 0.4}, {ENTITY: 0.87})
    assert (agreed.n_same, agreed.n_all, agreed.share) == (1, 2, 0.5)
    assert agreed.largest == agreed.mean == pytest.approx(0.03)


def test_a_width_without_heads_is_refused(tmp_path):
    with pytest.raises(DomainNerError, match="multiple of 64"):
        gpu_check.main(tmp_path, tmp_path, "-1", 0, 1, 100, 4, tmp_path / "gpu.md")
