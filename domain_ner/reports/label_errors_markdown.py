"""Renders suspicious annotations as Markdown: counts by kind, type and annotator, and the likeliest errors."""

from collections import Counter

from domain_ner.evaluation.schema import Marked
from domain_ner.evaluation.suspect_schema import LabelErrors, ShownSuspect
from domain_ner.metrics.suspects import KINDS
from domain_ner.reports.markdown import ALL_ROW, code, kinds_by_type, table
from domain_ner.reports.numbers import percent

LIKELY = 0.5
MAX_SHOWN = 50
COUNTING = "Each place counts once: under the annotated type or, if nothing is annotated, under the suggested type."


def label_errors_markdown(errors: LabelErrors) -> str:
    """Render the models' agreement with the annotations, and the suspects, the strongest evidence first."""
    likely = [suspect for suspect in errors.suspects if suspect.score >= LIKELY]
    parts = [
        "# Annotations that are likely wrong",
        "## Reliability of the models",
        "Scores on annotations that the models were not trained on. They limit the probabilities below: to the recall "
        "of the type for needless annotations, and to the precision of the suggested type for all others.",
        _held_out(errors),
        "## Number of suspects",
        f"{errors.n_annotations:,} annotations in {errors.n_passages:,} passages. Each passage was predicted by a "
        f"model that was not trained on it ({errors.n_folds} folds). {len(errors.suspects):,} places differ. At "
        f"{len(likely):,} of them the annotation is likely wrong (50 % or more), judging by the model and by the "
        "annotations of the same words elsewhere. Both can be wrong: check before you change anything.",
    ]
    if likely:
        parts += ["## Suspects by kind", _counts(likely), COUNTING, *_annotators(likely)]
    if errors.suspects:
        parts += [
            "## Suspects in context",
            "The strongest evidence first.",
            "\n".join(map(_line, errors.suspects[:MAX_SHOWN])),
        ]
        n_more = len(errors.suspects) - MAX_SHOWN
        parts += [f"and {n_more:,} more, in label_errors.json"] if n_more > 0 else []
    return "\n\n".join(parts) + "\n"


def _held_out(errors: LabelErrors) -> str:
    rows = (
        [label or ALL_ROW, *map(percent, (score.precision, score.recall, score.f1)), f"{score.support:,}"]
        for label, score in errors.held_out.items()
    )
    return table(["type", "precision", "recall", "F1", "annotations"], rows)


def _counts(likely: list[ShownSuspect]) -> str:
    counts = Counter((suspect.kind, (suspect.annotated or suspect.suggested)[0].label) for suspect in likely)
    return kinds_by_type(counts, KINDS, sorted({label for _, label in counts}))


def _annotators(likely: list[ShownSuspect]) -> list[str]:
    """Count suspects by annotator, if more than one is known."""
    counts = Counter(suspect.annotator for suspect in likely if suspect.annotator)
    if len(counts) < 2:
        return []
    return [table(["annotator", "suspicious"], ([code(name), str(n)] for name, n in counts.most_common()))]


def _line(suspect: ShownSuspect) -> str:
    def words(spans: list[Marked]) -> str:
        return ", ".join(f"{code(suspect.text[span.start : span.end])} {span.label}" for span in spans) or "nothing"

    change = f"{words(suspect.annotated)} → {words(suspect.suggested)}"
    return f"- {percent(suspect.score)} % {suspect.kind}, {code(suspect.source)}: {change}, in {code(suspect.text)}"
