"""Labelled regions of Label Studio's exports, and where they point in a text.

Keys as in https://labelstud.io/guide/export and https://labelstud.io/guide/task_format.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from domain_ner.annotations.records import SourceSpan, as_offset
from domain_ner.readers.text_choice.evidence import ADDRESS
from domain_ner.readers.text_choice.fit import plain

LABEL_KEYS = ("labels", "hypertextlabels", "htmllabels", "paragraphlabels")
OFFSET_KEYS = {"start", "end", "startOffset", "endOffset", "globalOffsets", "text"}
# What is asked of a region or of a whole task beside its labels: notes, whose values have the region's offsets too.
NOTES = {"textarea", "choices", "rating", "taxonomy", "number", "datetime", "pairwise", "ranker", "relation"}
IN_HTML = "the region points into HTML; offsets into the rendered text are needed"

Kind = Literal["text", "html", "dialogue"]


@dataclass(frozen=True, slots=True)
class Region:
    """A labelled region of a text.

    value: offsets and words, as exported. labels: at least one, None where it has none. name: of the tag with the text
    (`to_name`); in the formats that do not say it, of the labelling tag. source: the key of `data` with the text, where
    old exports name it (`$text`).
    """

    value: Mapping[str, Any]
    labels: tuple[Any, ...]
    name: str = ""
    source: str = ""

    @property
    def words(self) -> str | None:
        """The region's words, where the export has them."""
        words = self.value.get("text")
        return words if isinstance(words, str) and words.strip() else None

    @property
    def kind(self) -> Kind:
        """What it points into: a plain text, an HTML page (by XPaths, or by offsets into what the page shows), or a
        dialogue (by the numbers of paragraphs).
        """
        value = self.value
        start = value.get("start")
        if "startOffset" in value and str(start).isdecimal():
            return "dialogue"
        in_html = (isinstance(start, str) and start.startswith("/")) or isinstance(value.get("globalOffsets"), dict)
        return "html" if in_html else "text"


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


def region_of_value(value: Mapping[str, Any], name: str = "", source: str = "") -> Region | None:
    """A region from its `value`; None where it is no labelled span of a text (audio has seconds and a channel)."""
    if (
        LABEL_KEYS[0] not in value and value.keys() <= OFFSET_KEYS and not isinstance(value.get("text"), list)
    ):  # a text area has a list of answers
        value = {**value, LABEL_KEYS[0]: []}
    kind = LABEL_KEYS[0] if LABEL_KEYS[0] in value else next((key for key in LABEL_KEYS if key in value), None)
    if kind is None or ("start" not in value and "globalOffsets" not in value):
        return None
    if "channel" in value or "original_length" in value:
        return None
    labels = value[kind] if isinstance(value[kind], list) else [value[kind]]
    return Region(value, tuple(labels) or (None,), name, source)


def is_note(value: Mapping[str, Any]) -> bool:
    """Whether the `value` of a result is an answer of another kind than a label; a text area has a list of them."""
    return not NOTES.isdisjoint(value) or isinstance(value.get("text"), list)


def spans_of(regions: Sequence[Region], text: str, starts: Sequence[int] | None) -> Iterator[SourceSpan]:
    """A span for each label of each region. starts: of the paragraphs of a dialogue, None where the text is none."""
    placed = [(region, *offsets_of(region, starts)) for region in regions]
    ends = [end for _, _, end, _ in placed if isinstance(end, int)]
    is_elsewhere = max(ends, default=0) > len(text) and ADDRESS.fullmatch(text) is not None
    for region, start, end, fault in placed:
        # What others show to be an address is no text of those that would fit into it either.
        if not fault and is_elsewhere and isinstance(end, int) and (end > len(text) or not region.words):
            fault = (  # noqa: PLW2901
                f'span {start}-{end}, text has {len(text)} characters (looks like a path: Label Studio valueType="url")'
            )
        for label in region.labels:
            yield SourceSpan(start, end, label, region.words, fault=fault)


def offsets_of(region: Region, starts: Sequence[int] | None) -> tuple[Any, Any, str]:
    """(start, end, fault): offsets into the rendered text where the region has them, else its own.

    starts: of the paragraphs of a dialogue in its text, None where the text is none.
    """
    if starts is not None:
        return _dialogue_offsets(region, starts)
    value = region.value
    if isinstance(value.get("globalOffsets"), dict):
        value = value["globalOffsets"]
        return as_offset(value.get("start")), as_offset(value.get("end")), ""
    start, end = as_offset(value.get("start")), as_offset(value.get("end"))
    kind = region.kind
    if kind == "dialogue":
        return start, end, "it points to a paragraph of a dialogue, and the text is none"
    return start, end, IN_HTML if kind == "html" else ""


def n_fitting(text: str, regions: Sequence[Region]) -> int:
    """How many regions have the words in the text that their offsets say. The text is none of a dialogue."""
    offsets = ((region.words, *offsets_of(region, None)[:2]) for region in regions)
    return sum(
        plain(text[start:end]) == plain(words)
        for words, start, end in offsets
        if words and isinstance(start, int) and isinstance(end, int)
    )


def _region(item: Mapping[str, Any]) -> Region | None:
    value = item.get("value")
    if not isinstance(value, dict) or str(item.get("type")).lower() in NOTES:
        return None
    return region_of_value(value, str(item.get("to_name") or ""), str(item.get("source") or "").removeprefix("$"))


def _dialogue_offsets(region: Region, starts: Sequence[int]) -> tuple[Any, Any, str]:
    """Offsets into the joined text, from the numbers of the paragraphs and offsets into these."""
    value, found = region.value, []
    for number, offset in ((value.get("start"), value.get("startOffset")), (value.get("end"), value.get("endOffset"))):
        paragraph, offset = as_offset(number), as_offset(offset)  # noqa: PLW2901
        if not isinstance(paragraph, int) or not 0 <= paragraph < len(starts) or not isinstance(offset, int):
            where = f"paragraph {number!r}, character {offset!r}"
            return value.get("start"), value.get("end"), f"it points to {where} of {len(starts)} paragraphs"
        found.append(starts[paragraph] + offset)
    return found[0], found[1], ""
