"""Shared code of the standoff readers: discontinuous annotations, and documents without annotations."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

from domain_ner.annotations.records import Answer, ReaderOptions, SourceSpan


@dataclass(frozen=True)
class Mention:
    """An annotation in a standoff format.

    name: its id. fragments: (start, end) of each part, one or more. said: its words in the file, with one character
    between the parts; None if the file has none. where: its position, for messages.
    """

    name: str
    label: str | None
    fragments: tuple[tuple[int, int], ...]
    said: str | None
    where: str

    @property
    def start(self) -> int:
        """The start of the first part."""
        return min(start for start, _ in self.fragments)

    @property
    def end(self) -> int:
        """The end of the last part."""
        return max(end for _, end in self.fragments)

    @property
    def n_chars(self) -> int:
        """The length of its words: those of its parts, with a space between them."""
        return sum(end - start for start, end in self.fragments) + len(self.fragments) - 1


def answer(options: ReaderOptions, *, is_empty: bool) -> Answer:
    """Interpret that a document was exported. is_empty: it has no annotations."""
    return "not annotated" if is_empty and options.empty == "skip" else "accepted"


def mention_spans(mention: Mention, text: str, options: ReaderOptions) -> Iterator[SourceSpan]:
    """Yield the spans of an annotation: one if only white space separates its parts, else as `options.discontinuous`
    says.
    """
    start, end, label = mention.start, mention.end, mention.label
    if len(mention.fragments) == 1:
        yield SourceSpan(start, end, label, text=mention.said)
    elif _is_joined(mention, text):
        yield SourceSpan(start, end, label, text=mention.said, repairs=("fragments joined over white space",))
    elif options.discontinuous == "fragments":
        yield from _fragments(mention)
    elif options.discontinuous == "envelope":
        repair = f"discontinuous: from the first to the last character of {mention.name}"
        yield SourceSpan(start, end, label, repairs=(repair,))
    else:
        where = f"{mention.name} at {mention.where}"
        fault = f"discontinuous ({where}): set vars.reading (discontinuous=…) to envelope or fragments to keep it"
        yield SourceSpan(start, end, label, text=mention.said, fault=fault)


def _is_joined(mention: Mention, text: str) -> bool:
    """Whether only white space separates the fragments: tools store a selection across a line end like that."""
    gaps = (text[previous[1] : following[0]] for previous, following in pairwise(sorted(mention.fragments)))
    return all(not gap.strip() for gap in gaps)


def _fragments(mention: Mention) -> Iterator[SourceSpan]:
    """Yield each fragment separately, with its share of the words."""
    position = 0
    known = mention.said is not None and len(mention.said) == mention.n_chars
    for n_fragment, (start, end) in enumerate(mention.fragments, start=1):
        words = (mention.said or "")[position : position + end - start] if known else None
        position += end - start + 1
        repair = f"discontinuous: fragment {n_fragment} of {len(mention.fragments)} of {mention.name}"
        yield SourceSpan(start, end, mention.label, text=words, repairs=(repair,))
