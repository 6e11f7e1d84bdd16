"""Reads the labels of a token classifier: their scheme, and what each means for an entity of which type."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from domain_ner.annotations.tag_schemes import BEGINS, ENDS, INSIDES, SINGLES, TagScheme, TagStatistics
from domain_ner.errors import DomainNerError

AUTO, IO, IOB1, IOB2, BILUO = "auto", "io", "iob1", "iob2", "biluo"
SCHEMES = (AUTO, IO, IOB1, IOB2, BILUO)
# Labels for "no entity", in lower case, the commonest first.
OUTSIDES = ("o", "other", "outside", "none")
# The type of labels that name none: B, I, O.
ONLY_TYPE = "ENTITY"
UNNAMED = "LABEL_"
# transformers' id2label of a checkpoint whose labels nobody named.
LETTERS = {letter: kind for letters, kind in ((BEGINS, "B"), (INSIDES, "I"), (ENDS, "L"), (SINGLES, "U"))
           for letter in letters}  # fmt: skip
EXPECTED = "Expected O, and B-TYPE and I-TYPE (IOB1, IOB2), with L- and U- or E- and S- (BILUO), or TYPE alone."


@dataclass(frozen=True)
class LabelSet:
    """The labels of a classifier. scheme: one of SCHEMES but `auto`. types: in alphabetical order.

    outside: the row of the classifier for "no entity". rows: (B, I, L or U, type) to the row; in `io` all are I.
    """

    scheme: str
    types: tuple[str, ...]
    outside: int
    rows: Mapping[tuple[str, str], int]

    def row(self, kind: str, label: str) -> int | None:
        """Return the row for a kind of tag of a type, as the scheme has it; None if the classifier has none.

        IOB2 has no U and L: U is B, and L is I.
        """
        if self.scheme != BILUO:
            kind = {"U": "B", "L": "I"}.get(kind, kind)
        return self.rows.get((kind, label))


def read_labels(labels: Sequence[str], scheme: str = AUTO, ignored: Collection[str] = ()) -> LabelSet:
    """Read the labels of a classifier, in the order of its rows.

    scheme: one of SCHEMES. A classifier with B- and I- counts as IOB2, unless a type has I- alone: then as IOB1.
    ignored: labels to leave out: what has them in training data is no text, such as `[CLS]`.
    Raises DomainNerError for labels that fit no scheme, or not the given one.
    """
    if scheme not in SCHEMES:
        raise DomainNerError(f"scheme is {scheme!r}; expected one of {', '.join(SCHEMES)}.")
    unknown = sorted(set(ignored) - set(labels))
    if unknown:
        raise DomainNerError(f"The checkpoint has no label {unknown[0]!r} to ignore; its labels: {', '.join(labels)}.")
    outside = _outside([label for label in labels if label not in ignored])
    others = [label for label in labels if label not in ignored and label != outside]
    written = _written(others, scheme)
    rows: dict[tuple[str, str], int] = {}
    for label in others:
        kind_and_type = _parse(label, written)
        if kind_and_type in rows:
            raise DomainNerError(f"Two labels mean the same: {labels[rows[kind_and_type]]!r} and {label!r}.", EXPECTED)
        rows[kind_and_type] = labels.index(label)
    if not rows:
        raise DomainNerError(f"The checkpoint has no label of an entity: {', '.join(labels)}.", EXPECTED)
    types = tuple(sorted({label for _, label in rows}))
    found = LabelSet(_scheme(rows, types, scheme, written), types, labels.index(outside), rows)
    _require_openings(found)
    return found


def _outside(labels: Sequence[str]) -> str:
    if all(label.startswith(UNNAMED) for label in labels):
        raise DomainNerError(
            f"The labels of the checkpoint say nothing: {', '.join(labels)}.",
            f"Write their names to id2label in its config.json. {EXPECTED}",
        )
    for outside in OUTSIDES:
        for label in labels:
            if label.lower() == outside:
                return label
    raise DomainNerError(f"None of the labels means no entity: {', '.join(labels)}.", EXPECTED)


def _written(others: Sequence[str], scheme: str) -> TagScheme:
    """Find out how the labels are written: where their letters stand."""
    if scheme == IO:
        return TagScheme("IO", "none")
    statistics = TagStatistics()
    for label in others:
        statistics.add([label])
    return statistics.scheme()


def _parse(label: str, written: TagScheme) -> tuple[str, str]:
    parsed = written.parse(label)
    if parsed is None:
        raise DomainNerError(
            f"The label {label!r} does not fit the others, which are {written.shape} of {written.name}.",
            f"{EXPECTED} Leave it out with --ignore if no text has it.",
        )
    return LETTERS[parsed[0]], parsed[1] or ONLY_TYPE


def _scheme(rows: Collection[tuple[str, str]], types: Sequence[str], asked: str, written: TagScheme) -> str:
    if asked != AUTO:
        return asked
    kinds = {kind for kind, _ in rows}
    if kinds & {"L", "U"}:
        return BILUO
    if written.shape == "none" or "B" not in kinds:
        return IO
    return IOB2 if all(("B", label) in rows for label in types) else IOB1


def _require_openings(found: LabelSet) -> None:
    """Raise DomainNerError if no entity of some type could begin, or the scheme has no such letters."""
    needed = {BILUO: ("B", "U"), IOB2: ("B",), IOB1: ("I",), IO: ("I",)}[found.scheme]
    wrong = {kind for kind, _ in found.rows} - set({BILUO: "BILU", IOB2: "BI", IOB1: "BI", IO: "I"}[found.scheme])
    if wrong:
        raise DomainNerError(f"scheme is {found.scheme}, but there are labels with {', '.join(sorted(wrong))}.")
    for label in found.types:
        if not any((kind, label) in found.rows for kind in needed):
            raise DomainNerError(
                f"The type {label} has no label with {' or '.join(needed)}, as {found.scheme} needs.", EXPECTED
            )
