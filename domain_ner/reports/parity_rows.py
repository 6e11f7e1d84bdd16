"""The parity sheet in words, for the terminal, the page and the model card: the rows of its tables."""

from dataclasses import dataclass

from domain_ner.evaluation.parity_schema import Parity, Quality, Timing
from domain_ner.metrics.scores import ALL_TYPES

Row = tuple[str, str, str]
# A name, a figure of the trained pipeline and of the optimised one, and their difference.
DifferenceRow = tuple[str, str, str, str]
TEST_SET, LONG, IN_BATCHES = "test set", "long documents", "in batches"
IN_BATCH_SPEED, SINGLE_SPEED, SIZE = "words/s in batches", "words/s one by one", "size on disk"
# What a factor is called: better, worse, and the same.
FASTER, SMALLER, LESS = ("faster", "slower", "as fast"), ("smaller", "larger", "as large"), ("less", "more", "as much")
# From this figure on, no decimals.
MANY = 100
# A smaller difference, in points, is shown as 0.
SMALLEST = 0.005


@dataclass(frozen=True)
class Gain:
    """A speed or a cost of both pipelines. before, after: with their unit. factor: how many times better the optimised
    one is, below 1 if it is worse; None if it is not known. in_words: the factor.
    """

    name: str
    before: str
    after: str
    factor: float | None
    in_words: str


def parity_rows(parity: Parity) -> list[Row]:
    """Return what is printed: scores, size, speed and memory."""
    trained, optimized = parity.trained, parity.optimized
    micro, *types = f1_rows(trained.quality, optimized.quality)
    rows = [("F1", *micro[1:3]), *((f"F1 of {label}", before, after) for label, before, after, _ in types)]
    rows += [(f"calibration error, {name}", before, after) for name, before, after, _ in calibration_rows(parity)]
    if parity.long.n_texts:
        rows.append((f"F1, {LONG}", points(trained.long.f1), points(optimized.long.f1)))
    return rows + [(gain.name, gain.before, gain.after) for gain in gains(parity)]


def f1_rows(before: Quality, after: Quality) -> list[DifferenceRow]:
    """Return F1 of all types together, then of each type; empty where neither gold nor prediction has the type."""
    labels = list(dict.fromkeys([*before.f1_by_type, *after.f1_by_type]))
    by_type = [_difference_row(label, before.f1_by_type.get(label), after.f1_by_type.get(label)) for label in labels]
    return [_difference_row(ALL_TYPES, before.f1, after.f1), *by_type]


def calibration_rows(parity: Parity) -> list[DifferenceRow]:
    """Return the calibration error on the test set, and on long documents if there are any."""
    trained, optimized = parity.trained, parity.optimized
    sides = [(TEST_SET, trained.quality, optimized.quality)]
    sides += [(LONG, trained.long, optimized.long)] if parity.long.n_texts else []
    return [_difference_row(name, before.calibration_error, after.calibration_error) for name, before, after in sides]


def gains(parity: Parity) -> list[Gain]:
    """Return speed, memory and size; without timings, only the size."""
    trained, optimized = parity.trained, parity.optimized
    before, after = trained.timing, optimized.timing
    size = _cost(SIZE, trained.size_mb, optimized.size_mb, "MB", SMALLER)
    return [*(_timing_gains(before, after) if before and after else []), size]


def difference_rows(parity: Parity) -> tuple[list[str], list[list[str]]]:
    """Return the heads and the rows of the table of how predictions differ, a column for each comparison."""
    compared = {TEST_SET: parity.difference, LONG: parity.long, IN_BATCHES: parity.alone}
    compared = {name: different for name, different in compared.items() if different.n_texts}
    columns = [
        (
            f"{different.n_texts:,}",
            f"{different.n_entities:,}",
            f"{different.n_different:,}",
            f"{different.confidence_largest:.4f}",
            f"{different.confidence_mean:.5f}",
        )
        for different in compared.values()
    ]
    names = (
        "texts",
        "entities found by either",
        "entities found by one only",
        "largest difference in confidence",
        "mean difference in confidence",
    )
    return ["compared on", *compared], [[name, *(column[n] for column in columns)] for n, name in enumerate(names)]


def promise_rows(parity: Parity) -> list[list[str]]:
    """Return type, promised precision, the one that holds and whether it is enough, and the fate of the threshold."""
    return [
        [
            promise.label,
            points(promise.promised),
            f"{points(promise.bound)} {'✔' if promise.bound >= promise.promised else '✘'}",
            "fitted anew" if promise.refitted else "unchanged",
        ]
        for promise in parity.promises
    ]


def points(share: float) -> str:
    """Format a share in 0..1 in per cent with two decimals: the limits are fractions of a point."""
    return f"{100 * share:.2f}"


def _difference_row(name: str, before: float | None, after: float | None) -> DifferenceRow:
    first, second = ("" if value is None else points(value) for value in (before, after))
    return name, first, second, "" if before is None or after is None else difference_in_points(after - before)


def difference_in_points(difference: float) -> str:
    """Format a difference of shares with its sign."""
    value = 100 * difference
    return f"{value:+.2f}".replace("-", "−") if abs(value) >= SMALLEST else "0.00"


def _timing_gains(before: Timing, after: Timing) -> list[Gain]:
    speeds = (
        (IN_BATCH_SPEED, before.batch_words_per_s, after.batch_words_per_s),
        (SINGLE_SPEED, before.single_words_per_s, after.single_words_per_s),
    )
    return [
        *(
            Gain(name, _number(first), _number(second), *_factor(second, first, FASTER))
            for name, first, second in speeds
        ),
        _cost("latency, median", before.p50_ms, after.p50_ms, "ms", FASTER),
        _cost("latency, 99th percentile", before.p99_ms, after.p99_ms, "ms", FASTER),
        _cost("start", before.start_s, after.start_s, "s", FASTER),
        _cost("memory", before.memory_mb, after.memory_mb, "MB", LESS),
    ]


def _cost(name: str, before: float, after: float, unit: str, names: tuple[str, str, str]) -> Gain:
    """A figure of which less is better; 0 is not known."""
    first, second = (f"{_number(value)} {unit}" if value else "not known" for value in (before, after))
    return Gain(name, first, second, *_factor(before, after, names))


def _number(value: float) -> str:
    return f"{value:,.0f}" if value >= MANY else f"{value:.1f}"


def _factor(better: float, worse: float, names: tuple[str, str, str]) -> tuple[float | None, str]:
    """Return how many times better, and the same in words. names: if it is better, worse, and the same."""
    if not better or not worse:
        return None, ""
    factor = better / worse
    times = f"{max(factor, 1 / factor):,.1f}"
    return factor, names[2] if times == "1.0" else f"{times} times {names[0] if factor > 1 else names[1]}"
