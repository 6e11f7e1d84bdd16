"""Renders suspicious annotations as Markdown: counts by kind, type and annotator, and the likeliest errors."""

from collections import Counter

from domain_ner.evaluation.schema import Marked
from domain_ner.evaluation.suspect_schema import LabelErrors, ShownSuspect
from domain_ner.metrics.suspects import KINDS
from domain_ner.reports.markdown import code, kinds_by_type, table
from domain_ner.reports.numbers import percent

LIKELY = 0.5
MAX_SHOWN = 50
COUNTING = "Each place counts once: under the annotated type or, if nothing is annotated, under the suggested type."


def label_errors_markdown(found: LabelErrors) -> str:
    """Render the models' agreement with the annotations, and the suspects, the strongest evidence first."""
    likely = [one for one in found.suspects if one.score >= LIKELY]
    parts = [
        "# Annotations that are likely wrong",
        "## Reliability of the models",
        "Scores on annotations that the models were not trained on. They limit the probabilities below: to the recall "
        "of the type for needless annotations, and to the precision of the suggested type for all others.",
        _held_out(found),
        "## Number of suspects",
        f"{found.n_annotations:,} annotations in {found.n_passages:,} passages. Each passage was predicted by a model "
        f"that was not trained on it ({found.n_folds} folds). {len(found.suspects):,} places differ. At "
        f"{len(likely):,} of them the annotation is likely wrong (50 % or more), judging by the model and by the "
        "annotations of the same words elsewhere. Both can be wrong: check before you change anything.",
    ]
    if likely:
        parts += ["## Suspects by kind", _counts(likely), COUNTING, *_annotators(likely)]
    if found.suspects:
        parts += [
            "## Suspects in context",
            "The strongest evidence first.",
            "\n".join(map(_line, found.suspects[:MAX_SHOWN])),
        ]
        n_more = len(found.suspects) - MAX_SHOWN
        parts += [f"and {n_more:,} more, in label_errors.json"] if n_more > 0 else []
    return "\n\n".join(parts) + "\n"


def _held_out(found: LabelErrors) -> str:
    rows = (
        [label or "**all**", *map(percent, (one.precision, one.recall, one.f1)), f"{one.support:,}"]
        for label, one in found.held_out.items()
    )
    return table(["type", "precision", "recall", "F1", "annotations"], rows)


def _counts(likely: list[ShownSuspect]) -> str:
    counts = Counter((one.kind, (one.annotated or one.suggested)[0].label) for one in likely)
    return kinds_by_type(counts, KINDS, sorted({label for _, label in counts}))


def _annotators(likely: list[ShownSuspect]) -> list[str]:
    """Count suspects by annotator, if more than one is known."""
    counts = Counter(one.annotator for one in likely if one.annotator)
    if len(counts) < 2:
        return []
    return [table(["annotator", "suspicious"], ([code(name), str(n)] for name, n in counts.most_common()))]


def _line(one: ShownSuspect) -> str:
    def words(marks: list[Marked]) -> str:
        return ", ".join(f"{code(one.text[mark.start : mark.end])} {mark.label}" for mark in marks) or "nothing"

    change = f"{words(one.annotated)} → {words(one.suggested)}"
    return f"- {percent(one.score)} % {one.kind}, {code(one.source)}: {change}, in {code(one.text)}"
