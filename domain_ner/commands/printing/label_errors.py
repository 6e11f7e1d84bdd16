"""Prints the results of `find-label-errors`: how reliable the models are, and the likeliest errors."""

from collections import Counter

from domain_ner.commands.console import out, say, table
from domain_ner.evaluation.suspect_schema import LabelErrors
from domain_ner.metrics.scores import ALL_TYPES
from domain_ner.metrics.suspects import KINDS
from domain_ner.reports.label_errors_markdown import LIKELY
from domain_ner.reports.numbers import percent

MAX_PRINTED = 10


def print_held_out(errors: LabelErrors) -> None:
    """Print how well the models agree with annotations that they were not trained on."""
    printed = table(
        "type",
        "precision",
        "recall",
        "F1",
        "annotations",
        title="agreement of the models with annotations that they were not trained on",
    )
    for label, score in errors.held_out.items():
        scores = (score.precision, score.recall, score.f1)
        printed.add_row(label or ALL_TYPES, *map(percent, scores), str(score.support))
    out.print(printed)
    say("This limits the probabilities below: to the recall of the type for needless annotations, and to the precision")
    say("of the suggested type for all others.")


def print_errors(errors: LabelErrors) -> None:
    """Print how reliable the models are, the number of suspects of each kind, and the first suspects."""
    print_held_out(errors)
    counts = Counter(suspect.kind for suspect in errors.suspects)
    likely = Counter(suspect.kind for suspect in errors.suspects if suspect.score >= LIKELY)
    title = f"{errors.n_annotations:,} annotations in {errors.n_passages:,} passages"
    printed = table("kind", "the model differs", "likely an error (50 %)", title=title)
    for kind in KINDS:
        printed.add_row(kind, str(counts[kind]), str(likely[kind]))
    out.print(printed)
    for suspect in errors.suspects[:MAX_PRINTED]:
        annotated, suggested = (
            ", ".join(f"{suspect.text[span.start : span.end]!r} {span.label}" for span in spans) or "nothing"
            for spans in (suspect.annotated, suspect.suggested)
        )
        say(f"{100 * suspect.score:.0f} % {suspect.kind}: {annotated} -> {suggested} ({suspect.source})")
