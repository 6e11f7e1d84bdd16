"""Renders the evaluation as one self-contained HTML page: charts, tables, and all mistakes with filters."""

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from markupsafe import Markup

from domain_ner.annotations.passages import utf16_offsets
from domain_ner.evaluation.predicting import FLOOR_F1, TARGET_F1
from domain_ner.evaluation.report import TEST_SET
from domain_ner.evaluation.schema import Marked, Report, ShownMistake
from domain_ner.metrics.mistakes import KINDS
from domain_ner.metrics.scores import ALL_TYPES
from domain_ner.reports import charts
from domain_ner.reports.highlights import MAX_LABEL, entity_mark, nest, palette, readable, short
from domain_ner.reports.mistake_counts import confusing, count_rows, counted_kinds, counting
from domain_ner.reports.numbers import (
    FIRST_SHOWN,
    MAX_ROWS,
    MAX_TIPS,
    MORE_SHOWN,
    change,
    column_labels,
    elsewhere,
    entropy,
    measured_on,
    most,
    percent,
    reported_from,
    unreported,
    with_interval,
)
from domain_ner.reports.pages import render

NO_COLOUR = "#dddddd"
NO_ENTITY = "no entity"
# Number of small charts, including the one of all types.
MAX_SMALL = 12
# Bytes of mistakes on the page, the most confident ones; the others are in evaluation.json.
MAX_BYTES = 6_000_000
VERDICTS = {"target": "✔ target", "floor": "~ floor", "below": "✘ below", "no gold": "no gold"}
TITLES = {
    "surface": "Names seen and unseen in training",
    "in training": "Frequency in training",
    "length": "Length of the entity",
    "case": "Upper and lower case",
    "document length": "Length of the passage",
    "position": "Position in the passage",
    "window": "Position in the encoder's windows",
}
# Names that the templates use for every report.
TEMPLATE_NAMES: dict[str, Any] = {
    "target": TARGET_F1, "floor": FLOOR_F1, "kinds": KINDS, "titles": TITLES, "verdicts": VERDICTS, "short": short,
    "with_interval": with_interval, "percent": percent, "reported_from": reported_from, "unreported": unreported,
    "entropy": entropy, "change": change, "all_types": ALL_TYPES, "max_label": MAX_LABEL, "max_tips": MAX_TIPS,
    "max_rows": MAX_ROWS, "max_small": MAX_SMALL, "first_shown": FIRST_SHOWN, "more_shown": MORE_SHOWN,
}  # fmt: skip


def evaluation_page(report: Report, colours: Mapping[str, str] | None = None) -> str:
    """Render the page as self-contained HTML.

    colours: of types, `#rrggbb`; others come from a palette.
    """
    colours = palette(report.labels) | dict(colours or {})
    mistakes, columns = _fitting(report.mistakes), column_labels(report)
    return render(
        "evaluation.html.j2",
        **TEMPLATE_NAMES,
        report=report,
        charts=_charts(report),
        counts=count_rows(report),
        counted_kinds=counted_kinds(report),
        counting=counting(report),
        confusing=confusing(report),
        measured_on=measured_on(report),
        cards=[(mistake, *_lines(mistake, colours)) for mistake in report.mistakes[: min(FIRST_SHOWN, len(mistakes))]],
        columns=columns,
        n_others=len(report.labels) - len(columns),
        confusion=_confusion(report, columns),
        colour_of=lambda label: readable(colours.get(label, NO_COLOUR)),
        elsewhere=elsewhere(report),
        n_shown=len(mistakes),
        data=_data(mistakes, {label: colours.get(label, NO_COLOUR) for label in report.labels}),
        verdict=_verdict(report),
        test_sets={TEST_SET: report.headline, **report.test_sets} if report.test_sets else {},
        labels_of_all=sorted(
            {label for head in report.test_sets.values() for label in head.by_type} | {*report.labels}
        ),
        files=sorted({mistake.source.rpartition(":")[0] for mistake in report.mistakes[: len(mistakes)]}),
    )


def _verdict(report: Report) -> str:
    """Say how many types reach the target."""
    in_gold = [score for score in report.headline.by_type.values() if score.support]
    if not in_gold:
        return "The test set holds no entity: there is nothing to measure."
    n_target = sum(score.verdict == "target" for score in in_gold)
    below = [label for label, score in report.headline.by_type.items() if score.verdict == "below"]
    more = f" and {len(below) - MAX_TIPS} more" if len(below) > MAX_TIPS else ""
    below_floor = f" Below the floor of {100 * FLOOR_F1:.0f}: {', '.join(map(short, below[:MAX_TIPS]))}{more}."
    below_floor = below_floor if below else ""
    return f"{n_target} of {len(in_gold)} types reach the target F1 of {100 * TARGET_F1:.0f}.{below_floor}"


