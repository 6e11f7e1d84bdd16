"""Renders a text with its entities and their confidences as HTML, for a notebook or a page."""

from collections.abc import Mapping

import numpy as np
from spacy.tokens import Doc, Span

from domain_ner.annotations.doc_keys import SPANS_KEY
from domain_ner.annotations.passages import Passage
from domain_ner.reports.highlights import entity_mark, nest, palette

NO_COLOUR = "#dddddd"
# LONG_FROM: texts of so many characters scroll in a box. MAX_SHOWN: characters after which a text is cut off.
LONG_FROM, MAX_SHOWN = 6000, 100_000
# All rules are under a class, so that they change nothing else on a page. The text inherits the page's colours.
STYLE = """
.domain-ner { font: 1rem/1.9 system-ui, sans-serif; white-space: pre-wrap; overflow-wrap: anywhere; }
.domain-ner.long { max-height: 40rem; overflow-y: auto; }
.domain-ner mark { background: var(--c); color: var(--t); border-radius: .25rem; padding: .1rem .3rem; -webkit-box-decoration-break: clone; box-decoration-break: clone; }
.domain-ner mark mark { box-shadow: 0 0 0 1.5px #fff; }
.domain-ner b { font-size: .68rem; font-weight: 600; letter-spacing: .03em; margin-left: .35rem; user-select: none; }
"""  # noqa: E501


def entities_html(doc: Doc | Passage, *, spans_key: str = SPANS_KEY, colours: Mapping[str, str] | None = None) -> str:
    """Render the text of a document with coloured entities, each with its type and its confidence in per cent.

    doc: an annotated passage; or a document, with its `doc.ents` and the spans of a group, which may nest and cross.
    spans_key: of that group in `doc.spans`, if any. colours: of types, `#rrggbb`; others come from a palette.
    The HTML is self-contained, and readable on light and dark backgrounds.
    """
    confidences = found_entities(doc, spans_key)
    chosen = palette(label for _, _, label in confidences) | dict(colours or {})
    visible = {place: sure for place, sure in confidences.items() if place[1] <= MAX_SHOWN}
    marks = [
        entity_mark((start, end), label, chosen.get(label, NO_COLOUR), number=n, confidence=sure)
        for n, ((start, end, label), sure) in enumerate(visible.items())
    ]
    more = ""
    if len(doc.text) > MAX_SHOWN:
        more = (
            f"\n… and {len(doc.text) - MAX_SHOWN:,} more characters with {len(confidences) - len(visible):,} entities"
        )
    is_long = len(doc.text) > LONG_FROM
    region = ' long" tabindex="0" role="region" aria-label="Text with entities' if is_long else ""
    html = nest(doc.text[:MAX_SHOWN], marks) + more
    return f'<style>{STYLE}</style><div dir="auto" class="domain-ner{region}">{html}</div>'


def found_entities(doc: Doc | Passage, spans_key: str = SPANS_KEY) -> dict[tuple[int, int, str], float | None]:
    """Map (start, end, type) of entities and spans to the confidence, in characters; one that is both counts once."""
    if isinstance(doc, Passage):
        return {(span.start, span.end, span.label): None for span in doc.spans}
    confidences: dict[tuple[int, int, str], float | None] = {}
    if spans_key in doc.spans:
        group = doc.spans[spans_key]
        scores = np.ravel(group.attrs.get("scores", ())).tolist()
        for n, span in enumerate(group):
            sure = min(1.0, max(0.0, scores[n])) if len(scores) == len(group) else None
            confidences[span.start_char, span.end_char, span.label_] = sure
    for ent in doc.ents:
        confidences[ent.start_char, ent.end_char, ent.label_] = _confidence(ent)
    return confidences


def _confidence(ent: Span) -> float | None:
    """Return the confidence of an entity, if its recogniser computes one."""
    sure: float | None = ent._.confidence if Span.has_extension("confidence") else None
    return sure
