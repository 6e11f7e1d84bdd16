"""What Label Studio's export formats share: labelled regions, the text that they are in, and spans of both.

Keys as in https://labelstud.io/guide/export and https://labelstud.io/guide/task_format.
"""

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

from domain_ner.errors import DomainNerError
from domain_ner.readers.decoding import read_text
from domain_ner.readers.html_text import looks_like_html, renderings
from domain_ner.records import Answer, FileLog, Record, SourceSpan, as_offset

LABEL_KEYS = ("labels", "hypertextlabels", "htmllabels", "paragraphlabels")
OFFSET_KEYS = {"start", "end", "startOffset", "endOffset", "globalOffsets", "text"}
IN_HTML = "the region points into HTML; offsets into the rendered text are needed"
WHITE = re.compile(r"\s+")
ADDRESS = re.compile(r"(?:[a-z][a-z0-9+.-]*:/)?[^\s/]*/[^\s]*", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Region:
    """A labelled region of a text.

    value: offsets and words, as exported. labels: at least one, None where it has none. to_name: of the tag with the
    text. source: the key of `data` with the text, where old exports name it (`$text`).
    """

    value: Mapping[str, Any]
    labels: tuple[Any, ...]
    to_name: str = ""
    source: str = ""

    @property
    def words(self) -> str | None:
        """The region's words, where the export has them."""
        words = self.value.get("text")
        return words if isinstance(words, str) and words.strip() else None

    @property
    def in_html(self) -> bool:
        """Whether it points into an HTML page: by XPaths, or by offsets into what the page shows."""
        start = self.value.get("start")
        return (isinstance(start, str) and start.startswith("/")) or isinstance(self.value.get("globalOffsets"), dict)


def find_regions(result: Sequence[Any]) -> tuple[list[Region], Counter[str]]:
    """The labelled regions of a list of results, and how many other results there are of each type."""
    regions: list[Region] = []
    others: Counter[str] = Counter()
    for item in result:
        region = _region(item) if isinstance(item, dict) else None
        if region:
            regions.append(region)
        else:
            kind = item.get("type") if isinstance(item, dict) else type(item).__name__
            others[str(kind or "unknown")] += 1
    return regions, others


def region_of_value(value: Mapping[str, Any], to_name: str = "", source: str = "") -> Region | None:
    """A region from its `value`; None where it is no span of a text (audio has seconds and a channel)."""
    if value.keys() <= OFFSET_KEYS:
        value = {**value, LABEL_KEYS[0]: []}
    kind = next((key for key in LABEL_KEYS if key in value), None)
    if kind is None or not {"start", "globalOffsets"} & value.keys() or {"channel", "original_length"} & value.keys():
        return None
    labels = value[kind] if isinstance(value[kind], list) else [value[kind]]
    return Region(value, tuple(labels) or (None,), to_name, source)


def _region(item: Mapping[str, Any]) -> Region | None:
    value = item.get("value")
    if not isinstance(value, dict):
        return None
    return region_of_value(value, str(item.get("to_name") or ""), str(item.get("source") or ""))


class _Config(HTMLParser):
    """Which key of `data` each text tag of a labelling configuration shows."""

    def __init__(self) -> None:
        super().__init__()
        self.keys: dict[str, str] = {}
        self.html: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = dict(attrs)
        if tag in ("text", "hypertext", "paragraphs") and found.get("name") and found.get("value"):
            key = str(found["value"]).removeprefix("$")
            self.keys[str(found["name"])] = key
            if tag == "hypertext":
                self.html.add(key)


@dataclass
class TextKeys:
    """Which key of `data` holds the text, told from what fits, and from the configuration beside the export.

    keys: by the name of a tag. seen: keys chosen so far. html, plain: those known to hold HTML, and plain text.
    """

    keys: dict[str, str] = field(default_factory=dict)
    seen: Counter[str] = field(default_factory=Counter)
    html: set[str] = field(default_factory=set)
    plain: set[str] = field(default_factory=set)

    @classmethod
    def beside(cls, path: Path) -> "TextKeys":
        """With the `config.xml` that lies in the folder of an export, if one does."""
        config, file = _Config(), path.with_name("config.xml")
        if file.is_file():
            with suppress(DomainNerError):
                config.feed(read_text(file, FileLog(file.name)))
        return cls(config.keys, html=config.html)

    def choose(self, data: Mapping[str, Any], regions: Sequence[Region]) -> str | None:
        """The key with the text; None where no value is a text."""
        candidates = [key for key, value in data.items() if isinstance(value, str) or _is_dialogue(value)]
        if not candidates:
            return None
        names = [region.to_name for region in regions if region.to_name] or list(self.keys)
        named = {self.keys.get(name, name) for name in names} | {r.source.removeprefix("$") for r in regions}
        words = [_plain(region.words) for region in regions if region.words]

        def rank(key: str) -> tuple[Any, ...]:
            text = data[key] if isinstance(data[key], str) else _join_dialogue(data[key])[0]
            plain = _plain(text)
            n_fitting = sum(word in plain for word in words)
            return n_fitting, key in named, self.seen[key], key.lower() == "text", len(text)

        key = max(candidates, key=rank)
        self.seen[key] += 1
        if regions:
            (self.html if any(region.in_html for region in regions) else self.plain).add(key)
        return key

    def is_html(self, key: str, text: str) -> bool:
        """Whether the text is to be rendered: regions point into it as HTML, or it looks so and nothing denies it."""
        return key in self.html or (key not in self.plain and looks_like_html(text))


@dataclass(frozen=True)
class Annotation:
    """One annotator's regions on one task. Fields that a Record has too mean what they mean there."""

    line: int
    document: str
    data: Mapping[str, Any]
    regions: Sequence[Region]
    answer: Answer = "accepted"
    annotator: str = ""
    meta: Mapping[str, Any] = field(default_factory=dict)


def make_record(annotation: Annotation, keys: TextKeys, log: FileLog) -> Record | None:
    """The record of an annotation; None, with a problem in the log, where its task holds no text."""
    data, regions = annotation.data, annotation.regions
    key = keys.choose(data, regions)
    if key is None:
        held = ", ".join(map(str, data)) or "nothing"
        log.problem(annotation.line, f"no text in the task (its data holds {held}); expected a key with the text")
        return None
    if key.lower() != "text":
        log.note(f"the text is what stands under {key!r}")
    text, starts = _text(key, annotation, keys, log)
    spans = tuple(_spans(regions, text, starts))
    lost = bool(spans) and all(span.fault for span in spans)
    return Record(
        text=text,
        spans=spans,
        file=log.file,
        line=annotation.line,
        document=annotation.document,
        answer=annotation.answer,
        annotator=annotation.annotator,
        meta={**{name: value for name, value in data.items() if name != key}, **annotation.meta},
        # Where every region is lost, what they do not cover is not known to be no entity.
        unknown=((0, len(text)),) if lost else (),
        unit=None if any(ord(char) > 0xFFFF for char in text) else "codepoint",
    )


def _text(key: str, annotation: Annotation, keys: TextKeys, log: FileLog) -> tuple[str, list[int] | None]:
    """(text, start of each paragraph of a dialogue or None)."""
    value = annotation.data[key]
    if not isinstance(value, str):
        log.note("dialogues: paragraphs joined by line ends")
        return _join_dialogue(value)
    if not keys.is_html(key, value):
        return value, None
    text = max(dict.fromkeys(renderings(value)), key=lambda rendered: _n_fitting(rendered, annotation.regions))
    if text != value:
        log.note("HTML: the text is that of its text nodes, a line end for <br>, as globalOffsets count it")
    return text, None


def _n_fitting(text: str, regions: Sequence[Region]) -> int:
    offsets = ((region.words, *_offsets(region)[:2]) for region in regions)
    return sum(
        _plain(text[start:end]) == _plain(words)
        for words, start, end in offsets
        if words and isinstance(start, int) and isinstance(end, int)
    )


def _spans(regions: Sequence[Region], text: str, starts: list[int] | None) -> Iterator[SourceSpan]:
    """A span for each label of each region."""
    for region in regions:
        start, end, fault = _offsets(region) if starts is None else _dialogue_offsets(region, starts)
        if not fault and isinstance(end, int) and end > len(text) and ADDRESS.fullmatch(text):
            fault = (
                f'span {start}-{end}, text has {len(text)} characters (looks like a path: Label Studio valueType="url")'
            )
        for label in region.labels:
            yield SourceSpan(start, end, label, region.words, fault=fault)


def _offsets(region: Region) -> tuple[Any, Any, str]:
    """(start, end, fault): offsets into the rendered text where the region has them, else its own."""
    value = region.value
    if isinstance(value.get("globalOffsets"), dict):
        value = value["globalOffsets"]
        return as_offset(value.get("start")), as_offset(value.get("end")), ""
    start, end = as_offset(value.get("start")), as_offset(value.get("end"))
    return start, end, IN_HTML if region.in_html else ""


def _dialogue_offsets(region: Region, starts: list[int]) -> tuple[Any, Any, str]:
    """Offsets into the joined text, from the numbers of the paragraphs and offsets into these."""
    value, found = region.value, []
    for number, offset in ((value.get("start"), value.get("startOffset")), (value.get("end"), value.get("endOffset"))):
        paragraph, offset = as_offset(number), as_offset(offset)  # noqa: PLW2901
        if not isinstance(paragraph, int) or not 0 <= paragraph < len(starts) or not isinstance(offset, int):
            where = f"paragraph {number!r}, character {offset!r}"
            return value.get("start"), value.get("end"), f"it points to {where} of {len(starts)} paragraphs"
        found.append(starts[paragraph] + offset)
    return found[0], found[1], ""


def _is_dialogue(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and all(isinstance(item, dict) and _says(item) for item in value)


def _says(paragraph: Mapping[str, Any]) -> str:
    words = [value for key, value in paragraph.items() if isinstance(value, str) and key != "author"]
    text = paragraph.get("text")
    return text if isinstance(text, str) else max(words, key=len, default="")


def _join_dialogue(paragraphs: Sequence[Mapping[str, Any]]) -> tuple[str, list[int]]:
    said = [_says(paragraph) for paragraph in paragraphs]
    starts = [0]
    for words in said[:-1]:
        starts.append(starts[-1] + len(words) + 1)
    return "\n".join(said), starts


def _plain(words: str | None) -> str:
    return WHITE.sub(" ", (words or "").replace("\\n", " ")).strip()
