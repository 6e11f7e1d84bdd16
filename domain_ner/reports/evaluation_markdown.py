"""Renders the evaluation as Markdown, for a pull request: the most important results as tables."""

from collections.abc import Sequence

from domain_ner.evaluation.predicting import FLOOR_F1, TARGET_F1
from domain_ner.evaluation.report import TEST_SET
from domain_ner.evaluation.schema import Marked, Report, ShownMistake, Slice, TypeScore
from domain_ner.metrics.mistakes import KINDS
from domain_ner.metrics.scores import ALL_TYPES
from domain_ner.reports.markdown import ALL_ROW, code, table
from domain_ner.reports.mistake_counts import HEADS, confusing, count_rows, counted_kinds, counting
from domain_ner.reports.numbers import (
    MAX_TIPS,
    change,
    elsewhere,
    entropy,
    measured_on,
    percent,
    reported_from,
    unreported,
    with_interval,
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
                [name, *map(percent, (scheme.f1, scheme.precision, scheme.recall)), scheme.meaning]
                for name, scheme in report.schemes.items()
            ),
        ),
        *_advice(report),
        "## Mistakes",
        *_counts(report),
        *_confusions(report),
        *_confident(report.mistakes),
        "## Unseen names",
        *(part for attribute, values in report.slices.items() for part in _slices(attribute, values)),
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
    rows = [_row(label, score) for label, score in head.by_type.items()]
    rows.append(_row("**micro**", head.micro))
    rows.append(
        ["**macro**", with_interval(macro.f1), "", with_interval(macro.precision), with_interval(macro.recall), ""]
    )
    return table(["type", "F1", "verdict", "precision", "recall", "support"], rows)


def _advice(report: Report) -> list[str]:
    if not report.advice:
        return []
    tips, n_more = report.advice[:MAX_TIPS], len(report.advice) - MAX_TIPS
    rows = [[tip.label, tip.rule, tip.what, tip.why, code(tip.queue) if tip.queue else ""] for tip in tips]
    files_note = (
        "The column passages gives the prefix of files with review tasks, for Prodigy, Label Studio and doccano. They "
        "are test passages: read them, and do not correct only what favours the model."
    )
    more = f"{n_more} more in evaluation.html; the types with most mistakes come first." if n_more > 0 else ""
    return ["## What to do next", table(["type", "advice", "what to do", "why", "passages"], rows), more, files_note]


def _row(name: str, score: TypeScore) -> list[str]:
    return [
        name,
        with_interval(score.f1),
        score.verdict,
        with_interval(score.precision),
        with_interval(score.recall),
        f"{score.support:,}",
    ]


def _counts(report: Report) -> list[str]:
    """Render the mistakes, one row per type because there may be many; how they are counted; what the kinds mean."""
    if not report.mistake_counts:
        return ["None."]
    kinds = counted_kinds(report)
    rows = ([label or ALL_ROW, *map(str, numbers)] for label, numbers in count_rows(report))
    meanings = "; ".join(f"{kind}: {KINDS[kind]}" for kind in kinds)
    heads = ["type", "mistakes", *kinds, *HEADS]
    return [table(heads, rows), f"{meanings[:1].upper()}{meanings[1:]}.", counting(report)]


def _confusions(report: Report) -> list[str]:
    confusions = [
        (n, gold or NO_ENTITY, predicted or NO_ENTITY)
        for gold, row in report.confusion.items()
        for predicted, n in row.items()
        if n and gold != predicted
    ]
    rows = [[gold, predicted, str(n)] for n, gold, predicted in sorted(confusions, reverse=True)[:MAX_CONFUSIONS]]
    if not rows:
        return []
    return ["### Confusion of types", table(["gold", "predicted", "entities"], rows), confusing(report)]


def _confident(mistakes: Sequence[ShownMistake]) -> list[str]:
    """List the most confident mistakes."""
    if not mistakes:
        return []
    listed = "\n".join(_mistake(mistake) for mistake in mistakes[:MAX_MISTAKES])
    return [f"### The most confident of {len(mistakes):,} mistakes", listed]


