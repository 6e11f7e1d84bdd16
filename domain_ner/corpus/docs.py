"""Converts passages to spaCy's training documents, and reads the entities of a document."""

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any

import numpy as np
from spacy.tokens import Doc, DocBin, Span, Token

from domain_ner.annotations.doc_keys import (
    ANNOTATOR_KEY,
    DOCUMENT_KEY,
    META_KEY,
    ORIGINAL_KEY,
    REJECTED_KEY,
    SOURCE_KEY,
    SPANS_KEY,
)
from domain_ner.annotations.outcomes import DROPPED, Outcome
from domain_ner.annotations.passages import LabelledSpan, Passage
from domain_ner.corpus.grouping import canonical_names, file_of
from domain_ner.corpus.normalization import WHITESPACE, normalize_whitespace, to_normalized
from domain_ner.corpus.overlaps import LONGEST, corpus_outcomes, flatten
from domain_ner.corpus.token_splits import inner_edges

# The reason for a row whose token the tokenizer will not split.
GOLD_ONLY = "token split only in the gold document"
# The value of `token.ent_iob` for a missing value.
MISSING = 0

SPLIT, EXPAND, CONTRACT, DROP = MISALIGNED = ("split", "expand", "contract", "drop")


@dataclass(frozen=True)
class DocRules:
    """How to convert passages to documents.

    tokenize: the tokenizer of the pipeline that will be trained, so that training sees the same tokens.
    overlaps: which of overlapping spans `doc.ents` keeps, a rule of `flatten`; `priority` goes by `labels`.
    misaligned: what to do if a span's edge is not a token's edge: `split` the gold token there, `expand` or `contract`
        the span to whole tokens, or `drop` it.
    normalize: `whitespace` or empty.
    """

    tokenize: Callable[[str], Doc]
    overlaps: str = LONGEST
    labels: Sequence[str] = ()
    misaligned: str = SPLIT
    normalize: str = ""


@dataclass(frozen=True)
class GoldDoc:
    """A gold document, and the outcome of each of its passage's annotations that reached this step."""

    doc: Doc
    outcomes: Sequence[Outcome]


def make_doc(passage: Passage, rules: DocRules) -> GoldDoc:
    """Convert a passage to a gold document.

    `doc.ents` holds the spans that `rules.overlaps` keeps, `doc.spans["sc"]` every span. Unknown tokens are missing
    values. Spans that annotators rejected are in `doc.spans["incorrect_spans"]`. `source`, `meta`, `document` and
    `annotator` are in `doc.user_data`.
    """
    original = passage.text
    passage = normalize(passage) if rules.normalize == WHITESPACE else passage
    doc, passage, outcomes = _align(_tokens(passage, rules), passage, rules.misaligned)
    annotated = [_span(doc, span) for span in passage.spans]
    kept = flatten(passage, rules.overlaps, rules.labels)
    outcomes += corpus_outcomes(passage, kept)
    _set_ents(doc, [annotated[position] for position in kept], passage)
    doc.spans[SPANS_KEY] = annotated
    if rejected := [span for span in passage.rejected if doc.char_span(span.start, span.end) is not None]:
        doc.spans[REJECTED_KEY] = [_span(doc, span) for span in rejected]
    doc.user_data.update(_provenance(passage, original))
    return GoldDoc(doc, outcomes)


def normalize(passage: Passage) -> Passage:
    """Normalise the white space of a passage and move its spans accordingly. Drops tokens if the text changes."""
    text, offsets = normalize_whitespace(passage.text)
    if text == passage.text:
        return passage

    def moved(span: LabelledSpan) -> LabelledSpan:
        return LabelledSpan(to_normalized(span.start, offsets), to_normalized(span.end, offsets), span.label)

    return replace(
        passage,
        text=text,
        spans=tuple(map(moved, passage.spans)),
        rejected=tuple(map(moved, passage.rejected)),
        unknown=tuple((to_normalized(start, offsets), to_normalized(end, offsets)) for start, end in passage.unknown),
        words=None,
        spaces=None,
    )