def _charts(report: Report) -> dict[str, Markup]:
    """Draw the charts for which there are figures."""
    in_gold = {label: score.f1 for label, score in report.headline.by_type.items() if score.support}
    svgs = {}
    if in_gold:
        support = {label: score.support for label, score in report.headline.by_type.items()}
        drawn = {label: in_gold[label] for label in most(in_gold, support, MAX_ROWS)}
        svgs["scores"] = charts.scores_chart(drawn, target=TARGET_F1, floor=FLOOR_F1)
    if report.training:
        svgs["training"] = charts.training_chart(report.training)
    if report.confidence:
        svgs["confidence"] = charts.confidence_chart(report.confidence)
    if report.certainty:
        n_of = {
            label: sum(part.n for part in calibration.after.bins) for label, calibration in report.certainty.items()
        }
        small = {label: report.certainty[label] for label in most(n_of, n_of, MAX_SMALL)}
        svgs["reliability"] = charts.reliability_chart(small)
        svgs["thresholds"] = charts.threshold_chart(small)
    if report.robustness:
        svgs["shapes"] = charts.shapes_chart(report.robustness)
    return svgs


def _lines(mistake: ShownMistake, colours: Mapping[str, str]) -> tuple[Markup, Markup]:
    """Render the text of a mistake twice: with the gold entities, and with the predicted ones."""

    def marked(spans: Sequence[Marked]) -> Markup:
        marks = [
            entity_mark(
                (span.start, span.end),
                span.label,
                colours.get(span.label, NO_COLOUR),
                number=n,
                confidence=span.confidence,
            )
            for n, span in enumerate(spans)
        ]
        return Markup(nest(mistake.text, marks))

    return marked(mistake.gold), marked(mistake.predicted)


def _confusion(report: Report, columns: Sequence[str]) -> list[tuple[str, int, list[tuple[int, float, bool]]]]:
    """List (gold type, number, cells); a cell is (number, share of the row, whether right) of a predicted type."""
    rows = []
    for gold, row in report.confusion.items():
        if gold and gold not in columns:
            continue
        n_all = sum(row.values())
        counts = _in_columns(row, report, columns) | {"": row.get("", 0)}
        cells = [(n, n / n_all if n_all else 0.0, name == gold) for name, n in counts.items()]
        rows.append((gold or NO_ENTITY, n_all, cells))
    return rows


def _in_columns(n_of: Mapping[str, int], report: Report, columns: Sequence[str]) -> dict[str | None, int]:
    """Return the number of each type with a column, and the sum of all others under None, if any."""
    n_others = sum(n_of.get(label, 0) for label in {*report.labels}.difference(columns))
    counts: dict[str | None, int] = {label: n_of.get(label, 0) for label in columns}
    return counts | ({None: n_others} if len(columns) < len(report.labels) else {})


def _fitting(mistakes: Iterable[ShownMistake]) -> list[str]:
    """Convert the first mistakes to JSON, as many as a page holds."""
    fitting, n_bytes = [], 0
    for mistake in mistakes:
        text = _json(_in_browser(mistake))
        n_bytes += len(text.encode())
        if n_bytes > MAX_BYTES:
            break
        fitting.append(text)
    return fitting


def _in_browser(mistake: ShownMistake) -> dict[str, Any]:
    """Convert a mistake for the script: with offsets in the UTF-16 units of JavaScript."""
    offsets = utf16_offsets(mistake.text)

    def placed(span: Marked) -> dict[str, Any]:
        return span.model_dump() | {"start": offsets[span.start], "end": offsets[span.end]}

    spans = {
        name: [placed(span) for span in entities]
        for name, entities in (("gold", mistake.gold), ("predicted", mistake.predicted))
    }
    tokens = [(offsets[start], offsets[end]) for start, end in mistake.tokens]
    return mistake.model_dump(exclude={"labels", "offset", "end"}) | spans | {"tokens": tokens}


def _data(mistakes: Sequence[str], colours: Mapping[str, str]) -> Markup:
    """Embed the mistakes as JSON in the page; the script creates their HTML on demand."""
    plain = _json({label: readable(colour) for label, colour in colours.items()})
    text = f'{{"colours":{plain},"mistakes":[{",".join(mistakes)}]}}'
    return Markup(text.replace("&", "\\u0026").replace("<", "\\u003c").replace(">", "\\u003e"))


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
