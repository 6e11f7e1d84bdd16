"""What `find-label-errors` prints: how far the models can be believed, and the likeliest errors."""

from collections import Counter

from domain_ner.commands.console import out, say, table
from domain_ner.evaluation.suspect_schema import LabelErrors
from domain_ner.metrics.suspects import KINDS
from domain_ner.reports.label_errors_markdown import LIKELY
from domain_ner.reports.numbers import percent

SHOWN = 10


def print_held_out(errors: LabelErrors) -> None:
    """Print how far the models agree with annotations that they did not learn."""
    printed = table(
        "type",
        "precision",
        "recall",
        "F1",
        "annotations",
        title="how far the models agree with annotations that they did not learn",
    )
    for label, one in errors.held_out.items():
        printed.add_row(label or "all", *map(percent, (one.precision, one.recall, one.f1)), str(one.support))
    out.print(printed)
    say(
        "no suspicion below claims more than this: missing and other annotations no more than the precision of the type"
    )
    say("that is suggested, needless ones no more than the recall of theirs")


def print_errors(errors: LabelErrors) -> None:
    """Print how far the models can be believed, how many suspects there are of each kind, and the first."""
    print_held_out(errors)
    counts = Counter(one.kind for one in errors.suspects)
    likely = Counter(one.kind for one in errors.suspects if one.score >= LIKELY)
    title = f"{errors.n_annotations:,} annotations in {errors.n_passages:,} passages"
    printed = table("kind", "the model differs", "likely an error (50 %)", title=title)
    for kind in KINDS:
        printed.add_row(kind, str(counts[kind]), str(likely[kind]))
    out.print(printed)
    for one in errors.suspects[:SHOWN]:
        annotated, suggested = (
            ", ".join(f"{one.text[mark.start : mark.end]!r} {mark.label}" for mark in some) or "nothing"
            for some in (one.annotated, one.suggested)
        )
        say(f"{100 * one.score:.0f} % {one.kind}: {annotated} -> {suggested} ({one.source})")
