"""From passages to spaCy's training documents."""

from collections.abc import Callable, Iterable
from typing import Any

from spacy.tokens import Doc, DocBin

from domain_ner.errors import raise_for
from domain_ner.passages import LabelledSpan, Passage

SOURCE_KEY = "source"
META_KEY = "meta"


def make_docs(passages: Iterable[Passage], *, tokenize: Callable[[str], Doc]) -> list[Doc]:
    """One gold document a passage, with `doc.ents` set and `source` and `meta` in `doc.user_data`.

    tokenize: the tokenizer of the pipeline that will be trained, so that training sees the same tokens.
    Raises DomainNerError that lists every span whose edges are not token edges.
    """
    problems: list[str] = []
    docs = [_make_doc(passage, tokenize, problems) for passage in passages]
    raise_for(
        problems,
        summary="{n} spans do not start and end where a token does, so that no pipeline could predict them:",
        fix="Move the edges of these spans to the edges of the token, and export again; nothing was written.",
    )
    return docs


def to_docbin(docs: Iterable[Doc]) -> DocBin:
    """The documents in spaCy's training format, user data included (spaCy's default drops it)."""
    return DocBin(docs=docs, store_user_data=True)


def entities(doc: Doc) -> set[tuple[int, int, str]]:
    """The entities of a document as (start, end, label), in characters."""
    return {(ent.start_char, ent.end_char, ent.label_) for ent in doc.ents}


def _make_doc(passage: Passage, tokenize: Callable[[str], Doc], problems: list[str]) -> Doc:
    doc = tokenize(passage.text)
    aligned = []
    for span in passage.spans:
        ent = doc.char_span(span.start, span.end, label=span.label)
        if ent is None:
            problems.append(_misaligned(passage, span, doc))
        else:
            aligned.append(ent)
    doc.set_ents(aligned)
    user_data: dict[Any, Any] = {SOURCE_KEY: passage.source, META_KEY: dict(passage.meta)}
    doc.user_data.update(user_data)
    return doc


def _misaligned(passage: Passage, span: LabelledSpan, doc: Doc) -> str:
    around = doc.char_span(span.start, span.end, alignment_mode="expand")
    tokens = " ".join(repr(token.text) for token in around) if around is not None else "no token"
    return (
        f"{passage.source}: {passage.text[span.start : span.end]!r} ({span.label}, characters {span.start}-{span.end})"
        f" lies within {tokens}"
    )
