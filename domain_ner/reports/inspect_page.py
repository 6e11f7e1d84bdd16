"""Renders the passages of the corpus as one self-contained HTML page: annotations, their outcomes, and suspicions."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from html import escape

from markupsafe import Markup
from spacy.tokens import Doc

from domain_ner.annotations.doc_keys import META_KEY
from domain_ner.annotations.outcomes import DOUBTFUL, DROPPED, FLATTENED, IMPORTED, OUTCOMES, REPAIRED, UNREADABLE
from domain_ner.conversion.ledger_rows import Row
from domain_ner.corpus.assignments import SPLITS
from domain_ner.inspection.ledger_places import UNACCOUNTED, Annotation
from domain_ner.inspection.passages import (
    MAX_COUNTED,
    REASONS,
    SKIPPED,
    Inspected,
    Inspection,
    most_suspicious,
)
from domain_ner.metrics.scores import ALL_TYPES
from domain_ner.reports.highlights import Mark, nest, palette, readable, short
from domain_ner.reports.pages import render

MAX_UNPLACED = 200
# Passages shown at a time.
PAGE_SIZE = 20
MAX_META = 200
MAX_WORDS = 4
# Texts of so many characters scroll in a box.
LONG_FROM = 6000
NO_COLOUR = "#dddddd"
ALL_OUTCOMES = (*OUTCOMES, UNACCOUNTED, *UNREADABLE)
# The order of passages on the page, and of annotations under a passage.
SHOWN_FIRST = (DOUBTFUL, REPAIRED, DROPPED)
LISTED_FIRST = (DROPPED, DOUBTFUL, REPAIRED)


@dataclass(frozen=True)
class _Listed:
    """Annotations with equal outcome and reasons, listed under their passage. source: empty if it is the passage's."""

    outcome: str
    reasons: str
    source: str
    names: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class _Card:
    """A passage on the page.

    keys: numbers of label and outcome of its annotations, reasons: numbers of the suspicions, for the filters.
    suspicions: reason, number of cases, and their words.
    """

    passage: Inspected
    text: Markup
    listed: Sequence[_Listed]
    keys: str
    reasons: str
    suspicions: Sequence[tuple[str, int, str]]
    meta: Sequence[tuple[str, str]]


@dataclass(frozen=True)
class _Choice:
    """A checkbox: its text, its value and the number of matching passages on the page."""

    name: str
    value: str
    n_passages: int
    title: str = ""


def default_colours(inspection: Inspection) -> dict[str, str]:
    """Choose a colour for each label of the corpus."""
    return palette(label for passage in inspection.passages for label in _labels(passage))


def select(passages: Sequence[Inspected], max_passages: int) -> list[Inspected]:
    """Select at most `max_passages`: those with doubtful, repaired or dropped annotations, then the most suspicious.

    In the order of the page: by the first of these outcomes that they have, then the others; each group by score.
    """
    ranked = sorted(most_suspicious(passages), key=lambda passage: _rank(passage) == len(SHOWN_FIRST))
    return sorted(ranked[:max_passages], key=lambda passage: (_rank(passage), -passage.score))


def inspect_page(inspection: Inspection, colours: Mapping[str, str], *, max_passages: int, split: str = "") -> str:
    """Render the page as self-contained HTML.

    colours: of labels, `#rrggbb`; other labels are grey. max_passages: number of passages on the page, at most.
    split: the shown split, for the title; empty: all.
    """
    rows = [annotation.row for passage in inspection.passages for annotation in passage.annotations] + list(
        inspection.unplaced
    )
    labels = _ordered(rows, colours)
    chosen = select(inspection.passages, max_passages)
    cards = [_card(passage, labels, colours) for passage in chosen]
    return render(
        "inspect.html.j2",
        cards=cards,
        today=date.today().isoformat(),
        page_size=PAGE_SIZE,
        n_passages=len(inspection.passages),
        split=split,
        choices=_choices(cards, labels),
        counts=_table(rows, labels),
        unplaced=_unplaced(inspection.unplaced),
        colour_of=lambda label: readable(colours.get(label, NO_COLOUR)),
        reasons=REASONS,
        max_counted=MAX_COUNTED,
        long_from=LONG_FROM,
        css=lambda outcome: outcome.split()[0].replace("'", ""),
        quoted=_quoted,
        short=short,
    )


