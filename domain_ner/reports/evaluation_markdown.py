"""Renders the evaluation as Markdown, for a pull request: the most important results as tables."""

from collections.abc import Sequence

from domain_ner.evaluation.predicting import FLOOR_F1, TARGET_F1
from domain_ner.evaluation.report import TEST_SET
from domain_ner.evaluation.schema import Marked, Report, ShownMistake, Slice, TypeScore
from domain_ner.metrics.mistakes import KINDS
from domain_ner.reports.markdown import code, table
from domain_ner.reports.mistake_counts import HEADS, confusing, count_rows, counted_kinds, counting
from domain_ner.reports.numbers import (
    MAX_TIPS,
    change,
    elsewhere,
    entropy,
    measured_on,
    percent,
    reported_from,
    told,
    unreported,
)

MAX_MISTAKES, MAX_CONFUSIONS, MAX_VALUES = 15, 10, 12
NO_ENTITY = "no entity"


def evaluation_markdown(report: Report) -> str:
    """Render the report as GitHub-flavoured Markdown."""
    parts = [
        f"# Evaluation of {report.pipeline}",
        measured_on(report),
        "## Scores by type",
        f"Target: F1 of {100 * TARGET_F1:.0f} for every type, {100 * FLOOR_F1:.0f} at least. "
        "In brackets: 95 % intervals, by bootstrap over passages.",
        _headline(report),
        f"Micro F1: {elsewhere(report)}." if report.grouped else "",
        "### Boundary and type errors forgiven",
        table(
            ["scheme", "F1", "precision", "recall", "right is"],
            (
                [name, *map(percent, (one.f1, one.precision, one.recall)), one.meaning]
                for name, one in report.schemes.items()
            ),
        ),
        *_advice(report),
        "## Mistakes",
        *_counts(report),
        *_confusions(report),
        *_confident(report.mistakes),
        "## Unseen names",
        *(part for trait, values in report.slices.items() for part in _slices(trait, values)),
        *_certainty(report),
        *_robustness(report),
        *_splits(report),
        *_test_sets(report),
        *_source(report),
        *_diversity(report),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def _headline(report: Report) -> str:
    head = report.headline
    macro = head.macro
    rows = [_row(label, one) for label, one in head.by_type.items()]
    rows.append(_row("**micro**", head.micro))
    rows.append(["**macro**", told(macro.f1), "", told(macro.precision), told(macro.recall), ""])
    return table(["type", "F1", "verdict", "precision", "recall", "support"], rows)


def _advice(report: Report) -> list[str]:
    if not report.advice:
        return []
    tips, n_more = report.advice[:MAX_TIPS], len(report.advice) - MAX_TIPS
    rows = [[one.label, one.rule, one.what, one.why, code(one.queue) if one.queue else ""] for one in tips]
    files_note = (
        "The column passages gives the prefix of files with review tasks, for Prodigy, Label Studio and doccano."
    )
    more = f"{n_more} more in evaluation.html; the types with most mistakes come first." if n_more > 0 else ""
    return ["## What to do next", table(["type", "advice", "what to do", "why", "passages"], rows), more, files_note]


def _row(name: str, one: TypeScore) -> list[str]:
    return [name, told(one.f1), one.verdict, told(one.precision), told(one.recall), f"{one.support:,}"]


def _counts(report: Report) -> list[str]:
    """Render the mistakes, one row per type because there may be many; how they are counted; what the kinds mean."""
    if not report.mistake_counts:
        return ["None."]
    kinds = counted_kinds(report)
    rows = ([label or "**all**", *map(str, numbers)] for label, numbers in count_rows(report))
    meanings = "; ".join(f"{kind}: {KINDS[kind]}" for kind in kinds)
    heads = ["type", "mistakes", *kinds, *HEADS]
    return [table(heads, rows), f"{meanings[:1].upper()}{meanings[1:]}.", counting(report)]


def _confusions(report: Report) -> list[str]:
    found = [
        (n, gold or NO_ENTITY, predicted or NO_ENTITY)
        for gold, row in report.confusion.items()
        for predicted, n in row.items()
        if n and gold != predicted
    ]
    rows = [[gold, predicted, str(n)] for n, gold, predicted in sorted(found, reverse=True)[:MAX_CONFUSIONS]]
    if not rows:
        return []
    return ["### Confusion of types", table(["gold", "predicted", "entities"], rows), confusing(report)]


def _confident(mistakes: Sequence[ShownMistake]) -> list[str]:
    """List the most confident mistakes."""
    if not mistakes:
        return []
    listed = "\n".join(_mistake(one) for one in mistakes[:MAX_MISTAKES])
    return [f"### The most confident of {len(mistakes):,} mistakes", listed]


def _mistake(one: ShownMistake) -> str:
    sure = "" if one.confidence is None else f", {percent(one.confidence)} sure"
    gold, predicted = (", ".join(_entity(one, span) for span in spans) for spans in (one.gold, one.predicted))
    return f"- {code(one.source)} **{one.kind}**{sure}: gold {gold or 'nothing'}, predicted {predicted or 'nothing'}"


def _entity(one: ShownMistake, span: Marked) -> str:
    return f"{code(one.text[span.start : span.end])} {span.label}"


def _slices(trait: str, values: Sequence[Slice]) -> list[str]:
    """Render one trait; of many values, those with the most gold entities."""
    shown = sorted(values, key=lambda one: -one.support)[:MAX_VALUES] if len(values) > MAX_VALUES else values
    rows = [[one.value, *map(percent, (one.f1, one.precision, one.recall)), f"{one.support:,}"] for one in shown]
    more = f"and {len(values) - len(shown)} more, in evaluation.json" if len(values) > len(shown) else ""
    return [table([trait, "F1", "precision", "recall", "support"], rows), more]


def _test_sets(report: Report) -> list[str]:
    """Render F1 by type on each test set, side by side."""
    if not report.test_sets:
        return []
    sets = {TEST_SET: report.headline, **report.test_sets}
    rows = [
        [label, *(_f1_of(one.by_type.get(label)) for one in sets.values())]
        for label in sorted({label for one in sets.values() for label in one.by_type})
    ]
    rows.append(["**micro**", *(told(one.micro.f1) for one in sets.values())])
    rows.append(["passages", *(f"{one.n_passages:,}" for one in sets.values())])
    return ["### Other test sets, F1", table(["type", *map(code, sets)], rows)]


def _f1_of(one: TypeScore | None) -> str:
    return told(one.f1) if one is not None and one.support else ""


def _source(report: Report) -> list[str]:
    if report.source is None:
        return []
    found = report.source
    fates = ", ".join(f"{n:,} {fate}" for fate, n in found.fates.items())
    return [
        "## Annotations in the exports",
        f"The exports hold {found.n_annotations:,} annotations of the test passages, including flattened, masked and "
        f"lost ones; the pipeline finds {percent(found.recall)} % of them. By fate: {fates}.",
    ]


def _splits(report: Report) -> list[str]:
    """Render the scores by split, which show overfitting."""
    if len(report.splits) < 2:
        return []
    rows = [
        [
            split,
            told(one.f1),
            f"{one.n_passages:,}",
            "" if one.share_sure is None else percent(one.share_sure),
            entropy(one),
        ]
        for split, one in report.splits.items()
    ]
    heads = ["split", "micro F1", "passages", "predictions 99 % sure, %", "entropy, bits"]
    return ["## Overfitting", table(heads, rows)]


def _robustness(report: Report) -> list[str]:
    found = report.robustness
    if found is None:
        return []
    labels = list(found.by_type)
    rows = [["unchanged", "", percent(found.f1), "", *(percent(found.by_type[label]) for label in labels)]]
    for one in found.shapes:
        rows.append(
            [
                one.name,
                one.meaning,
                percent(one.f1),
                change(one),
                *(percent(one.by_type.get(label, 0)) for label in labels),
            ]
        )
    note = f"F1 on {found.n_passages:,} test passages, unchanged and changed."
    return ["## Robustness", note, table(["text", "", "micro F1", "difference", *labels], rows)]


def _certainty(report: Report) -> list[str]:
    rows = [
        [
            label or "all",
            *(percent(one) for one in (found.before.ece, found.after.ece, found.after.ece_by_chance)),
            reported_from(found),
        ]
        for label, found in report.certainty.items()
    ]
    heads = ["type", "before calibration", "after", "by chance", "reported from"]
    note = (
        "Expected calibration error (the distance between confidence and precision), in points; and the minimum "
        "confidence of reported entities, in per cent."
    )
    if left_out := unreported(report):
        note += f" {left_out}"
    return ["## Confidence", note, table(heads, rows)] if rows else []


def _diversity(report: Report) -> list[str]:
    rows = [
        [
            split,
            label,
            f"{one.n_mentions:,}",
            f"{one.n_surfaces:,}",
            f"{one.n_once:,}",
            f"{code(one.top)} × {one.n_top}",
        ]
        for split, types in report.diversity.items()
        for label, one in types.items()
    ]
    heads = ["split", "type", "mentions", "different names", "of them once", "most frequent"]
    return ["## Diversity of the annotations", table(heads, rows)] if rows else []
