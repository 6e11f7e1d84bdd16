"""What the readers of standoff formats share: annotations of several parts, and documents without any."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

from domain_ner.annotations.records import Answer, ReaderOptions, SourceSpan


@dataclass(frozen=True)
class Mention:
    """An annotation as standoff formats have it.

    name: its id. fragments: (start, end) of each part, one or more. said: its words in the file, those of its parts
    with one character between them; None where the file has none. where: it stands, for messages.
    """

    name: str
    label: str | None
    fragments: tuple[tuple[int, int], ...]
    said: str | None
    where: str

    @property
    def start(self) -> int:
        """Of the first part."""
        return min(start for start, _ in self.fragments)

    @property
    def end(self) -> int:
        """Of the last part."""
        return max(end for _, end in self.fragments)

    @property
    def n_chars(self) -> int:
        """Of its words: those of its parts, with a space between them."""
        return sum(end - start for start, end in self.fragments) + len(self.fragments) - 1


def answer(options: ReaderOptions, *, is_empty: bool) -> Answer:
    """What it means that a document was exported. is_empty: it has no annotations."""
    return "not annotated" if is_empty and options.empty == "skip" else "accepted"


def mention_spans(mention: Mention, text: str, options: ReaderOptions) -> Iterator[SourceSpan]:
    """The spans of an annotation in a text: one where nothing but white space is between its parts, else as
    `options.discontinuous` says.
    """
    start, end, label = mention.start, mention.end, mention.label
    if len(mention.fragments) == 1:
        yield SourceSpan(start, end, label, text=mention.said)
    elif _is_joined(mention, text):
        yield SourceSpan(start, end, label, text=mention.said, how=("fragments joined over white space",))
    elif options.discontinuous == "fragments":
        yield from _fragments(mention)
    elif options.discontinuous == "envelope":
        how = f"discontinuous: from the first to the last character of {mention.name}"
        yield SourceSpan(start, end, label, how=(how,))
    else:
        where = f"{mention.name} at {mention.where}"
        fault = f"discontinuous ({where}): set vars.reading (discontinuous=…) to envelope or fragments to keep it"
        yield SourceSpan(start, end, label, text=mention.said, fault=fault)


def _is_joined(mention: Mention, text: str) -> bool:
    """Whether nothing but white space lies between the fragments: a selection over a line end is stored like that."""
    gaps = (text[one[1] : other[0]] for one, other in pairwise(sorted(mention.fragments)))
    return all(not gap.strip() for gap in gaps)


def _fragments(mention: Mention) -> Iterator[SourceSpan]:
    """Each fragment for itself, with its share of the words."""
    position = 0
    known = mention.said is not None and len(mention.said) == mention.n_chars
    for n_fragment, (start, end) in enumerate(mention.fragments, start=1):
        words = (mention.said or "")[position : position + end - start] if known else None
        position += end - start + 1
        how = f"discontinuous: fragment {n_fragment} of {len(mention.fragments)} of {mention.name}"
        yield SourceSpan(start, end, mention.label, text=words, how=(how,))