def _rank(passage: Inspected) -> int:
    outcomes = {annotation.row.outcome for annotation in passage.annotations}
    return next((n for n, outcome in enumerate(SHOWN_FIRST) if outcome in outcomes), len(SHOWN_FIRST))


def _labels(passage: Inspected) -> set[str]:
    return {str(annotation.row.label) for annotation in passage.annotations}


def _ordered(rows: Iterable[Row], colours: Mapping[str, str]) -> list[str]:
    """List the labels that occur: those with a colour in their order, then the others."""
    occurring = {str(row.label) for row in rows if row.outcome not in UNREADABLE}
    return [label for label in colours if label in occurring] + sorted(occurring - colours.keys())


def _card(passage: Inspected, labels: Sequence[str], colours: Mapping[str, str]) -> _Card:
    places = {label: n for n, label in enumerate(labels)}
    keys = {_key(annotation, places) for annotation in passage.annotations}
    suspicions = [(reason, len(words), _listed_words(reason, words)) for reason, words in passage.reasons().items()]
    meta = passage.doc.user_data.get(META_KEY, {}).items()
    return _Card(
        passage,
        _highlight(passage, places, colours),
        _listed(passage),
        " ".join(sorted(keys)),
        " ".join(str(list(REASONS).index(reason)) for reason, _, _ in suspicions),
        suspicions,
        [(str(key), str(value)[:MAX_META]) for key, value in meta if value not in ("", None)],
    )


def _listed_words(reason: str, words: Sequence[str]) -> str:
    """Join the first words of a suspicion; empty for an outcome, whose annotations are listed anyway."""
    more = f"; and {len(words) - MAX_WORDS} more" if len(words) > MAX_WORDS else ""
    return "" if reason in OUTCOMES else "; ".join(words[:MAX_WORDS]) + more


def _key(annotation: Annotation, places: Mapping[str, int]) -> str:
    return f"{places[str(annotation.row.label)]}.{ALL_OUTCOMES.index(annotation.row.outcome)}"


def _listed(passage: Inspected) -> list[_Listed]:
    """List the annotations that were not simply imported, with their outcomes, the lost ones first."""
    groups: dict[tuple[str, str, str], list[tuple[str, str]]] = {}
    for annotation in passage.annotations:
        row = annotation.row
        if row.outcome != IMPORTED:
            elsewhere = row.source if row.source != passage.source else ""
            group = groups.setdefault((row.outcome, "; ".join(row.reasons), elsewhere), [])
            group.append((str(row.label), _quoted(row.text) if row.text else ""))
    listed = [_Listed(outcome, reasons, source, tuple(names)) for (outcome, reasons, source), names in groups.items()]
    first = {outcome: n - len(LISTED_FIRST) for n, outcome in enumerate(LISTED_FIRST)}
    return sorted(listed, key=lambda entry: first.get(entry.outcome, ALL_OUTCOMES.index(entry.outcome)))


def _highlight(passage: Inspected, places: Mapping[str, int], colours: Mapping[str, str]) -> Markup:
    """Render the text with its spans, names that are not annotated, and unknown tokens."""
    marks: list[Mark] = []

    def add(start: int, end: int, opening: str, tag: str, closing: str) -> None:
        marks.append(Mark(start, -end, len(marks), end, opening, tag, closing))

    for start, end in _missing(passage.doc):
        add(start, end, '<span class="missing" title="unknown: ignored in training">', "", "</span>")
    for finding in passage.findings:
        if finding.reason == SKIPPED and finding.start is not None and finding.end is not None:
            opening = f'<span class="skipped" title="{escape(finding.words)}">'
            add(finding.start, finding.end, opening, '<span class="tag"><b>not annotated</b></span>', "</span>")
    for annotation in passage.annotations:
        if annotation.start is not None and annotation.end is not None:
            add(annotation.start, annotation.end, *_entity(annotation, places, colours))
    return Markup(nest(passage.doc.text, marks))


