"""Windows: outputs of `annotate` with and without numbers, and what the service counted."""

import json

import numpy as np
import pytest

from domain_ner.errors import DomainNerError
from domain_ner.monitoring.features import Columns, measured, statistics
from domain_ner.monitoring.metrics_text import parse_metrics, read_snapshots
from domain_ner.monitoring.observations import COUNTS, Observation, to_row
from domain_ner.monitoring.windows import read_window, sample
from domain_ner.serving.found import Entity, Found
from domain_ner.serving.metrics import Metrics

IDENTITY = {"name": "en_x", "version": "1.0.0", "sha256": "ab" * 32, "domain_ner": "0.1.0"}


def observation(n):
    rng = np.random.default_rng(n)
    given = {"A": rng.uniform(0.05, 1, size=n % 3).round(4).tolist(), 'B "\\': [0.5] * (n % 2)}
    return Observation(
        id=f"d{n}",
        counts=dict(zip(COUNTS, rng.integers(0, 90, size=len(COUNTS)).tolist(), strict=True)),
        confidences={label: confidences for label, confidences in given.items() if confidences},
        expected={"A": float(n % 3), 'B "\\': 0.25},
        vector=tuple(rng.normal(size=16).round(2).tolist()),
    )


def write_output(folder, observations, *, observed=True, **run):
    """An output of `annotate`."""
    folder.mkdir()
    (folder / "run.json").write_text(json.dumps({"pipeline": IDENTITY, **run}))
    for name in ("documents", *["observed"] * observed):
        (folder / name).mkdir()
    rows = [
        {
            "id": one.id,
            "entities": [{"label": label, "confidence": p} for label, ps in one.confidences.items() for p in ps],
        }
        for one in observations
    ]
    (folder / "documents" / "part-000000.jsonl").write_text("".join(f"{json.dumps(row)}\n" for row in rows))
    if observed:
        lines = [f"{json.dumps(to_row(one))}\n" for one in observations]
        (folder / "observed" / "part-000000.jsonl").write_text("".join(lines))
    return folder


def test_a_window_has_the_numbers_of_all_documents(tmp_path):
    given = [observation(n) for n in range(20)]
    window = read_window(write_output(tmp_path / "week", given))
    assert [to_row(one) for one in window.observations] == [to_row(one) for one in given]
    assert (window.name, window.n_documents, window.identity, window.has_numbers) == ("week", 20, IDENTITY, True)


def test_an_output_without_numbers_tells_of_entities(tmp_path):
    given = [observation(n) for n in range(20)]
    window = read_window(write_output(tmp_path / "week", given, observed=False))
    assert [one.confidences for one in window.observations] == [one.confidences for one in given]
    assert not window.has_numbers and measured(window.observations) == set()


def test_parquet_is_read(tmp_path):
    import pyarrow
    import pyarrow.parquet

    folder = write_output(tmp_path / "week", [], observed=False)
    (folder / "documents" / "part-000000.jsonl").unlink()
    rows = [{"id": "d1", "entities": [{"label": "A", "confidence": 0.5}]}, {"id": "d2", "entities": []}]
    pyarrow.parquet.write_table(pyarrow.Table.from_pylist(rows), folder / "documents" / "part-000000.parquet")
    assert [one.confidences for one in read_window(folder).observations] == [{"A": [0.5]}, {}]


def test_of_a_large_window_documents_are_drawn(tmp_path):
    folder = write_output(tmp_path / "week", [observation(n) for n in range(50)])
    window = read_window(folder, max_documents=10)
    assert window.n_documents == 50 and len({one.id for one in window.observations}) == 10
    assert read_window(folder, max_documents=10, seed=1).observations != window.observations


def test_each_row_is_drawn_with_the_same_probability():
    drawn = np.bincount([row for seed in range(2000) for row in sample(range(20), 5, seed)[1]], minlength=20)
    assert drawn.min() > 400 and drawn.max() < 600  # 500 expected, standard deviation 19


def test_what_is_no_output_is_refused(tmp_path):
    with pytest.raises(DomainNerError, match=r"no output of annotate: cannot read run\.json"):
        read_window(tmp_path)
    with pytest.raises(DomainNerError, match="holds no annotated document"):
        read_window(write_output(tmp_path / "empty", []))
    broken = write_output(tmp_path / "broken", [observation(1)])
    (broken / "observed" / "part-000000.jsonl").write_text('{"id": "d1", "counts": [1]}\n')
    with pytest.raises(DomainNerError, match="A row in .* cannot be read: ValueError"):
        read_window(broken)


def found(one):
    entities = tuple(Entity(0, 1, label, p) for label, ps in one.confidences.items() for p in ps)
    return Found(entities, observed=one)


def test_the_metrics_of_the_service_add_up_to_the_numbers_of_its_texts(tmp_path):
    metrics, before, after = Metrics(IDENTITY), tmp_path / "before.prom", tmp_path / "after.prom"
    earlier, later = ([observation(n) for n in numbers] for numbers in (range(7), range(7, 40)))
    metrics.count_texts(["x"] * len(earlier), [found(one) for one in earlier])
    before.write_bytes(metrics.text()[0])
    metrics.count_texts(["x"] * len(later), [found(one) for one in later])
    metrics.count_texts(["x"], [Found(error="ValueError")])
    after.write_bytes(metrics.text()[0])
    window = read_snapshots(after, before, ["A", "C"])
    columns = Columns(["A", 'B "\\', "C"])
    expected = columns.table(later).sum(axis=0)
    expected[[*columns.vector, columns.of("vectors")]] = 0
    assert window.labels == columns.labels and window.n_documents == len(later) and window.identity == IDENTITY
    assert window.totals == pytest.approx(expected) and window.known == {*COUNTS, "expected"}
    assert read_snapshots(after, None, ["A"]).n_documents == 40


def test_a_service_that_was_started_again_begins_a_window(tmp_path):
    texts = []
    for name, n in (("before", 9), ("after", 4)):
        metrics = Metrics(IDENTITY)
        metrics.count_texts(["x"] * n, [found(observation(k)) for k in range(n)])
        texts.append(tmp_path / f"{name}.prom")
        texts[-1].write_bytes(metrics.text()[0])
    assert read_snapshots(texts[1], texts[0], ["A"]).n_documents == 4
    with pytest.raises(DomainNerError, match="no text was predicted since"):
        read_snapshots(texts[0], texts[0], ["A"])


def test_other_texts_are_no_metrics(tmp_path):
    with pytest.raises(DomainNerError, match=r"x:2: .*not a sample"):
        parse_metrics("# HELP\n<html>\n", "x")
    with pytest.raises(DomainNerError, match="holds no metrics of serve"):
        parse_metrics("other_total 3\n", "x")
    with pytest.raises(DomainNerError, match="Cannot read"):
        read_snapshots(tmp_path / "none.prom", None, [])


def test_what_was_not_measured_is_not_compared():
    columns = Columns(["A", 'B "\\'])
    totals = columns.table([observation(n) for n in range(60)]).sum(axis=0)
    assert {one.name for one in statistics(columns, totals, ())} == {
        "empty documents", "entities", "mean confidence", "confidence histogram",
    }  # fmt: skip
    assert "unseen words" in {one.name for one in statistics(columns, totals, {"unseen", "words"})}
    assert "mean confidence" not in {one.name for one in statistics(columns, totals / 10, ())}
