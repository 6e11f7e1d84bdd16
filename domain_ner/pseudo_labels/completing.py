"""Adds the types that a passage was not annotated for, so that a training on it does not forget them.

Entities that the pipeline is sure of are added. Where it is unsure, the text is marked as unknown, and training learns
nothing there. Everything else stays "no entity": that is learned too.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace

from spacy.language import Language
from spacy.tokens import Doc, Span

from domain_ner.annotations.passages import LabelledSpan, Passage
from domain_ner.crf_ner.pipe import CANDIDATES_KEY
from domain_ner.crf_ner.probing import recogniser
from domain_ner.crf_ner.settings import VITERBI
from domain_ner.errors import DomainNerError, did_you_mean

# Candidates over a token: more than a recogniser ever has.
ALL = 10_000
Ranges = list[tuple[int, int]]


@dataclass(frozen=True)
class Limits:
    """sure: least confidence of an entity that is added, 0..1. possible: of a span that makes its text unknown."""

    sure: float = 0.9
    possible: float = 0.1


@dataclass
class Completed:
    """What became of the passages. n_kept: their own entities. added: entities by type. n_unknown: unknown ranges."""

    n_passages: int = 0
    n_kept: int = 0
    added: Counter[str] = field(default_factory=Counter)
    n_unknown: int = 0


def types_to_add(nlp: Language, annotated: Iterable[str], wanted: Sequence[str]) -> list[str]:
    """List the types that the pipeline knows and the passages lack.

    annotated: the types of the passages. wanted: those to add; empty: all others.
    Raises DomainNerError if the pipeline gives no confidences, does not know a wanted type, or adds nothing.
    """
    labels = recogniser(nlp).labels
    for label in wanted:
        if label not in labels:
            hint = did_you_mean(label, labels)
            raise DomainNerError(f"The pipeline does not know the type {label!r}{hint and f'; {hint}'}.")
    known = set(annotated)
    added = [label for label in labels if label in wanted or (not wanted and label not in known)]
    if not added:
        raise DomainNerError(
            f"The passages have all types of the pipeline: {', '.join(labels)}.", "Name those to add with --types."
        )
    return added


def complete(
    nlp: Language,
    passages: Iterable[Passage],
    types: Sequence[str],
    limits: Limits,
    on_passage: Callable[[], None] = lambda: None,
) -> tuple[Iterator[Passage], Completed]:
    """Add entities of `types` to passages. Their own annotations stay as they are, and win where they overlap.

    on_passage: called after each.
    Returns the passages, and counts that are complete once all passages were read.
    """
    done = Completed()
    pipe = recogniser(nlp)
    pipe.settings = replace(pipe.settings, n_candidates=ALL, min_confidence={}, decoding=VITERBI)

    def completed() -> Iterator[Passage]:
        pairs = ((passage.text, passage) for passage in passages)
        for doc, passage in nlp.pipe(pairs, as_tuples=True):
            yield _completed(doc, passage, set(types), limits, done)
            on_passage()

    return completed(), done


def _completed(doc: Doc, passage: Passage, types: set[str], limits: Limits, done: Completed) -> Passage:
    done.n_passages += 1
    done.n_kept += len(passage.spans)
    taken = [(span.start, span.end) for span in passage.spans]
    added, unsure = list[LabelledSpan](), Ranges()
    for span, confidence in sorted(_scored(doc), key=lambda pair: -pair[1]):
        place = (span.start_char, span.end_char)
        if span.label_ not in types or confidence < limits.possible or _overlaps(place, taken):
            continue
        if confidence >= limits.sure:
            added.append(LabelledSpan(*place, span.label_))
            taken.append(place)
            done.added[span.label_] += 1
        else:
            unsure.append(place)
    ranges = [] if passage.partial else join_ranges(unsure, taken)
    done.n_unknown += len(ranges)
    spans = tuple(sorted((*passage.spans, *added)))
    return replace(passage, spans=spans, unknown=tuple(sorted({*passage.unknown, *ranges})), trimmed=(), rows=())


def _scored(doc: Doc) -> Iterator[tuple[Span, float]]:
    group = doc.spans.get(CANDIDATES_KEY, [])
    yield from zip(group, getattr(group, "attrs", {}).get("scores", []), strict=True)
    yield from ((ent, ent._.confidence) for ent in doc.ents if ent._.confidence is not None)


def _overlaps(place: tuple[int, int], taken: Ranges) -> bool:
    return any(start < place[1] and place[0] < end for start, end in taken)


def join_ranges(ranges: Ranges, taken: Ranges) -> Ranges:
    """Join ranges, and cut out what is taken."""
    left = set[int]().union(*(range(*place) for place in ranges)) - set[int]().union(
        *(range(*place) for place in taken)
    )
    runs: Ranges = []
    for position in sorted(left):
        if runs and runs[-1][1] == position:
            runs[-1] = (runs[-1][0], position + 1)
        else:
            runs.append((position, position + 1))
    return runs
