"""One passage a text: yes/no answers gathered, duplicates merged, annotators who disagree dealt with by rule.

Its outcomes are told and not written: the ledger is `accounts`' alone.
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

# In the place of an annotator's name: whoever it is, the first annotation that was read.
ANYONE = "*"
STOP, MAJORITY, UNKNOWN = CONFLICT_RULES = ("stop", "majority", "unknown")


@dataclass(frozen=True)
class MergeRules:
    """What to do where annotations of one text differ.

    prefer: annotators, the most trusted first, `*` for anyone: theirs is kept.
    conflicts: where none of these annotated it: `stop` (report it), `majority` (spans that more than half of the
        annotators marked; what half of them marked is unknown), or `unknown` (spans that all marked; the disputed
        tokens are masked out of the loss).
    """

    prefer: Sequence[str] = ()
    conflicts: str = STOP


@dataclass(frozen=True)
class MergedText:
    """The passage of one text, and what became of the others on it.

    passage: None for a document without a text. outcomes: of annotations that do not go on, or not by themselves.
    left_out: documents that are no passage of their own. conflicts: a line for each that is left open.
    """

    passage: Passage | None
    outcomes: Sequence[Outcome]
    left_out: Sequence[LeftOutDocument]
    conflicts: Sequence[str] = ()


def merge(passages: Sequence[Passage], rules: MergeRules = MergeRules()) -> Iterator[MergedText]:
    """Yield one passage for each text, in the order they were first read.

    A full annotation stands before yes/no answers on the same text; several yes/no answers make one partial passage.
    A document without a text, or of white space alone, is none; these come first.
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


def _merge_versions(found: list[Passage], rules: MergeRules) -> MergedText:
    full = [passage for passage in found if not passage.partial]
    partial = [passage for passage in found if passage.partial]
    merging = _Merging(rules)
    kept = merging.annotations(full) if full else merging.answers(partial)
    for passage in partial if full else ():
        merging.leave_out(passage, ANSWERED, kept.source)
        merging.compare(passage, kept, OVERRULED, f"the text is annotated in full elsewhere: {kept.source}")
    return MergedText(kept, merging.outcomes, merging.left_out, merging.conflicts)


@dataclass
class _Merging:
    """The merging of one text's versions, with what becomes of them."""

    rules: MergeRules
    outcomes: list[Outcome] = field(default_factory=list)
    left_out: list[LeftOutDocument] = field(default_factory=list)
    conflicts: list[str] = field(default_factory=list)

    def answers(self, partial: list[Passage]) -> Passage:
        """Yes/no answers on one text as one partial passage. What was accepted and rejected too stays unknown."""
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
        """Full annotations of one text: the one that is trusted, or the spans that enough annotators marked."""
        rules = self.rules
        preferred = [p for annotator in rules.prefer for p in full if annotator in (p.annotator, ANYONE)]
        kept = (preferred or full)[0]
        differing = [passage for passage in full if passage.spans != kept.spans]
        # Someone who is trusted and annotated the text twice, in two ways, has not decided it.
        trusted = preferred and (ANYONE in rules.prefer or all(p.annotator != kept.annotator for p in differing))
        if differing and not trusted and rules.conflicts != STOP:
            return self._by_vote(self._without_repeats(full))
        if not trusted:
            self.conflicts += [_conflict(kept, passage) for passage in differing]
        for passage in full:
            if passage is not kept:
                self.leave_out(passage, _why(passage, kept), kept.source)
                self.compare(passage, kept, OVERRULED, f"kept instead: {kept.source}")
        return kept

    def compare(self, passage: Passage, kept: Passage, outcome: str, reason: str) -> None:
        """Settle the annotations of a passage that is not kept: those that `kept` has too are merged with them."""
        spans = set(kept.spans)
        for span, row, _ in _annotations([passage]):
            if span in spans:
                self.settle(row, MERGED, f"the same span elsewhere: {kept.source}")
            else:
                self.settle(row, outcome, reason)

    def settle(self, row: int, outcome: str, reason: str) -> None:
        """Say what becomes of an annotation."""
        self.outcomes.append(Outcome(row, outcome, reason))

    def leave_out(self, passage: Passage, reason: str, kept: str) -> None:
        """Say why a passage is none of its own. kept: the source of the one that stands for it."""
        self.left_out.append(LeftOutDocument(passage.source, reason, kept))

    def _without_repeats(self, full: list[Passage]) -> list[Passage]:
        """The passages without a second copy of the same person's annotation, which is no second vote."""
        first: dict[tuple[object, ...], Passage] = {}
        for n, passage in enumerate(full):
            # Two that give no name may be two people.
            who = passage.annotator or n
            kept = first.setdefault((who, passage.spans), passage)
            if passage is not kept:
                self.leave_out(passage, SAME_ANNOTATOR, kept.source)
                self.compare(passage, kept, MERGED, "")
        return list(first.values())

    def _by_vote(self, full: list[Passage]) -> Passage:
        """The spans that enough annotators marked. Those that are disputed without a decision become unknown."""
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
    """Each span with its row and the source of its passage."""
    for passage in passages:
        for span, row in zip(passage.spans, passage.rows, strict=True):
            yield span, row, passage.source


def _why(passage: Passage, kept: Passage) -> str:
    """Why a full annotation is not kept beside another of the same text."""
    if not passage.annotator or not kept.annotator:
        return UNNAMED
    return SAME_ANNOTATOR if passage.annotator == kept.annotator else OTHER_ANNOTATOR


def _conflict(kept: Passage, other: Passage) -> str:
    span = sorted(set(kept.spans) ^ set(other.spans))[0]
    difference = f"{kept.text[span.start : span.end]!r} as {span.label} is in only one of them"
    return (
        f"{other.source}: same text as {kept.source} with other spans ({difference}); expected one annotation a text:"
        " reject one of the two, name whom to trust in vars.prefer (* for anyone), or set vars.conflicts to majority"
        " or unknown"
    )
