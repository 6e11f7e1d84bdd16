"""Counts mistakes by type and kind, and relates them to precision and recall, for the page and the Markdown alike."""

from domain_ner.evaluation.schema import Report

HEADS = ("false negatives", "false positives")


def counted_kinds(report: Report) -> list[str]:
    """List the kinds of mistakes that occur, in their order."""
    return list(report.mistake_counts)


def count_rows(report: Report) -> list[tuple[str, list[int]]]:
    """List (type, numbers): mistakes, mistakes of each kind, false negatives, false positives; the sums last (`""`)."""
    rows = []
    for label in report.labels:
        of_kinds = [report.mistake_counts[kind].get(label, 0) for kind in counted_kinds(report)]
        score = report.headline.by_type[label]
        wrong = [score.support - score.n_correct, score.n_predicted - score.n_correct]
        rows.append((label, [sum(of_kinds), *of_kinds, *wrong]))
    n_columns = len(report.mistake_counts) + 3
    return [*rows, ("", [sum(numbers[n] for _, numbers in rows) for n in range(n_columns)])]


def counting(report: Report) -> str:
    """Explain how mistakes are counted, and how they relate to the counts behind precision and recall."""
    micro, n = report.headline.micro, len(report.mistakes)
    missed, wrong = micro.support - micro.n_correct, micro.n_predicted - micro.n_correct
    return (
        "Each mistake counts once: under its type in gold or, if gold has no entity, under the predicted type. "
        f"The {_times(n, 'mistake')} {'holds' if n == 1 else 'hold'} {_times(missed, 'false negative')} "
        f"({micro.support:,} in gold, {micro.n_correct:,} of them found) and {_times(wrong, 'false positive')} "
        f"({micro.n_predicted:,} predicted, {micro.n_correct:,} of them right). A missing entity is a false negative, "
        "a spurious one a false positive; every other mistake is at least one of each."
    )


def confusing(report: Report) -> str:
    """Relate the entities without a counterpart in the confusion table to the mistakes."""
    spurious, missing = (sum(report.mistake_counts.get(kind, {}).values()) for kind in ("spurious", "missing"))
    alone = sum(report.confusion.get("", {}).values())
    lost = sum(row.get("", 0) for row in report.confusion.values())
    return (
        f"No entity in gold: {_sum(alone, spurious, 'spurious')}. Found as no entity: {_sum(lost, missing, 'missing')}."
    )


def _sum(n: int, n_alone: int, kind: str) -> str:
    if n == n_alone:
        return f"{n:,}, all of them {kind}" if n else "none"
    return f"{n:,}, which are {n_alone:,} {kind} and {n - n_alone:,} of mistakes with several entities"


def _times(n: int, singular: str) -> str:
    return f"{n:,} {singular if n == 1 else singular + 's'}"
