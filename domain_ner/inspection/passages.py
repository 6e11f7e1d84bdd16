"""Selects what to look at before training: passages, the outcome of their annotations, and suspicious ones.

Decides what to show; prints and draws nothing.
"""

import json
import random
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import log
from pathlib import Path
from statistics import mean, pstdev
from typing import Any

from spacy.tokens import Doc, Span, Token
from spacy.vocab import Vocab

from domain_ner.annotations.doc_keys import SOURCE_KEY
from domain_ner.annotations.outcomes import (
    DOUBTFUL,
    DROPPED,
    FLATTENED,
    MASKED,
    OUTCOMES,
    OVERRULED,
    REPAIRED,
    UNREADABLE,
)
from domain_ner.annotations.passages import LabelledSpan, Passage
from domain_ner.conversion.ledger import describe
from domain_ner.conversion.ledger_rows import Row
from domain_ner.corpus.assignments import SPLITS
from domain_ner.corpus.docs import GOLD_ONLY
from domain_ner.errors import DomainNerError
from domain_ner.evaluation.predicting import read_docs
from domain_ner.guide.inconsistencies import skipped_names, surface_labels
from domain_ner.inspection.ledger_places import Annotation, locate_rows, spans_of
from domain_ner.inspection.wordpieces import visible, wordpieces

SPLIT_IN_GOLD, OTHERWISE, SKIPPED = (
    "token split in gold alone",
    "labelled otherwise elsewhere",
    "annotated elsewhere, not here",
)
UNKNOWN, LENGTH, PIECES = "unknown to the encoder", "unusual length", "many wordpieces"
REASONS: Mapping[str, tuple[int, str]] = {
    DROPPED: (5, "an annotation that could not be used"),
    SPLIT_IN_GOLD: (4, "a name that starts or ends inside a token: training sees it, but prediction never can"),
    OTHERWISE: (4, "the same words have another label at least as often"),
    SKIPPED: (3, "words that are annotated nearly everywhere else, or elsewhere in the passage, but not here"),
    MASKED: (3, "annotators disagree without a decision, so the tokens are ignored in training"),
    OVERRULED: (2, "another annotator marked something else"),
    DOUBTFUL: (3, "a name that starts or ends inside a word, which no other annotation confirms"),
    REPAIRED: (2, "an annotation was changed to make it fit"),
    UNKNOWN: (2, "a token without a wordpiece in the encoder's vocabulary"),
    LENGTH: (2, "unusually many or few tokens for its type: over 3 standard deviations, on a logarithmic scale"),
    PIECES: (1, "a token of 10 wordpieces or more"),
    FLATTENED: (1, "an annotation that overlaps another: only in doc.spans"),
}
"""Maps a reason for suspicion to its points and its description. A passage's score is the sum of the points of its
findings. Each reason counts at most `MAX_COUNTED` times, so that a passage is not suspicious for being long."""
MAX_COUNTED = 3
MANY_PIECES = 10
CONTEXT = 10
N_DEVIATIONS, MIN_MENTIONS = 3, 20


@dataclass(frozen=True)
class Finding:
    """A reason for suspicion: a key of `REASONS`, the words or their outcome, and the position in `doc.text`."""

    reason: str
    words: str
    start: int | None = None
    end: int | None = None


@dataclass(frozen=True)
class Inspected:
    """A passage of the corpus, its annotations and its findings."""

    split: str
    doc: Doc
    annotations: tuple[Annotation, ...]
    findings: tuple[Finding, ...]

    @property
    def source(self) -> str:
        """`file:line`."""
        return str(self.doc.user_data.get(SOURCE_KEY, ""))

    @property
    def score(self) -> int:
        """How suspicious the passage is; 0: not at all."""
        counts = Counter(finding.reason for finding in self.findings)
        return sum(REASONS[reason][0] * min(n, MAX_COUNTED) for reason, n in counts.items())

    def reasons(self) -> dict[str, list[str]]:
        """Map each reason to its findings' words, the weightiest reason first."""
        words_of: dict[str, list[str]] = {reason: [] for reason in REASONS}
        for finding in self.findings:
            words_of[finding.reason].append(finding.words)
        return {reason: words for reason, words in words_of.items() if words}


