"""What is concluded from the trainings of a simulation, and a whole one in small."""

import json
from xml.etree import ElementTree

import jsonschema
import pytest
import spacy
from pipelines import convert, create_config, fetch, run

from domain_ner.errors import DomainNerError
from domain_ner.evaluation.predicting import read_docs
from domain_ner.reports.simulation_report import needed_rows, simulation_chart, simulation_markdown
from domain_ner.selecting.schema import Simulation
from domain_ner.selecting.simulation import Setting, Training, _Replay, require_strategies, simulate, summarise


def trainings(**f1):
    """From two seeds, on 10, 50 and 100 passages."""
    return [
        Training(name, seed, n, 12 * n, 2 * n, value + nudge)
        for seed, nudge in ((0, -0.01), (1, 0.01))
        for name, values in f1.items()
        for n, value in zip((10, 50, 100), values, strict=True)
    ]


def setting(tmp_path):
    return Setting(tmp_path, ["doc"] * 100, [], ["doc"] * 20, tmp_path, (0.1, 0.5, 1.0))


def test_what_is_needed_is_read_off_the_mean_curve(tmp_path):
    found = summarise(trainings(random=(0.4, 0.6, 0.8), chosen=(0.4, 0.8, 0.8), bad=(0.4, 0.5, 0.7)), setting(tmp_path))
    jsonschema.validate(json.loads(found.model_dump_json()), Simulation.model_json_schema())
    assert found.full == pytest.approx([0.79, 0.81])
    assert [one.n_passages for one in found.strategies["random"].needed] == [100, 98]
    full, less = found.strategies["chosen"].needed
    assert (full.n_passages, full.share) == (50, pytest.approx(0.5)) and less.n_passages == 49
    assert found.strategies["bad"].needed[0].n_passages is None and found.strategies["bad"].needed[0].share is None
    assert found.strategies["chosen"].rounds[1].n_entities == 100
    assert needed_rows(found)[2] == ["chosen", "50 (50 %)", "49 (50 %)"] and needed_rows(found)[3][1] == "not reached"
    assert "F1 of 80.0 (79.0 / 81.0)" in simulation_markdown(found)
    ElementTree.fromstring(simulation_chart(found))


def test_an_unknown_strategy_is_refused_before_anything_is_trained():
    require_strategies(["random", "entropy:plain", "entropy:half"])
    with pytest.raises(DomainNerError, match="entropi"):
        require_strategies(["entropi"])


def test_a_test_set_without_entities_is_refused(tmp_path):
    doc = spacy.blank("en")("nothing")
    given = Setting(tmp_path, [doc], [doc], [doc], tmp_path, (0.5, 1))
    with pytest.raises(DomainNerError, match="holds no entity"):
        list(simulate(given, ["random"], [0]))


@pytest.mark.slow
def test_a_simulation_is_replayed_and_resumed(tmp_path, example_rows):
    corpus = convert(tmp_path, example_rows[:80])
    config = create_config(tmp_path, fetch(tmp_path, "cnn"), corpus)
    arguments = [
        config, *(corpus / f"{split}.spacy" for split in ("train", "dev", "test")), "--reports", tmp_path / "reports",
        "--work", tmp_path / "work", "--sizes", "0.3,0.6,1", "--seeds", 1, "--strategies",
        "entropy:plain",
    ]  # fmt: skip
    first = run("simulate_annotation", *arguments)
    written = (tmp_path / "reports" / "annotation_simulation.json").read_text("utf8")
    simulation = Simulation.model_validate_json(written)
    assert list(simulation.strategies) == ["random", "entropy:plain"]
    whole = {name: curve.rounds[-1].f1 for name, curve in simulation.strategies.items()}
    assert len({tuple(f1) for f1 in whole.values()}) == 1
    begun = {path: path.stat().st_mtime_ns for path in (tmp_path / "work").rglob("model-best/meta.json")}
    run("simulate_annotation", *arguments)
    assert {path: path.stat().st_mtime_ns for path in begun} == begun and "training on" in first.stdout

    pool, dev = (read_docs(corpus / f"{split}.spacy", spacy.blank("en").vocab) for split in ("train", "dev"))
    given = Setting(config, pool, dev, dev, tmp_path / "work", (0.3, 1))
    best, order, taken = next((tmp_path / "work" / "all").rglob("model-best")), range(len(pool)), [0, 1, 2]
    half = _Replay(given, "entropy:half", 0, order).next(taken, 6, best)
    assert half[:3] == _Replay(given, "entropy", 0, order).next(taken, 3, best)
    assert half[3:] == [number for number in order if number not in {*taken, *half[:3]}][:3]