def to_docbin(docs: Iterable[Doc] = ()) -> DocBin:
    """Convert documents to spaCy's training format, with user data, which spaCy drops by default."""
    return DocBin(attrs=["ENT_IOB", "ENT_TYPE"], docs=docs, store_user_data=True)


def entities(doc: Doc) -> set[tuple[int, int, str]]:
    """Return the entities of a document as (start, end, label), in characters."""
    return {(ent.start_char, ent.end_char, ent.label_) for ent in doc.ents}


def spans(doc: Doc) -> set[tuple[int, int, str]]:
    """Return the spans that may nest, `doc.spans["sc"]`, as (start, end, label), in characters."""
    return {(span.start_char, span.end_char, span.label_) for span in doc.spans.get(SPANS_KEY, ())}


def spans_or_entities(doc: Doc) -> set[tuple[int, int, str]]:
    """Return the spans that may nest, or the entities if the document has no such spans."""
    return spans(doc) if SPANS_KEY in doc.spans else entities(doc)


def rejected(doc: Doc) -> set[tuple[int, int, str]]:
    """Return the spans that annotators rejected for that label, as (start, end, label), in characters."""
    return {(span.start_char, span.end_char, span.label_) for span in doc.spans.get(REJECTED_KEY, ())}


def span_scores(doc: Doc) -> list[tuple[Span, float]]:
    """Return each span of `doc.spans["sc"]` with its score, 0..1, if a `spancat` scored all of them; else nothing.

    The scores are (n_spans,), or (n_spans, 1) if each span has one label.
    """
    if SPANS_KEY not in doc.spans:
        return []
    group = doc.spans[SPANS_KEY]
    scores = np.ravel(group.attrs.get("scores", ())).tolist()
    return list(zip(group, scores, strict=True)) if len(scores) == len(group) else []


def groups_of(docs: Iterable[Doc], key: str) -> list[str]:
    """Return the group of each document: the value of a key of its `meta`, or its `document`, in the form of
    `canonical_names`; empty if it has none.
    """
    sourced_values = []
    for doc in docs:
        value = (doc.user_data.get(META_KEY) or {}).get(key)
        value = doc.user_data.get(DOCUMENT_KEY) if value is None and key == DOCUMENT_KEY else value
        sourced_values.append((file_of(str(doc.user_data.get(SOURCE_KEY) or "")), value))
    return canonical_names(sourced_values)


def has_only_spans(doc: Doc) -> bool:
    """Whether the annotations are spans and `doc.ents` was never set. Documents of `make_doc` always have both."""
    return SPANS_KEY in doc.spans and SOURCE_KEY not in doc.user_data and not doc.has_annotation("ENT_IOB")


def unknown_tokens(doc: Doc) -> list[Token]:
    """Return the tokens for which it is unknown whether they belong to an entity."""
    return [] if has_only_spans(doc) else [token for token in doc if token.ent_iob == MISSING]


def _span(doc: Doc, span: LabelledSpan) -> Span:
    """Return a span whose edges are edges of tokens."""
    token_span = doc.char_span(span.start, span.end, label=span.label)
    assert token_span is not None
    return token_span


def _tokens(passage: Passage, rules: DocRules) -> Doc:
    """Tokenise as the pipeline does; keep the export's own tokens if their spacing is unknown."""
    doc = rules.tokenize(passage.text)
    if passage.words is None or passage.spaces is not None:
        return doc
    return Doc(doc.vocab, words=list(passage.words))


