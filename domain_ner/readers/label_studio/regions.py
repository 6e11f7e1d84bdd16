"""Labelled regions of Label Studio's exports, and their positions in a text.

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
# Questions about a region or a task other than labels: their values have the region's offsets too.
NOTES = {"textarea", "choices", "rating", "taxonomy", "number", "datetime", "pairwise", "ranker", "relation"}
IN_HTML = "the region points into HTML; offsets into the rendered text are needed"

Kind = Literal["text", "html", "dialogue"]


@dataclass(frozen=True, slots=True)
class Region:
    """A labelled region of a text.

    value: offsets and words, as exported. labels: at least one, None if it has none. name: of the tag with the text
    (`to_name`); in formats without it, of the labelling tag. source: the key of `data` with the text, if named, as in
    old exports (`$text`).
    """

    value: Mapping[str, Any]
    labels: tuple[Any, ...]
    name: str = ""
    source: str = ""

    @property
    def words(self) -> str | None:
        """The region's words, if the export has them."""
        words = self.value.get("text")
        return words if isinstance(words, str) and words.strip() else None

    @property
    def kind(self) -> Kind:
        """What the region points into: a plain text, an HTML page (by XPaths, or by offsets into the displayed text),
        or a dialogue (by the numbers of paragraphs).
        """
        value = self.value
        start = value.get("start")
        if "startOffset" in value and str(start).isdecimal():
            return "dialogue"
        in_html = (isinstance(start, str) and start.startswith("/")) or isinstance(value.get("globalOffsets"), dict)
        return "html" if in_html else "text"


def find_regions(result: Sequence[Any]) -> tuple[list[Region], Counter[str]]:
    """Find the labelled regions in a list of results; count the other results by type."""
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
    """Make a region from its `value`; None if it is not a labelled text span (audio has seconds and a channel)."""
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
    """Whether the `value` of a result is another kind of answer than a label; a text area has a list of them."""
    return not NOTES.isdisjoint(value) or isinstance(value.get("text"), list)


def spans_of(regions: Sequence[Region], text: str, starts: Sequence[int] | None) -> Iterator[SourceSpan]:
    """Yield a span for each label of each region. starts: of a dialogue's paragraphs, None for other texts."""
    placed = [(region, *offsets_of(region, starts)) for region in regions]
    ends = [end for _, _, end, _ in placed if isinstance(end, int)]
    is_elsewhere = max(ends, default=0) > len(text) and ADDRESS.fullmatch(text) is not None
    for region, start, end, fault in placed:
        # If other regions show that the text is an address, those that fit by chance are faulty too.
        if not fault and is_elsewhere and isinstance(end, int) and (end > len(text) or not region.words):
            fault = (  # noqa: PLW2901
                f'span {start}-{end}, text has {len(text)} characters (looks like a path: Label Studio valueType="url")'
            )
        for label in region.labels:
            yield SourceSpan(start, end, label, region.words, fault=fault)


def offsets_of(region: Region, starts: Sequence[int] | None) -> tuple[Any, Any, str]:
    """Return (start, end, fault): offsets into the rendered text if the region has them, else its own.

    starts: of a dialogue's paragraphs in its text, None for other texts.
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
        return start, end, "it points to a paragraph of a dialogue, but the text is not a dialogue"
    return start, end, IN_HTML if kind == "html" else ""


def n_fitting(text: str, regions: Sequence[Region]) -> int:
    """Count the regions whose words are at their offsets in the text, which is not a dialogue."""
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
    """Compute offsets in the joined text from paragraph numbers and offsets within paragraphs."""
    value, offsets = region.value, []
    for number, offset in ((value.get("start"), value.get("startOffset")), (value.get("end"), value.get("endOffset"))):
        paragraph, offset = as_offset(number), as_offset(offset)  # noqa: PLW2901
        if not isinstance(paragraph, int) or not 0 <= paragraph < len(starts) or not isinstance(offset, int):
            where = f"paragraph {number!r}, character {offset!r}"
            return value.get("start"), value.get("end"), f"it points to {where} of {len(starts)} paragraphs"
        offsets.append(starts[paragraph] + offset)
    return offsets[0], offsets[1], ""
