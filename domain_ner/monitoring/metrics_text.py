"""Reads the service's metrics, as `GET /metrics` answers them: a window is what was counted between two times."""

import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from domain_ner.errors import DomainNerError
from domain_ner.metrics.drift import Array
from domain_ner.monitoring.features import CONFIDENCES, DOCUMENTS, EMPTY, OF_TYPE, Columns
from domain_ner.monitoring.observations import COUNTS, LENGTHS
from domain_ner.monitoring.windows import Sums

PREFIX = "domain_ner_"
SAMPLE = re.compile(r"(?P<name>[A-Za-z_:][\w:]*)(?:\{(?P<labels>.*)\})?\s+(?P<value>\S+)(?:\s+-?\d+)?\s*")
LABEL = re.compile(r'(\w+)="((?:[^"\\]|\\.)*)"')
ESCAPES = {"\\\\": "\\", '\\"': '"', "\\n": "\n"}
# The service's counters by type: name of the metric, and of the number.
BY_TYPE = {
    "entities_total": "entities", "confidence_count": "scored", "confidence_sum": "confidence",
    "expected_entities_total": "expected", "below_threshold_total": "below",
}  # fmt: skip

# Name of a metric, and labels as sorted pairs, to its value.
Samples = Mapping[tuple[str, tuple[tuple[str, str], ...]], float]


def parse_metrics(text: str, source: str) -> Samples:
    """Read Prometheus' text format. Raises DomainNerError for a line that is no sample, and where ours are missing."""
    samples: dict[tuple[str, tuple[tuple[str, str], ...]], float] = {}
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip() or line.startswith("#"):
            continue
        match = SAMPLE.fullmatch(line)
        try:
            if match is None:
                raise ValueError("not a sample")
            value = float(match["value"])
        except ValueError as err:
            raise DomainNerError(f"{source}:{number}: {err}.", "Save what curl .../metrics prints.") from err
        labels = sorted((name, _unescaped(given)) for name, given in LABEL.findall(match["labels"] or ""))
        samples[match["name"], tuple(labels)] = value
    if (f"{PREFIX}texts_total", ()) not in samples:
        raise DomainNerError(f"{source} holds no metrics of serve.", "Save what curl .../metrics prints.")
    return samples


def read_snapshots(path: Path, since: Path | None, labels: Sequence[str]) -> Sums:
    """Make a window of what the service counted until one snapshot, since an earlier one. labels: types to look for.

    since: None: since the service started. If the counters are lower than then, the service was started again in
    between, and the window begins there. Raises DomainNerError for other files, and for a window without texts.
    """
    later, earlier = _read(path), _read(since) if since is not None else {}
    if _get(later, "texts_total") < _get(earlier, "texts_total"):
        earlier = {}
    counted = {key: value - earlier.get(key, 0.0) for key, value in later.items()}
    n_documents = int(_get(counted, "texts_total") - _get(counted, "failed_texts_total"))
    if n_documents <= 0:
        raise DomainNerError(f"{path}: no text was predicted since {since or 'the start'}.", "Take a later snapshot.")
    found = {dict(key[1]).get("label", "") for key in later if key[0] == f"{PREFIX}entities_total"}
    columns = Columns(sorted({*labels, *found} - {""}))
    totals, known = _totals(counted, columns, n_documents)
    return Sums(path.stem, n_documents, columns.labels, totals, frozenset(known), _identity(later))


def _read(path: Path) -> Samples:
    try:
        return parse_metrics(path.read_text(encoding="utf8"), str(path))
    except (OSError, UnicodeDecodeError) as err:
        raise DomainNerError(f"Cannot read {path}: {err}.", "Save what curl .../metrics prints.") from err


def _totals(counted: Samples, columns: Columns, n_documents: int) -> tuple[Array, set[str]]:
    totals = np.zeros(columns.n_columns)
    totals[columns.of(DOCUMENTS)], totals[columns.of(EMPTY)] = n_documents, _get(counted, "empty_texts_total")
    known = set()
    for name in COUNTS:
        key = (f"{PREFIX}observed_total", (("count", name),))
        if key in counted:
            known.add(name)
            totals[columns.of(name)] = counted[key]
    totals[list(columns.lengths)] = _bins(counted, "text_tokens_bucket", {}, len(LENGTHS) + 1)
    for label in columns.labels:
        for metric, name in BY_TYPE.items():
            totals[columns.of_type(label, name)] = _get(counted, metric, label=label)
        totals[list(columns.histogram(label))] = _bins(counted, "confidence_bucket", {"label": label}, len(CONFIDENCES))
    if any(key[0] == f"{PREFIX}expected_entities_total" for key in counted):
        known.add(OF_TYPE[3])
    return totals, known


def _bins(counted: Samples, metric: str, labels: Mapping[str, str], n_bins: int) -> Array:
    """(n_bins,) counts of a histogram with cumulative buckets; what is above the last edge is in the last bin."""
    buckets = defaultdict[float, float](float)
    for (name, pairs), value in counted.items():
        given = dict(pairs)
        if name == PREFIX + metric and labels.items() <= given.items():
            buckets[float(given.get("le", "inf"))] += value
    below = [buckets[edge] for edge in sorted(buckets)]
    counts = np.diff([0.0, *below])
    bins = np.zeros(n_bins)
    bins[: min(n_bins, len(counts))] = counts[:n_bins]
    bins[-1] += counts[n_bins:].sum()
    return bins


def _get(samples: Samples, metric: str, **labels: str) -> float:
    return samples.get((PREFIX + metric, tuple(sorted(labels.items()))), 0.0)


def _identity(samples: Samples) -> dict[str, str]:
    return next((dict(pairs) for (name, pairs), value in samples.items() if name == f"{PREFIX}pipeline" and value), {})


def _unescaped(value: str) -> str:
    return re.sub(r'\\[\\"n]', lambda match: ESCAPES[match[0]], value)