def _align(doc: Doc, passage: Passage, rule: str) -> tuple[Doc, Passage, list[Outcome]]:
    """Align the edges of spans and tokens. Splitting changes the document, the other rules the spans."""
    offsets = {offset for offset, _ in inner_edges(doc, passage)}
    if not offsets:
        return doc, passage, []
    if rule != SPLIT:
        return doc, *_fit_all(doc, passage, rule)
    outcomes = [
        Outcome(row, reason=f"{GOLD_ONLY}: {passage.text[span.start : span.end]!r}")
        for span, row in zip(passage.spans, passage.rows, strict=True)
        if span.start in offsets or span.end in offsets
    ]
    return _split_tokens(doc, offsets), passage, outcomes


def _fit_all(doc: Doc, passage: Passage, rule: str) -> tuple[Passage, list[Outcome]]:
    """Move the spans of a passage to whole tokens. A span that cannot fit is dropped, and its tokens are unknown."""
    fitting: dict[LabelledSpan, int] = {}
    outcomes, lost = list[Outcome](), []
    for span, row in zip(passage.spans, passage.rows, strict=True):
        fitted = _fit(doc, span, rule)
        if fitted is None:
            outcomes.append(Outcome(row, DROPPED, f"starts or ends inside a token (vars.misaligned is {rule})"))
            lost.append((span.start, span.end))
            continue
        if fitted != span:
            words = f"{passage.text[span.start : span.end]!r} to {passage.text[fitted.start : fitted.end]!r}"
            outcomes.append(Outcome(row, reason=f"{rule}ed to whole tokens: {words}"))
        if fitted not in fitting:
            fitting[fitted] = row
        else:
            outcomes.append(Outcome(row, DROPPED, f"{rule}ed to whole tokens it is the same as another span"))
    spans = sorted(fitting)
    rows = tuple(fitting[span] for span in spans)
    return replace(passage, spans=tuple(spans), rows=rows, unknown=(*passage.unknown, *lost)), outcomes


def _fit(doc: Doc, span: LabelledSpan, rule: str) -> LabelledSpan | None:
    mode = rule if rule in (EXPAND, CONTRACT) else "strict"
    fitted = doc.char_span(span.start, span.end, alignment_mode=mode)
    return LabelledSpan(fitted.start_char, fitted.end_char, span.label) if fitted is not None and len(fitted) else None


def _split_tokens(doc: Doc, offsets: Collection[int]) -> Doc:
    """Split tokens at these offsets too. Spaces are always given, known or not: otherwise spaCy would put one between
    the parts of a token.
    """
    words: list[str] = []
    spaces: list[bool] = []
    pending = sorted(offsets, reverse=True)
    for token in doc:
        cuts = [0]
        while pending and pending[-1] < token.idx + len(token):
            cuts.append(pending.pop() - token.idx)
        parts = [token.text[start:end] for start, end in pairwise([*cuts, len(token)])]
        words += parts
        spaces += [False] * (len(parts) - 1) + [bool(token.whitespace_)]
    return Doc(doc.vocab, words=words, spaces=spaces)


def _set_ents(doc: Doc, ents: Sequence[Span], passage: Passage) -> None:
    taken = {token.i for ent in ents for token in ent}
    starts = [token.idx for token in doc] if passage.unknown else []
    unknown = {
        number
        for start, end in passage.unknown
        for number in range(max(0, bisect_right(starts, start) - 1), bisect_left(starts, end))
        if number not in taken and starts[number] + len(doc[number]) > start
    }
    missing = [doc[number : number + 1] for number in sorted(unknown)]
    doc.set_ents(list(ents), missing=missing, default="missing" if passage.partial else "outside")


def _provenance(passage: Passage, original: str) -> dict[Any, Any]:
    data: dict[Any, Any] = {SOURCE_KEY: passage.source, META_KEY: dict(passage.meta)}
    data |= {DOCUMENT_KEY: passage.document} if passage.document else {}
    data |= {ANNOTATOR_KEY: passage.annotator} if passage.annotator else {}
    data |= {"partial": True} if passage.partial else {}
    data |= {ORIGINAL_KEY: original} if original != passage.text else {}
    return data
