"""Makes records of words with a tag each, for JSON formats."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from domain_ner.annotations.records import FileLog, Record
from domain_ner.annotations.tag_schemes import Tag, TagScheme, decode_tags
from domain_ner.readers.tokens.offsets import join_tokens, source_spans, unknown_ranges
from domain_ner.readers.tokens.spacing import Spacing
from domain_ner.readers.tokens.tagged import describe_scheme

NO_LABEL = ("", "o", "0", "-", *(f"{letter}{joint}" for letter in "BIESLUMW" for joint in "-_"))


@dataclass(frozen=True, slots=True)
class Tagged:
    """A text as words with a tag each (None: not annotated). text: the whole text, if the file has it."""

    line: int
    words: Sequence[str]
    tags: Sequence[Tag]
    spaces: Sequence[bool] | None = None
    text: str | None = None
    document: str = ""
    meta: Mapping[str, Any] = field(default_factory=dict)
    annotator: str = ""


@dataclass
class TagDecoder:
    """Makes records of tagged words, and summarises the repairs at the end.

    spacing: of all words, for a file without spaces.
    """

    log: FileLog
    scheme: TagScheme
    spacing: Spacing = field(default_factory=Spacing)
    n_entities: int = 0
    n_without_words: int = 0
    empty: list[str] = field(default_factory=list)
    repairs: list[str] = field(default_factory=list)
    differing: list[int] = field(default_factory=list)

    def record(self, tagged: Tagged) -> Record | None:
        """Make a record; None if there are no words. Raises ValueError, with what came, for invalid tags."""
        kept = self._without_empty(tagged)
        for n_word, (word, tag) in enumerate(zip(tagged.words, tagged.tags, strict=True), start=1):
            if tag is None or self.scheme.is_outside(tag):
                continue
            if tag in NO_LABEL or self.scheme.parse(tag) is None:
                raise ValueError(
                    f"token {n_word} ({word!r}) has no valid tag ({tag!r}); expected {self.scheme.name} tags"
                )
        if not kept:
            self.n_without_words += 1
            return None
        words = [tagged.words[n] for n in kept]
        tags = [tagged.tags[n] for n in kept]
        text, starts, all_words, spaces = self._lay_out(tagged, words, kept)
        entities = list(decode_tags(tags, self.scheme))
        self.n_entities += len(entities)
        self.repairs += [f"{tagged.line}: {span.repair}" for span in entities if span.repair]
        return Record(
            text=text,
            spans=source_spans(entities, words, starts),
            file=self.log.file,
            line=tagged.line,
            document=tagged.document,
            annotator=tagged.annotator,
            meta=tagged.meta,
            unknown=unknown_ranges([tag is None for tag in tags], words, starts),
            words=tuple(all_words),
            spaces=None if spaces is None else tuple(spaces),
        )

    def report(self) -> None:
        """Note the scheme and the repairs, each once."""
        scheme = self.scheme.name
        self.log.note(f"{describe_scheme(self.scheme)}; {self.n_entities} entities")
        self.spacing.report(self.log)
        if self.repairs:
            self.log.note(f"{len(self.repairs)} tags do not fit {scheme}, first in row {self.repairs[0]}")
        if self.empty:
            self.log.note(f"{len(self.empty)} empty tokens dropped with their O tags, first {self.empty[0]}")
        if self.n_without_words:
            self.log.note(f"{self.n_without_words} rows have no tokens: nothing to read")
        if self.differing:
            rows = f"{len(self.differing)} rows, first {self.differing[0]}"
            self.log.note(f"the text differs from the tokens ({rows}): tokens used")

    def _without_empty(self, tagged: Tagged) -> list[int]:
        for n_word, (word, tag) in enumerate(zip(tagged.words, tagged.tags, strict=True), start=1):
            if not word and tag is not None and not self.scheme.is_outside(tag):
                raise ValueError(f"token {n_word} is empty and has the tag {tag!r}; expected a word")
            if not word:
                self.empty.append(f"row {tagged.line} token {n_word}")
        return [n_word for n_word, word in enumerate(tagged.words) if word]

    def _lay_out(
        self, tagged: Tagged, words: Sequence[str], kept: Sequence[int]
    ) -> tuple[str, list[int], Sequence[str], Sequence[bool] | None]:
        """Return (text, start of each word, the text's words, spaces): a text from the file may have more words."""
        if tagged.text is not None:
            if words_in_text := find_words(words, tagged.text):
                return tagged.text, *words_in_text
            self.differing.append(tagged.line)
        spaces = self.spacing.spaces(words) if tagged.spaces is None else [tagged.spaces[n] for n in kept]
        return *join_tokens(words, spaces), words, spaces


def find_words(words: Sequence[str], text: str) -> tuple[list[int], list[str], list[bool]] | None:
    """Return (start of each word, words, spaces) if the words form the text up to white space; else None.

    White space other than one space between two words is a word of its own, as in spaCy's tokenizer.
    """
    starts: list[int] = []
    all_words: list[str] = []
    spaces: list[bool] = []
    position = 0
    for word in [*words, ""]:
        start = text.find(word, position) if word else len(text)
        gap = text[position:start]
        if start < 0 or gap.strip():
            return None
        if spaces and gap.startswith(" "):
            spaces[-1], gap = True, gap[1:]
        if gap:
            all_words.append(gap)
            spaces.append(False)
        if word:
            starts.append(start)
            all_words.append(word)
            spaces.append(False)
        position = start + len(word)
    return starts, all_words, spaces