@dataclass(frozen=True)
class Inspection:
    """passages: of all splits, in the corpus' order. unplaced: rows of the ledger that belong to none of them."""

    passages: tuple[Inspected, ...]
    unplaced: tuple[Row, ...]

    def outcomes(self) -> Counter[str]:
        """Count spans and annotations by outcome; `UNACCOUNTED` if corpus and ledger are from different runs."""
        placed = [annotation.row for passage in self.passages for annotation in passage.annotations]
        return Counter(row.outcome for row in [*placed, *self.unplaced])


def read_corpus(folder: Path) -> list[tuple[str, Doc]]:
    """Read (split, document) of every split. Raises DomainNerError when a corpus is missing or empty."""
    vocab = Vocab()
    return [(split, doc) for split in SPLITS for doc in read_docs(folder / f"{split}.spacy", vocab)]


def read_ledger(path: Path) -> list[Row]:
    """Read the rows of `ledger.jsonl`, unreadable ones included. Raises DomainNerError for a missing or other file."""
    empty = dict.fromkeys(("document", "annotator", "start", "end", "label", "text"), "")
    try:
        # Not `splitlines`, which also splits at unescaped line separators inside JSON.
        lines = path.read_text(encoding="utf8").split("\n")
        rows = [Row.from_json({**empty, **_printable(json.loads(line))}) for line in lines if line]
    except OSError as err:
        raise DomainNerError(f"Cannot read the ledger {path}: {err.strerror}.", "Run convert first.") from err
    except (ValueError, TypeError) as err:
        raise DomainNerError(f"{path} is not a ledger of convert: {err}.", "Run convert again.") from err
    unknown = {row.outcome for row in rows} - {*OUTCOMES, *UNREADABLE}
    if unknown:
        raise DomainNerError(f"{path} is not a ledger of convert: fate {min(unknown)!r}.", "Run convert again.")
    return rows


