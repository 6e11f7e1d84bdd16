"""Checks annotations against the guide: passage by passage, then over the whole corpus."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence

from domain_ner.annotations.passages import LabelledSpan, Passage
from domain_ner.corpus.near_duplicates import group_near_duplicates, similarity
from domain_ner.guide.check_guide import may_share
from domain_ner.guide.findings import Finding, excerpt
from domain_ner.guide.inconsistencies import majority_label, skipped_names, surface_labels
from domain_ner.guide.legality import SpanRules
from domain_ner.guide.rules import check_span
from domain_ner.guide.schema import Guide, Rules
from domain_ner.guide.statistics import TypeStatistics

USABLE_MENTIONS = 200
GOOD_MENTIONS = 500
NGRAM = 5
NEAR_DUPLICATE = 0.5
DOMINANT_SHARE = 0.2
# How many sources a finding about near-duplicates names.
MAX_SOURCES = 5

Count = Callable[[], None]


def check_passages(guide: Guide, passages: Iterable[Passage], *, on_passage: Count = lambda: None) -> Iterator[Finding]:
    """Check each span by itself: unknown labels, boundaries, rules, not-entities, nesting."""
    rules = SpanRules.of(guide)
    for passage in passages:
        for span in passage.spans:
            for kind, message in _span_faults(passage, span, rules):
                yield _finding(kind, message, passage, span)
        for span in passage.trimmed:
            for kind, message in check_span(passage.text, span, Rules()):
                if kind == "white space":
                    yield _finding(kind, message, passage, span)
        on_passage()


def check_corpus(
    guide: Guide,
    passages: Sequence[Passage],
    statistics: dict[str, TypeStatistics],
    *,
    on_passage: Count = lambda: None,
) -> list[Finding]:
    """Check the corpus as a whole: inconsistent labels, skipped names, near-duplicates, types with too few mentions.

    passages: one annotation a text.
    """
    return [
        *_several_labels(guide, passages),
        *_skipped(passages, on_passage),
        *_near_duplicates(passages),
        *_too_little(guide, statistics),
        *_without_entities(passages),
    ]


def check_duplicates(passages: Iterable[Passage]) -> Iterator[Finding]:
    """Find texts that one annotator annotated twice; two annotators are a welcome second opinion."""
    first: dict[tuple[str, str], Passage] = {}
    for passage in passages:
        former = first.setdefault((passage.text, passage.annotator), passage)
        if former is not passage:
            yield Finding("duplicate", f"the same text as {former.source}", "", passage.source, passage.text[:120])


def _span_faults(passage: Passage, span: LabelledSpan, rules: SpanRules) -> Iterator[tuple[str, str]]:
    yield from rules.faults(passage.text, span)
    if span.label in rules.rules and not rules.may_nest(span.label):
        surface = passage.text[span.start : span.end]
        for outer in passage.spans:
            if outer != span and outer.start <= span.start and span.end <= outer.end:
                yield "nested", f"{surface!r} is inside {passage.text[outer.start : outer.end]!r} ({outer.label})"


def _finding(kind: str, message: str, passage: Passage, span: LabelledSpan) -> Finding:
    surface = passage.text[span.start : span.end]
    return Finding(kind, message, span.label, passage.source, excerpt(passage.text, span), surface)


def _several_labels(guide: Guide, passages: Sequence[Passage]) -> Iterator[Finding]:
    labels = surface_labels(passages)
    for passage in passages:
        # An unknown label gets its own finding; it does not compete with known ones.
        for span in (span for span in passage.spans if span.label in guide.labels):
            surface = passage.text[span.start : span.end]
            majority = majority_label({label: n for label, n in labels[surface].items() if label in guide.labels})
            if span.label != majority and not may_share(guide, span.label, majority):
                counted = ", ".join(f"{label} {n}" for label, n in labels[surface].most_common())
                yield _finding(
                    "several labels", f"{surface!r} is {span.label} here; in the whole corpus: {counted}", passage, span
                )


def _skipped(passages: Sequence[Passage], on_passage: Count) -> Iterator[Finding]:
    for passage, span, n_annotated in skipped_names(passages, on_passage=on_passage):
        surface = passage.text[span.start : span.end]
        message = f"{surface!r} is not annotated here; {n_annotated} times elsewhere as {span.label}"
        yield _finding("skipped", message, passage, span)


def _near_duplicates(passages: Sequence[Passage]) -> Iterator[Finding]:
    """Make one finding for each group of near-duplicates, at its second passage."""
    groups: dict[int, list[int]] = defaultdict(list)
    firsts = group_near_duplicates([passage.text for passage in passages], n=NGRAM, threshold=NEAR_DUPLICATE)
    for number, first in enumerate(firsts):
        groups[first].append(number)
    for numbers in groups.values():
        if len(numbers) > 1:
            second = passages[numbers[1]]
            yield Finding(
                "near-duplicate", _describe_duplicates(passages, numbers), "", second.source, second.text[:120]
            )


def _describe_duplicates(passages: Sequence[Passage], numbers: Sequence[int]) -> str:
    if len(numbers) == 2:
        first, second = (passages[number] for number in numbers)
        return (
            f"{similarity(first.text, second.text, n=NGRAM):.0%} of the {NGRAM}-word runs occur in {first.source} too"
        )
    sources = ", ".join(passages[number].source for number in numbers[:MAX_SOURCES])
    more = f" and {len(numbers) - MAX_SOURCES:,} more" if len(numbers) > MAX_SOURCES else ""
    return f"{len(numbers):,} passages are near-duplicates, each of another one: {sources}{more}"


def _too_little(guide: Guide, statistics: dict[str, TypeStatistics]) -> Iterator[Finding]:
    for label in guide.labels:
        type_statistics = statistics.get(label)
        n_mentions = type_statistics.n_mentions if type_statistics else 0
        if n_mentions < USABLE_MENTIONS:
            yield Finding("too few mentions", _lacks(label, n_mentions, "usable", USABLE_MENTIONS), label)
        elif n_mentions < GOOD_MENTIONS:
            yield Finding("more mentions wanted", _lacks(label, n_mentions, "good", GOOD_MENTIONS), label)
        if type_statistics and n_mentions >= USABLE_MENTIONS and type_statistics.n_top > DOMINANT_SHARE * n_mentions:
            message = f"{type_statistics.n_top} of {n_mentions} mentions of {label} are {type_statistics.top_surface!r}"
            yield Finding("one surface dominates", f"{message}; expected varied names", label)


def _lacks(label: str, n_mentions: int, aim: str, n_wanted: int) -> str:
    return f"{label} has {n_mentions} mentions; it needs {n_wanted - n_mentions} more to be {aim} ({n_wanted})"


def _without_entities(passages: Sequence[Passage]) -> Iterator[Finding]:
    n_without = sum(not passage.spans for passage in passages)
    if n_without:
        message = f"{n_without} of {len(passages)} passages have no entity: correct if the annotators looked at them"
        yield Finding("passages without entities", message)
