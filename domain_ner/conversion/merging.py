"""Merges the passages of each text into one: combines yes/no answers, merges duplicates, resolves disagreements.

Returns outcomes and does not write them: only `accounts` writes the ledger.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from hashlib import blake2b

from domain_ner.annotations.outcomes import (
    ANSWERED,
    BY_VOTE,
    GATHERED,
    MASKED,
    MERGED,
    NO_TEXT,
    OTHER_ANNOTATOR,
    OVERRULED,
    SAME_ANNOTATOR,
    UNNAMED,
    LeftOutDocument,
    Outcome,
)
from domain_ner.annotations.passages import LabelledSpan, Passage

# Stands for any annotator: the first annotation read is preferred.
ANYONE = "*"
STOP, MAJORITY, UNKNOWN = CONFLICT_RULES = ("stop", "majority", "unknown")


@dataclass(frozen=True)
class MergeRules:
    """What to do if annotations of one text differ.

    prefer: annotators whose annotation is kept, the most trusted first; `*` for anyone.
    conflicts: if none of these annotated the text: `stop` (report it), `majority` (keep spans that more than half of
        the annotators marked; spans that exactly half marked are unknown), or `unknown` (keep spans that all marked;
        the disputed tokens are masked out of the loss).
    """

    prefer: Sequence[str] = ()
    conflicts: str = STOP


@dataclass(frozen=True)
class MergedText:
    """The passage of one text, and the outcomes of the other passages with that text.

    passage: None for a document without a text. outcomes: of annotations that are dropped or merged with others.
    left_out: documents that are not passages of their own. conflicts: a line for each open conflict.
    """

    passage: Passage | None
    outcomes: Sequence[Outcome]
    left_out: Sequence[LeftOutDocument]
    conflicts: Sequence[str] = ()


def merge(passages: Sequence[Passage], rules: MergeRules = MergeRules()) -> Iterator[MergedText]:
    """Yield one passage for each text, in the order of first reading.

    A full annotation takes precedence over yes/no answers on the same text; several yes/no answers become one partial
    passage. A document without a text, or with only white space, becomes no passage; these come first.
    """
    versions: dict[bytes, list[int]] = {}
    for place, passage in enumerate(passages):
        if not passage.text.strip():
            yield MergedText(None, (), [LeftOutDocument(passage.source, NO_TEXT)])
            continue
        key = blake2b(passage.text.encode("utf-8", "surrogatepass"), digest_size=16).digest()
        versions.setdefault(key, []).append(place)
    for places in versions.values():
        yield _merge_versions([passages[place] for place in places], rules)


def _merge_versions(versions: list[Passage], rules: MergeRules) -> MergedText:
    full = [passage for passage in versions if not passage.partial]
    partial = [passage for passage in versions if passage.partial]
    merging = _Merging(rules)
    kept = merging.annotations(full) if full else merging.answers(partial)
    for passage in partial if full else ():
        merging.leave_out(passage, ANSWERED, kept.source)
        merging.compare(passage, kept, OVERRULED, f"the text is annotated in full elsewhere: {kept.source}")
    return MergedText(kept, merging.outcomes, merging.left_out, merging.conflicts)


@dataclass
class _Merging:
    """Merges the versions of one text, and collects their outcomes."""

    rules: MergeRules
    outcomes: list[Outcome] = field(default_factory=list)
    left_out: list[LeftOutDocument] = field(default_factory=list)
    conflicts: list[str] = field(default_factory=list)

    def answers(self, partial: list[Passage]) -> Passage:
        """Combine yes/no answers on one text into a partial passage. Spans both accepted and rejected stay unknown."""
        for passage in partial[1:]:
            self.leave_out(passage, GATHERED, partial[0].source)
        rejected = {span for passage in partial for span in passage.rejected}
        accepted: dict[LabelledSpan, tuple[int, str]] = {}  # row and source
        for span, row, source in _annotations(partial):
            if span in accepted:
                self.settle(row, MERGED, f"the same answer elsewhere: {accepted[span][1]}")
            elif span in rejected:
                self.settle(row, MASKED, "accepted here and rejected elsewhere")
            else:
                accepted[span] = row, source
        contested = {span for span, _, _ in _annotations(partial)} & rejected
        spans = sorted(accepted)
        return replace(
            partial[0],
            spans=tuple(spans),
            rows=tuple(accepted[span][0] for span in spans),
            rejected=tuple(sorted(rejected - contested)),
            trimmed=tuple(span for passage in partial for span in passage.trimmed),
        )

    def annotations(self, full: list[Passage]) -> Passage:
        """Merge full annotations of one text: keep the trusted one, or the spans that enough annotators marked."""
        rules = self.rules
        preferred = [p for annotator in rules.prefer for p in full if annotator in (p.annotator, ANYONE)]
        kept = (preferred or full)[0]
        differing = [passage for passage in full if passage.spans != kept.spans]
        # A trusted annotator who annotated the text twice, differently, has not decided it.
        trusted = preferred and (ANYONE in rules.prefer or all(p.annotator != kept.annotator for p in differing))
        if differing and not trusted and rules.conflicts != STOP:
            return self._by_vote(self._without_repeats(full))
        if not trusted:
            self.conflicts += [_conflict(kept, passage) for passage in differing]
        for passage in full:
            if passage is not kept:
                self.leave_out(passage, _leave_out_reason(passage, kept), kept.source)
                self.compare(passage, kept, OVERRULED, f"kept instead: {kept.source}")
        return kept

    def compare(self, passage: Passage, kept: Passage, outcome: str, reason: str) -> None:
        """Settle the annotations of a passage that is not kept: those that `kept` also has are merged."""
        spans = set(kept.spans)
        for span, row, _ in _annotations([passage]):
            if span in spans:
                self.settle(row, MERGED, f"the same span elsewhere: {kept.source}")
            else:
                self.settle(row, outcome, reason)

    def settle(self, row: int, outcome: str, reason: str) -> None:
        """Record the outcome of an annotation."""
        self.outcomes.append(Outcome(row, outcome, reason))

    def leave_out(self, passage: Passage, reason: str, kept: str) -> None:
        """Record why a passage is left out. kept: the source of the passage that is kept instead."""
        self.left_out.append(LeftOutDocument(passage.source, reason, kept))

    def _without_repeats(self, full: list[Passage]) -> list[Passage]:
        """Drop repeated annotations by the same person, which are no second vote."""
        first: dict[tuple[object, ...], Passage] = {}
        for n, passage in enumerate(full):
            # Two passages without a name may be by two people.
            annotator = passage.annotator or n
            kept = first.setdefault((annotator, passage.spans), passage)
            if passage is not kept:
                self.leave_out(passage, SAME_ANNOTATOR, kept.source)
                self.compare(passage, kept, MERGED, "")
        return list(first.values())

    def _by_vote(self, full: list[Passage]) -> Passage:
        """Keep the spans that enough annotators marked. Undecided spans become unknown."""
        for passage in full[1:]:
            self.leave_out(passage, BY_VOTE, full[0].source)
        majority = self.rules.conflicts == MAJORITY
        votes = Counter(span for passage in full for span in passage.spans)
        needed = len(full) // 2 + 1 if majority else len(full)
        undecided = {span for span, n in votes.items() if n < needed and (not majority or 2 * n == len(full))}
        accepted: dict[LabelledSpan, tuple[int, str]] = {}  # row and source
        for span, row, source in _annotations(full):
            if span in accepted:
                self.settle(row, MERGED, f"the same span elsewhere: {accepted[span][1]}")
            elif votes[span] >= needed:
                accepted[span] = row, source
            else:
                outcome = MASKED if span in undecided else OVERRULED
                self.settle(row, outcome, f"{votes[span]} of {len(full)} annotators")
        spans = sorted(accepted)
        unknown = {(span.start, span.end) for span in undecided}
        return replace(
            full[0],
            spans=tuple(spans),
            rows=tuple(accepted[span][0] for span in spans),
            rejected=tuple(span for span in full[0].rejected if span not in accepted),
            unknown=tuple(sorted({*full[0].unknown, *unknown})),
            annotator="+".join(dict.fromkeys(passage.annotator for passage in full)),
        )


def _annotations(passages: Sequence[Passage]) -> Iterator[tuple[LabelledSpan, int, str]]:
    """Yield each span with its row and the source of its passage."""
    for passage in passages:
        for span, row in zip(passage.spans, passage.rows, strict=True):
            yield span, row, passage.source


def _leave_out_reason(passage: Passage, kept: Passage) -> str:
    """Return why a full annotation is left out in favour of another of the same text."""
    if not passage.annotator or not kept.annotator:
        return UNNAMED
    return SAME_ANNOTATOR if passage.annotator == kept.annotator else OTHER_ANNOTATOR


def _conflict(kept: Passage, other: Passage) -> str:
    span = sorted(set(kept.spans) ^ set(other.spans))[0]
    difference = f"only one of them has {kept.text[span.start : span.end]!r} as {span.label}"
    return (
        f"{other.source}: same text as {kept.source} with other spans ({difference}); expected one annotation per text:"
        " reject one of the two, name the annotator to trust in vars.prefer (* for anyone), or set vars.conflicts to"
        " majority or unknown"
    )
