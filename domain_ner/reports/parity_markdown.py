"""Renders the parity sheet of `optimize` as Markdown, a section of the model card."""

from html import escape

from domain_ner.evaluation.parity_schema import Parity, Quality
from domain_ner.reports import parity_words as words
from domain_ner.reports.markdown import ALL_ROW, table
from domain_ner.reports.parity_rows import calibration_rows, difference_rows, f1_rows, gains, promise_rows

PAIR = ("trained", "optimised")


def parity_markdown(parity: Parity) -> str:
    """Render the section, with a heading of the second level."""
    trained, optimized = parity.trained, parity.optimized
    gained = [[gain.name, gain.before, gain.after, gain.in_words] for gain in gains(parity)]
    parts = [
        "## Optimised and trained pipeline",
        f"{words.compared(parity)} {words.verdict(parity)}",
        "\n".join(f"- {failure}" for failure in words.failure_list(parity)),
        words.summary(parity),
        "### F1 of both",
        _f1(trained.quality, optimized.quality),
        words.about_f1(parity),
        "### Calibration error of both",
        table(["on", *PAIR, "difference"], calibration_rows(parity)),
        words.about_calibration(parity),
        "### Long documents",
        words.long_documents(parity),
        _f1(trained.long, optimized.long) if parity.long.n_texts else "",
        "### Speed and size",
        table(["", *PAIR, "gain"], gained),
        words.about_speed(parity),
        "### How predictions differ",
        table(*difference_rows(parity)),
        "\n".join(f"- {name}: {meaning}" for name, meaning in words.what_differs(parity)),
        *_promises(parity),
    ]
    return "\n\n".join(part for part in parts if part)


def _f1(before: Quality, after: Quality) -> str:
    (_, *micro), *types = f1_rows(before, after)
    rows = [[ALL_ROW, *micro], *([escape(label, quote=False), *figures] for label, *figures in types)]
    return table(["type", *PAIR, "difference"], rows)


def _promises(parity: Parity) -> list[str]:
    rows = [[escape(label, quote=False), *cells] for label, *cells in promise_rows(parity)]
    heads = ["type", "promised", "at least", "threshold"]
    return ["### Promised precision", table(heads, rows), words.PROMISED_IS] if rows else []