def _entity(annotation: Annotation, places: Mapping[str, int], colours: Mapping[str, str]) -> tuple[str, str, str]:
    """Return the HTML before an annotated name, its label, and the HTML after it."""
    label, row = str(annotation.row.label), annotation.row
    title = escape("; ".join([f"{label}, {row.outcome}", *row.reasons]))
    kind = ' class="flat"' if row.outcome == FLATTENED else ""
    style = readable(colours.get(label, NO_COLOUR))
    badge = "" if row.outcome == IMPORTED else f" <b>{escape(row.outcome)}</b>"
    opening = f'<mark{kind} style="{style}" title="{title}" data-key="{_key(annotation, places)}">'
    return opening, f'<span class="tag" title="{escape(label)}"> {escape(short(label))}{badge}</span>', "</mark>"


def _missing(doc: Doc) -> list[tuple[int, int]]:
    """Find stretches of unknown tokens."""
    stretches: list[tuple[int, int]] = []
    for token in doc:
        if token.ent_iob == 0:
            last = stretches[-1] if token.i and doc[token.i - 1].ent_iob == 0 else None
            start = stretches.pop()[0] if last else token.idx
            stretches.append((start, token.idx + len(token)))
    return stretches


def _choices(cards: Sequence[_Card], labels: Sequence[str]) -> dict[str, list[_Choice]]:
    """Create the checkboxes of each filter, without those that match no passage."""
    of_labels = Counter(label for card in cards for label in _labels(card.passage))
    of_outcomes = Counter(
        outcome for card in cards for outcome in {annotation.row.outcome for annotation in card.passage.annotations}
    )
    of_reasons = Counter(reason for card in cards for reason, _, _ in card.suspicions)
    of_splits = Counter(card.passage.split for card in cards)
    offered = {
        "type": [_Choice(label, str(n), of_labels[label]) for n, label in enumerate(labels)],
        "fate": [_Choice(outcome, str(n), of_outcomes[outcome]) for n, outcome in enumerate(ALL_OUTCOMES)],
        "suspicion": [
            _Choice(name, str(n), of_reasons[name], REASONS[name][1])
            for n, name in enumerate(REASONS)
            if name not in OUTCOMES
        ],
        "split": [_Choice(split, split, of_splits[split]) for split in SPLITS],
    }
    return {name: [choice for choice in choices if choice.n_passages] for name, choices in offered.items()}


def _table(rows: Iterable[Row], labels: Sequence[str]) -> tuple[list[str], list[tuple[str, list[int]]]]:
    """Return (outcomes that occur, rows of (label, number of annotations by outcome and in all)), the sums last."""
    counts = Counter((str(row.label), row.outcome) for row in rows if row.outcome not in UNREADABLE)
    outcomes = [outcome for outcome in ALL_OUTCOMES if any(counts[label, outcome] for label in labels)]
    lines = [(label, [counts[label, outcome] for outcome in outcomes]) for label in labels]
    lines.append((ALL_TYPES, [sum(numbers[n] for _, numbers in lines) for n in range(len(outcomes))]))
    return outcomes, [(label, [*numbers, sum(numbers)]) for label, numbers in lines]


def _unplaced(rows: Sequence[Row]) -> list[tuple[str, list[Row], int]]:
    """List (outcome, rows to show, number of further rows) of annotations whose document is not in the corpus."""
    grouped: dict[str, list[Row]] = {outcome: [] for outcome in (*UNREADABLE, DROPPED, *ALL_OUTCOMES)}
    for row in rows:
        grouped[row.outcome].append(row)
    return [
        (outcome, of_outcome[:MAX_UNPLACED], max(0, len(of_outcome) - MAX_UNPLACED))
        for outcome, of_outcome in grouped.items()
        if of_outcome
    ]


def _quoted(text: object) -> str:
    return f"«{text}»"
