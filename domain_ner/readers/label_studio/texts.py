"""Finds the texts in the `data` of a Label Studio task, and how the annotator saw them."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

from domain_ner.annotations.records import FileLog
from domain_ner.errors import DomainNerError
from domain_ner.readers.label_studio.regions import Region, n_fitting
from domain_ner.readers.text_choice.fit import DisplayedText
from domain_ner.readers.text_files.decoding import read_text
from domain_ner.readers.text_files.html_text import renderings

# Label Studio's keys in the paragraphs of a dialogue: who speaks, and what they say.
AUTHOR, SAID = "author", "text"


@dataclass(frozen=True)
class Text(DisplayedText):
    """A text of a task. starts: of a dialogue's paragraphs, which line ends join; None for other texts."""

    starts: tuple[int, ...] | None = None

    def displayed_text(self, regions: Sequence[Region]) -> str:
        """Return the displayed text of an HTML page, rendered in the way in which most of these regions fit."""
        return max(dict.fromkeys(renderings(self.text)), key=lambda rendered: n_fitting(rendered, regions))


def texts_of(data: Mapping[str, Any], above: str = "") -> dict[str, Text]:
    """Find the possible texts in a task's data by name: strings by their key (`a.b` within an object), dialogues by
    their key and that of the words (`dialogue.text`). A null value is an empty text.
    """
    texts: dict[str, Text] = {}
    for key, value in data.items():
        name = f"{above}{key}"
        if isinstance(value, str) or value is None:
            texts[name] = Text(value or "")
        elif isinstance(value, dict):
            texts |= texts_of(value, f"{name}.")
        elif is_dialogue(value):
            texts |= {f"{name}.{said}": _joined(value, said) for said in _said_keys(value)}
    return texts


def is_dialogue(value: Any) -> bool:
    """Whether a value is a list of paragraphs, each with words."""
    return isinstance(value, list) and bool(value) and all(
        isinstance(item, dict) and any(isinstance(words, str) for words in item.values()) for item in value
    )  # fmt: skip


def without(data: Mapping[str, Any], names: Sequence[str]) -> dict[str, Any]:
    """Return the data of a task without the texts of these names, and without empty values."""
    tops = {name.partition(".")[0] for name in names if name not in data}
    return {key: value for key, value in data.items() if key not in {*names, *tops} and value not in ("", None)}


def _said_keys(paragraphs: Sequence[Mapping[str, Any]]) -> list[str]:
    keys = list(
        dict.fromkeys(key for paragraph in paragraphs for key, words in paragraph.items() if isinstance(words, str))
    )
    return [key for key in keys if key != AUTHOR] or keys


def _joined(paragraphs: Sequence[Mapping[str, Any]], key: str) -> Text:
    said = [words if isinstance(words := paragraph.get(key), str) else "" for paragraph in paragraphs]
    starts = [0]
    for words in said[:-1]:
        starts.append(starts[-1] + len(words) + 1)
    return Text("\n".join(said), tuple(starts))


@dataclass
class LabellingConfig:
    """The labelling configuration of a project. shows: the text behind each text tag, and behind each labelling tag.
    labelled: texts with labels. html: texts displayed as HTML.
    """

    shows: dict[str, str] = field(default_factory=dict)
    labelled: list[str] = field(default_factory=list)
    html: set[str] = field(default_factory=set)

    @classmethod
    def beside(cls, path: Path) -> "LabellingConfig":
        """Read `config.xml` from the folder of an export; an empty configuration if there is none."""
        file, tags = path.with_name("config.xml"), _Tags()
        if file.is_file():
            with suppress(DomainNerError):
                tags.feed(read_text(file, FileLog(file.name)))
        return cls(tags.shows | tags.labels(), tags.labelled(), {tags.shows[name] for name in tags.html})


class _Tags(HTMLParser):
    """The tags of a labelling configuration. targets: the text tags of each labelling tag."""

    def __init__(self) -> None:
        super().__init__()
        self.shows: dict[str, str] = {}
        self.html: set[str] = set()
        self.targets: dict[str, list[str]] = {}

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        attributes = {key: value or "" for key, value in attrs}
        name, value = attributes.get("name", ""), attributes.get("value", "").removeprefix("$")
        if tag in ("text", "hypertext", "paragraphs") and name and value:
            self.shows[name] = f"{value}.{attributes.get('textkey') or SAID}" if tag == "paragraphs" else value
            self.html |= {name} if tag == "hypertext" else set()
        elif tag in ("labels", "hypertextlabels", "paragraphlabels") and name:
            self.targets[name] = [target.strip() for target in attributes.get("toname", "").split(",")]

    def labels(self) -> dict[str, str]:
        """Map each labelling tag with a single text to that text."""
        return {
            name: self.shows[targets[0]]
            for name, targets in self.targets.items()
            if len(targets) == 1 and targets[0] in self.shows
        }

    def labelled(self) -> list[str]:
        """List the texts with labels; all texts if no labelling tag names one."""
        named: Iterator[str] = (tag for targets in self.targets.values() for tag in targets)
        known = list(dict.fromkeys(self.shows[tag] for tag in named if tag in self.shows))
        return known or list(dict.fromkeys(self.shows.values()))
