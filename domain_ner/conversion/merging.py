"""One passage a text: yes/no answers gathered, duplicates merged, annotators who disagree dealt with by rule."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from hashlib import blake2b

from domain_ner.annotations.passages import LabelledSpan, Passage
from domain_ner.conversion.ledger import (
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
    Ledger,
)
from domain_ner.files import DiskList

# In the place of an annotator's name: whoever it is, the first annotation that was read.
ANYONE = "*"
STOP, MAJORITY, UNKNOWN = "stop", "majority", "unknown"
CONFLICT_RULES = (STOP, MAJORITY, UNKNOWN)


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


def merge(
    passages: Sequence[Passage], ledger: Ledger, rules: MergeRules = MergeRules()
) -> tuple[Sequence[Passage], list[str]]:
    """One passage for each text, in the order they were first read, and a line for each conflict left open.

    A full annotation stands before yes/no answers on the same text; several yes/no answers make one partial passage.
    A document without a text, or of white space alone, is none. The ledger gets the reason of each that is not kept.
    """
    versions: dict[bytes, list[int]] = {}
    for place, passage in enumerate(passages):
        if not passage.text.strip():
            ledger.leave_out(passage.source, NO_TEXT)
            continue
        key = blake2b(passage.text.encode("utf-8", "surrogatepass"), digest_size=16).digest()
        versions.setdefault(key, []).append(place)
    conflicts: list[str] = []
    merged: DiskList[Passage] = DiskList()
    for places in versions.values():
        merged.append(_merge_versions([passages[place] for place in places], ledger, rules, conflicts))
    return merged, conflicts


def _merge_versions(found: list[Passage], ledger: Ledger, rules: MergeRules, conflicts: list[str]) -> Passage:
    full = [passage for passage in found if not passage.partial]
    partial = [passage for passage in found if passage.partial]
    if not full:
        return _gather(partial, ledger)
    merged = _merge_full(full, ledger, rules, conflicts)
    for passage in partial:
        ledger.leave_out(passage.source, ANSWERED, merged.source)
        _settle_against(passage, merged, ledger, OVERRULED, f"the text is annotated in full elsewhere: {merged.source}")
    return merged


def _gather(partial: list[Passage], ledger: Ledger) -> Passage:
    """Yes/no answers on one text as one partial passage. What was accepted and rejected too stays unknown."""
    for passage in partial[1:]:
        ledger.leave_out(passage.source, GATHERED, partial[0].source)
    accepted: dict[LabelledSpan, int] = {}
    rejected = {span for passage in partial for span in passage.rejected}
    for passage in partial:
        for span, row in zip(passage.spans, passage.rows, strict=True):
            if span in accepted:
                ledger.settle(row, MERGED, f"the same answer elsewhere: {ledger.rows[accepted[span]].source}")
            elif span in rejected:
                ledger.settle(row, MASKED, "accepted here and rejected elsewhere")
            else:
                accepted[span] = row
    contested = {span for passage in partial for span in passage.spans} & rejected
    spans = sorted(accepted)
    return replace(
        partial[0],
        spans=tuple(spans),
        rows=tuple(accepted[span] for span in spans),
        rejected=tuple(sorted(rejected - contested)),
        trimmed=tuple(span for passage in partial for span in passage.trimmed),
    )


def _merge_full(full: list[Passage], ledger: Ledger, rules: MergeRules, conflicts: list[str]) -> Passage:
    preferred = [p for annotator in rules.prefer for p in full if annotator in (p.annotator, ANYONE)]
    kept = (preferred or full)[0]
    differing = [passage for passage in full if passage.spans != kept.spans]
    # Someone who is trusted and annotated the text twice, in two ways, has not decided it.
    trusted = preferred and (ANYONE in rules.prefer or all(p.annotator != kept.annotator for p in differing))
    if differing and not trusted and rules.conflicts != STOP:
        return _by_vote(_without_repeats(full, ledger), ledger, majority=rules.conflicts == MAJORITY)
    if not trusted:
        conflicts.extend(_conflict(kept, passage) for passage in differing)
    for passage in full:
        if passage is not kept:
            ledger.leave_out(passage.source, _why(passage, kept), kept.source)
            _settle_against(passage, kept, ledger, OVERRULED, f"kept instead: {kept.source}")
    return kept


def _why(passage: Passage, kept: Passage) -> str:
    """Why a full annotation is not kept beside another of the same text."""
    if not passage.annotator or not kept.annotator:
        return UNNAMED
    return SAME_ANNOTATOR if passage.annotator == kept.annotator else OTHER_ANNOTATOR


def _without_repeats(full: list[Passage], ledger: Ledger) -> list[Passage]:
    """The passages without a second copy of the same person's annotation, which is no second vote."""
    first: dict[tuple[object, ...], Passage] = {}
    for n, passage in enumerate(full):
        # Two that give no name may be two people.
        who = passage.annotator or n
        kept = first.setdefault((who, passage.spans), passage)
        if passage is not kept:
            ledger.leave_out(passage.source, SAME_ANNOTATOR, kept.source)
            _settle_against(passage, kept, ledger, MERGED, "")
    return list(first.values())


def _by_vote(full: list[Passage], ledger: Ledger, *, majority: bool) -> Passage:
    """The spans that enough annotators marked. Those that are disputed without a decision become unknown."""
    for passage in full[1:]:
        ledger.leave_out(passage.source, BY_VOTE, full[0].source)
    votes = Counter(span for passage in full for span in passage.spans)
    needed = len(full) // 2 + 1 if majority else len(full)
    kept = sorted(span for span, n in votes.items() if n >= needed)
    undecided = {span for span, n in votes.items() if n < needed and (not majority or 2 * n == len(full))}
    rows: dict[LabelledSpan, int] = {}
    for passage in full:
        for span, row in zip(passage.spans, passage.rows, strict=True):
            if span in rows:
                ledger.settle(row, MERGED, f"the same span elsewhere: {ledger.rows[rows[span]].source}")
            elif votes[span] >= needed:
                rows[span] = row
            elif span in undecided:
                ledger.settle(row, MASKED, f"{votes[span]} of {len(full)} annotators")
            else:
                ledger.settle(row, OVERRULED, f"{votes[span]} of {len(full)} annotators")
    unknown = {(span.start, span.end) for span in undecided}
    return replace(
        full[0],
        spans=tuple(kept),
        rows=tuple(rows[span] for span in kept),
        rejected=tuple(span for span in full[0].rejected if span not in rows),
        unknown=tuple(sorted({*full[0].unknown, *unknown})),
        annotator="+".join(dict.fromkeys(passage.annotator for passage in full)),
    )


def _settle_against(passage: Passage, kept: Passage, ledger: Ledger, fate: str, how: str) -> None:
    """Settle the annotations of a passage that is not kept: those that `kept` has too are merged with them."""
    spans = set(kept.spans)
    for span, row in zip(passage.spans, passage.rows, strict=True):
        if span in spans:
            ledger.settle(row, MERGED, f"the same span elsewhere: {kept.source}")
        else:
            ledger.settle(row, fate, how)


def _conflict(kept: Passage, other: Passage) -> str:
    span = sorted(set(kept.spans) ^ set(other.spans))[0]
    difference = f"{kept.text[span.start : span.end]!r} as {span.label} is in only one of them"
    return (
        f"{other.source}: same text as {kept.source} with other spans ({difference}); expected one annotation a text:"
        " reject one of the two, name whom to trust in vars.prefer (* for anyone), or set vars.conflicts to majority"
        " or unknown"
    )
