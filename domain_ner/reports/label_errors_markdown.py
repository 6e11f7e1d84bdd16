"""Suspicious annotations as Markdown: how many of which kind, by whom, and the likeliest errors in context."""

from collections import Counter

from domain_ner.evaluation.schema import Marked
from domain_ner.evaluation.suspect_schema import LabelErrors, ShownSuspect
from domain_ner.metrics.suspects import KINDS
from domain_ner.reports.markdown import code, kinds_by_type, table
from domain_ner.reports.numbers import percent

LIKELY = 0.5
MAX_SHOWN = 50
COUNTING = "Each place counts once: under the annotated type or, where nothing is annotated, under the suggested one."


def label_errors_markdown(found: LabelErrors) -> str:
    """How far the models agree with the annotations, and the suspects, the strongest evidence first."""
    likely = [one for one in found.suspects if one.score >= LIKELY]
    parts = [
        "# Annotations that are likely wrong",
        "## How far the models can be believed",
        "On annotations that they did not learn. No suspicion claims more than this: missing and other annotations no "
        "more than the precision of the type that is suggested, needless ones no more than the recall of theirs.",
        _held_out(found),
        "## How many",
        f"{found.n_annotations:,} annotations in {found.n_passages:,} passages. Each passage was predicted by a model "
        f"that did not learn it ({found.n_folds} folds). {len(found.suspects):,} places differ; at {len(likely):,} of "
        "them the annotation is likely wrong (50 % or more), by the model and by how the same words are annotated "
        "elsewhere. Both may mislead: look before you change anything.",
    ]
    if likely:
        parts += ["## What kind", _counts(likely), COUNTING, *_annotators(likely)]
    if found.suspects:
        parts += ["## Where", "The strongest evidence first.", "\n".join(map(_line, found.suspects[:MAX_SHOWN]))]
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
    """Whose passages they are in, where that is known of more than one."""
    counts = Counter(one.annotator for one in likely if one.annotator)
    if len(counts) < 2:
        return []
    return [table(["annotator", "suspicious"], ([code(name), str(n)] for name, n in counts.most_common()))]


def _line(one: ShownSuspect) -> str:
    def words(some: list[Marked]) -> str:
        return ", ".join(f"{code(one.text[mark.start : mark.end])} {mark.label}" for mark in some) or "nothing"

    change = f"{words(one.annotated)} → {words(one.suggested)}"
    return f"- {percent(one.score)} % {one.kind}, {code(one.source)}: {change}, in {code(one.text)}"
