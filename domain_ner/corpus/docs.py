"""From passages to spaCy's training documents, and the entities of a document."""

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
from domain_ner.corpus.overlaps import LONGEST, flatten, in_corpus
from domain_ner.corpus.token_splits import inner_edges

# The reason of a row whose token the tokenizer will not split.
GOLD_ALONE = "token split in the gold document alone"
# `token.ent_iob` of a missing value.
MISSING = 0

SPLIT, EXPAND, CONTRACT, DROP = MISALIGNED = ("split", "expand", "contract", "drop")


@dataclass(frozen=True)
class DocRules:
    """How passages become documents.

    tokenize: the tokenizer of the pipeline that will be trained, so that training sees the same tokens.
    overlaps: which of overlapping spans stand in `doc.ents`, a rule of `flatten`; with `priority` by `labels`.
    misaligned: of a span whose edge is no token's edge: `split` the gold token there, `expand` or `contract` the span
        to whole tokens, or `drop` it.
    normalize: `whitespace` or empty.
    """

    tokenize: Callable[[str], Doc]
    overlaps: str = LONGEST
    labels: Sequence[str] = ()
    misaligned: str = SPLIT
    normalize: str = ""


@dataclass(frozen=True)
class MadeDoc:
    """A gold document, and what became of its passage's annotations: of every one that got as far as here."""

    doc: Doc
    outcomes: Sequence[Outcome]


def make_doc(passage: Passage, rules: DocRules) -> MadeDoc:
    """The gold document of a passage.

    `doc.ents` holds what `rules.overlaps` leaves, `doc.spans["sc"]` every span. Tokens of which nothing is known are
    missing values; where annotators rejected spans, they are `doc.spans["incorrect_spans"]`. `source`, `meta`,
    `document` and `annotator` are in `doc.user_data`.
    """
    original = passage.text
    passage = normalize(passage) if rules.normalize == WHITESPACE else passage
    doc, passage, outcomes = _align(_tokens(passage, rules), passage, rules.misaligned)
    annotated = [_span(doc, span) for span in passage.spans]
    kept = flatten(passage, rules.overlaps, rules.labels)
    outcomes += in_corpus(passage, kept)
    _set_ents(doc, [annotated[position] for position in kept], passage)
    doc.spans[SPANS_KEY] = annotated
    if rejected := [span for span in passage.rejected if doc.char_span(span.start, span.end) is not None]:
        doc.spans[REJECTED_KEY] = [_span(doc, span) for span in rejected]
    doc.user_data.update(_provenance(passage, original))
    return MadeDoc(doc, outcomes)


def normalize(passage: Passage) -> Passage:
    """The passage with its white space normalised and its spans moved along. One that has tokens keeps them."""
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
    """The documents in spaCy's training format: words, entities and spans, and the user data (spaCy drops them)."""
    return DocBin(attrs=["ENT_IOB", "ENT_TYPE"], docs=docs, store_user_data=True)


def entities(doc: Doc) -> set[tuple[int, int, str]]:
    """The entities of a document as (start, end, label), in characters."""
    return {(ent.start_char, ent.end_char, ent.label_) for ent in doc.ents}


def spans(doc: Doc) -> set[tuple[int, int, str]]:
    """The spans that may nest, `doc.spans["sc"]`, as (start, end, label), in characters."""
    return {(span.start_char, span.end_char, span.label_) for span in doc.spans.get(SPANS_KEY, ())}


def nested(doc: Doc) -> set[tuple[int, int, str]]:
    """The spans that may nest; the entities of a document without such."""
    return spans(doc) if SPANS_KEY in doc.spans else entities(doc)


def rejected(doc: Doc) -> set[tuple[int, int, str]]:
    """What annotators said is no entity of that label, as (start, end, label), in characters."""
    return {(span.start_char, span.end_char, span.label_) for span in doc.spans.get(REJECTED_KEY, ())}


def span_scores(doc: Doc) -> list[tuple[Span, float]]:
    """Each of `doc.spans["sc"]` with its score, 0..1, where a `spancat` gave each one; else none.

    Its scores are (n_spans,), or (n_spans, 1) where each span has one label.
    """
    if SPANS_KEY not in doc.spans:
        return []
    group = doc.spans[SPANS_KEY]
    scores = np.ravel(group.attrs.get("scores", ())).tolist()
    return list(zip(group, scores, strict=True)) if len(scores) == len(group) else []


def groups_of(docs: Iterable[Doc], key: str) -> list[str]:
    """For each document the value of a key of the passage's `meta`, or its `document`, as `canonical_names` names
    it; empty where there is none.
    """
    found = []
    for doc in docs:
        value = (doc.user_data.get(META_KEY) or {}).get(key)
        value = doc.user_data.get(DOCUMENT_KEY) if value is None and key == DOCUMENT_KEY else value
        found.append((file_of(str(doc.user_data.get(SOURCE_KEY) or "")), value))
    return canonical_names(found)


def has_spans_alone(doc: Doc) -> bool:
    """Whether `doc.ents` was never set because the annotations are spans; our own documents always have both."""
    return SPANS_KEY in doc.spans and SOURCE_KEY not in doc.user_data and not doc.has_annotation("ENT_IOB")


def unknown_tokens(doc: Doc) -> list[Token]:
    """The tokens of which nobody said whether they belong to an entity."""
    return [] if has_spans_alone(doc) else [token for token in doc if token.ent_iob == MISSING]


def _span(doc: Doc, span: LabelledSpan) -> Span:
    """A span whose edges are edges of tokens."""
    found = doc.char_span(span.start, span.end, label=span.label)
    assert found is not None
    return found


def _tokens(passage: Passage, rules: DocRules) -> Doc:
    """The tokens of the pipeline; the export's own where it does not say how they were spaced."""
    doc = rules.tokenize(passage.text)
    if passage.words is None or passage.spaces is not None:
        return doc
    return Doc(doc.vocab, words=list(passage.words))


def _align(doc: Doc, passage: Passage, rule: str) -> tuple[Doc, Passage, list[Outcome]]:
    """Make the edges of spans and of tokens meet. Splitting changes the document, the other rules the spans."""
    offsets = {offset for offset, _ in inner_edges(doc, passage)}
    if not offsets:
        return doc, passage, []
    if rule != SPLIT:
        return doc, *_fit_all(doc, passage, rule)
    outcomes = [
        Outcome(row, reason=f"{GOLD_ALONE}: {passage.text[span.start : span.end]!r}")
        for span, row in zip(passage.spans, passage.rows, strict=True)
        if span.start in offsets or span.end in offsets
    ]
    return _split_tokens(doc, offsets), passage, outcomes


def _fit_all(doc: Doc, passage: Passage, rule: str) -> tuple[Passage, list[Outcome]]:
    """The passage with its spans moved to whole tokens. What fits no more is dropped, and its place is unknown."""
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
    found = doc.char_span(span.start, span.end, alignment_mode=mode)
    return LabelledSpan(found.start_char, found.end_char, span.label) if found is not None and len(found) else None


def _split_tokens(doc: Doc, offsets: Collection[int]) -> Doc:
    """The same text in finer tokens: split at these offsets too. Its spaces are said, known or not: without, spaCy puts
    one between the parts as well.
    """
    words: list[str] = []
    spaces: list[bool] = []
    left = sorted(offsets, reverse=True)
    for token in doc:
        cuts = [0]
        while left and left[-1] < token.idx + len(token):
            cuts.append(left.pop() - token.idx)
        parts = [token.text[one:other] for one, other in pairwise([*cuts, len(token)])]
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