def _mistake(mistake: ShownMistake) -> str:
    sure = "" if mistake.confidence is None else f", {percent(mistake.confidence)} sure"
    gold, predicted = (
        ", ".join(_entity(mistake, span) for span in spans) for spans in (mistake.gold, mistake.predicted)
    )
    differs = f"gold {gold or 'nothing'}, predicted {predicted or 'nothing'}"
    return f"- {code(mistake.source)} **{mistake.kind}**{sure}: {differs}"


def _entity(mistake: ShownMistake, span: Marked) -> str:
    return f"{code(mistake.text[span.start : span.end])} {span.label}"


def _slices(attribute: str, values: Sequence[Slice]) -> list[str]:
    """Render one attribute; of many values, those with the most gold entities."""
    listed = (
        sorted(values, key=lambda slice_score: -slice_score.support)[:MAX_VALUES]
        if len(values) > MAX_VALUES
        else values
    )
    rows = [
        [
            slice_score.value,
            *map(percent, (slice_score.f1, slice_score.precision, slice_score.recall)),
            f"{slice_score.support:,}",
        ]
        for slice_score in listed
    ]
    more = f"and {len(values) - len(listed)} more, in evaluation.json" if len(values) > len(listed) else ""
    return [table([attribute, "F1", "precision", "recall", "support"], rows), more]


def _test_sets(report: Report) -> list[str]:
    """Render F1 by type on each test set, side by side."""
    if not report.test_sets:
        return []
    sets = {TEST_SET: report.headline, **report.test_sets}
    rows = [
        [label, *(_f1_of(head.by_type.get(label)) for head in sets.values())]
        for label in sorted({label for head in sets.values() for label in head.by_type})
    ]
    rows.append(["**micro**", *(with_interval(head.micro.f1) for head in sets.values())])
    rows.append(["passages", *(f"{head.n_passages:,}" for head in sets.values())])
    return ["### Other test sets, F1", table(["type", *map(code, sets)], rows)]


def _f1_of(score: TypeScore | None) -> str:
    return with_interval(score.f1) if score is not None and score.support else ""


def _source(report: Report) -> list[str]:
    if report.source is None:
        return []
    source = report.source
    outcomes = ", ".join(f"{n:,} {outcome}" for outcome, n in source.fates.items())
    return [
        "## Annotations in the exports",
        f"The exports hold {source.n_annotations:,} annotations of the test passages, including flattened, masked and "
        f"lost ones; the pipeline finds {percent(source.recall)} % of them. By fate: {outcomes}.",
    ]


def _splits(report: Report) -> list[str]:
    """Render the scores by split, which show overfitting."""
    if len(report.splits) < 2:
        return []
    rows = [
        [
            split,
            with_interval(score.f1),
            f"{score.n_passages:,}",
            "" if score.share_sure is None else percent(score.share_sure),
            entropy(score),
        ]
        for split, score in report.splits.items()
    ]
    heads = ["split", "micro F1", "passages", "predictions 99 % sure, %", "entropy, bits"]
    return ["## Overfitting", table(heads, rows)]


def _robustness(report: Report) -> list[str]:
    robustness = report.robustness
    if robustness is None:
        return []
    labels = list(robustness.by_type)
    rows = [["unchanged", "", percent(robustness.f1), "", *(percent(robustness.by_type[label]) for label in labels)]]
    for shape in robustness.shapes:
        rows.append(
            [
                shape.name,
                shape.meaning,
                percent(shape.f1),
                change(shape),
                *(percent(shape.by_type.get(label, 0)) for label in labels),
            ]
        )
    note = f"F1 on {robustness.n_passages:,} test passages, unchanged and changed."
    return ["## Robustness", note, table(["text", "", "micro F1", "difference", *labels], rows)]


def _certainty(report: Report) -> list[str]:
    rows = [
        [
            label or ALL_TYPES,
            *(
                percent(error)
                for error in (calibration.before.ece, calibration.after.ece, calibration.after.ece_by_chance)
            ),
            reported_from(calibration),
        ]
        for label, calibration in report.certainty.items()
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
            f"{mentions.n_mentions:,}",
            f"{mentions.n_surfaces:,}",
            f"{mentions.n_once:,}",
            f"{code(mentions.top)} × {mentions.n_top}",
        ]
        for split, types in report.diversity.items()
        for label, mentions in types.items()
    ]
    heads = ["split", "type", "mentions", "different names", "of them once", "most frequent"]
    return ["## Diversity of the annotations", table(heads, rows)] if rows else []
