"""The rows of the parity sheet: what, of the trained pipeline, of the optimised one."""

from collections.abc import Callable

from domain_ner.evaluation.parity_schema import Parity, Timing
from domain_ner.reports.numbers import percent

Row = tuple[str, str, str]


def parity_rows(parity: Parity) -> list[Row]:
    """Return the rows, as text."""
    trained, optimized = parity.trained, parity.optimized
    before, after = trained.quality, optimized.quality
    rows = [("F1", percent(before.f1), percent(after.f1))]
    rows += [
        (f"F1 of {label}", percent(f1), percent(after.f1_by_type.get(label, 0.0)))
        for label, f1 in before.f1_by_type.items()
    ]
    rows += [
        ("calibration error", percent(before.calibration_error), percent(after.calibration_error)),
        ("F1 on long documents", percent(trained.long.f1), percent(optimized.long.f1)),
        ("size on disk", f"{trained.size_mb:,.0f} MB", f"{optimized.size_mb:,.0f} MB"),
    ]
    return rows + (_timing_rows(trained.timing, optimized.timing) if trained.timing and optimized.timing else [])


def _timing_rows(before: Timing, after: Timing) -> list[Row]:
    figures: list[tuple[str, Callable[[Timing], str]]] = [
        ("words per second, in batches", lambda timing: f"{timing.batch_words_per_s:,.0f}"),
        ("words per second, one text at a time", lambda timing: f"{timing.single_words_per_s:,.0f}"),
        ("a text, median", lambda timing: f"{timing.p50_ms:.1f} ms"),
        ("a text, 99th percentile", lambda timing: f"{timing.p99_ms:.1f} ms"),
        ("import, load and first text", lambda timing: f"{timing.start_s:.1f} s"),
        ("memory", lambda timing: f"{timing.memory_mb:,.0f} MB"),
    ]
    return [(name, figure(before), figure(after)) for name, figure in figures]