def _printable(value: Any) -> Any:
    """Replace halves of surrogate pairs, as in broken exports: nothing can print them."""
    if isinstance(value, dict):
        return {key: _printable(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_printable(item) for item in value]
    return value.encode("utf8", "backslashreplace").decode("utf8") if isinstance(value, str) else value


def inspect(
    docs: Sequence[tuple[str, Doc]],
    rows: Sequence[Row],
    tokenizer: Any = None,
    *,
    on_doc: Callable[[], None] = lambda: None,
) -> Inspection:
    """Combine ledger and corpus, and find what is suspicious.

    docs: from `read_corpus`. tokenizer: from `load_tokenizer`. on_doc: called after each document.
    """
    annotations, unplaced = locate_rows([doc for _, doc in docs], rows)
    compared = _compare([doc for _, doc in docs])
    passages = []
    for (split, doc), placed, findings in zip(docs, annotations, compared, strict=True):
        of_pieces = _of_pieces(doc, tokenizer) if tokenizer is not None else ()
        passages.append(Inspected(split, doc, tuple(placed), (*_of_outcomes(placed), *findings, *of_pieces)))
        on_doc()
    return Inspection(tuple(passages), tuple(unplaced))


def check_split(split: str) -> None:
    """Raise DomainNerError unless `split` is the name of a split, or empty."""
    if split and split not in SPLITS:
        raise DomainNerError(f"--split is {split!r}; expected {', '.join(SPLITS)}, or nothing for all of them.")


def of_split(inspection: Inspection, split: str) -> Inspection:
    """Select what belongs to one split; all for an empty name."""
    if not split:
        return inspection
    return Inspection(tuple(passage for passage in inspection.passages if passage.split == split), ())


def most_suspicious(passages: Iterable[Inspected]) -> list[Inspected]:
    """Sort the passages by score, the highest first."""
    return sorted(passages, key=lambda passage: -passage.score)


def at_random(passages: Sequence[Inspected], n: int, *, seed: int) -> list[Inspected]:
    """Draw `n` passages, or all if there are fewer; the same seed and corpus give the same ones."""
    return random.Random(seed).sample(passages, min(n, len(passages)))


def biluo_tags(doc: Doc) -> list[str]:
    """List the tag of each token as in training; `-` if it is unknown."""
    tags = ["-" if token.ent_iob == 0 else "O" for token in doc]
    for ent in doc.ents:
        letters = "U" if len(ent) == 1 else f"B{'I' * (len(ent) - 2)}L"
        tags[ent.start : ent.end] = [f"{letter}-{ent.label_}" for letter in letters]
    return tags


def shown_tokens(passage: Inspected, max_tokens: int) -> range:
    """Choose the tokens to show of a passage: all, or `max_tokens` of them around the most suspicious place."""
    n_tokens = len(passage.doc)
    places = [(-REASONS[finding.reason][0], finding.start) for finding in passage.findings if finding.start is not None]
    focus = _tokens_at(passage.doc, min(places)[1], min(places)[1] + 1)[0].i if places else 0
    first = max(0, min(focus - CONTEXT, n_tokens - max_tokens)) if focus >= max_tokens else 0
    return range(first, min(n_tokens, first + max_tokens))


def _of_outcomes(annotations: Iterable[Annotation]) -> Iterator[Finding]:
    for annotation in annotations:
        row, why = annotation.row, annotation.row.reasons[-1] if annotation.row.reasons else ""
        if row.outcome != DOUBTFUL and any(reason.startswith(GOLD_ONLY) for reason in row.reasons):
            yield Finding(SPLIT_IN_GOLD, repr(row.text), annotation.start, annotation.end)
        elif row.outcome in REASONS:
            words = f"{describe(row)}: {why}" if why else describe(row)
            yield Finding(row.outcome, words, annotation.start, annotation.end)


def _compare(docs: Sequence[Doc]) -> list[list[Finding]]:
    """Find what is suspicious of each document compared with the others: labels, skipped names, lengths."""
    passages = [Passage(doc.text, tuple(sorted(map(_labelled, spans_of(doc)))), str(n)) for n, doc in enumerate(docs)]
    labels, usual = surface_labels(passages), _usual_lengths(docs)
    findings_of: list[list[Finding]] = [[] for _ in docs]
    for findings, doc in zip(findings_of, docs, strict=True):
        for span in spans_of(doc):
            place = (span.start_char, span.end_char)
            counts = labels[span.text]
            others = {label: n for label, n in counts.items() if label != span.label_ and n >= counts[span.label_]}
            if others:
                listed = ", ".join(f"{label} ({n})" for label, n in others.items())
                findings.append(Finding(OTHERWISE, f"{span.text!r} is {span.label_} here, elsewhere {listed}", *place))
            mean_log, deviation = usual.get(span.label_, (0.0, float("inf")))
            if abs(log(len(span)) - mean_log) > N_DEVIATIONS * deviation:
                findings.append(Finding(LENGTH, f"{span.text!r} has {len(span)} tokens as {span.label_}", *place))
    for passage, name, n in skipped_names(passages):
        doc, surface = docs[int(passage.source)], passage.text[name.start : name.end]
        if not any(token.ent_iob == 0 for token in _tokens_at(doc, name.start, name.end)):
            words = f"{surface!r} is annotated as {name.label} ({n}), but not here"
            findings_of[int(passage.source)].append(Finding(SKIPPED, words, name.start, name.end))
    return findings_of


def _usual_lengths(docs: Iterable[Doc]) -> dict[str, tuple[float, float]]:
    """Map a label to mean and standard deviation of the logarithm of its lengths, if it has enough mentions."""
    lengths: dict[str, list[float]] = defaultdict(list)
    for doc in docs:
        for span in spans_of(doc):
            lengths[span.label_].append(log(len(span)))
    return {label: (mean(logs), pstdev(logs)) for label, logs in lengths.items() if len(logs) >= MIN_MENTIONS}


def _of_pieces(doc: Doc, tokenizer: Any) -> Iterator[Finding]:
    for token, token_pieces in zip(doc, wordpieces(doc, tokenizer), strict=True):
        place = (token.idx, token.idx + len(token))
        if token_pieces.unknown:
            yield Finding(UNKNOWN, visible(token.text), *place)
        elif len(token_pieces.pieces) >= MANY_PIECES:
            yield Finding(PIECES, f"{visible(token.text)} ({len(token_pieces.pieces)})", *place)


def _tokens_at(doc: Doc, start: int, end: int) -> list[Token]:
    return [token for token in doc if token.idx < end and start < token.idx + len(token)]


def _labelled(span: Span) -> LabelledSpan:
    return LabelledSpan(span.start_char, span.end_char, span.label_)
