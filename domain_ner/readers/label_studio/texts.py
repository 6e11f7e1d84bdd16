"""The texts of a Label Studio task: what in its `data` may be one, and how it is shown to the annotator."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

from domain_ner.annotations.records import FileLog
from domain_ner.errors import DomainNerError
from domain_ner.readers.label_studio.regions import Region, n_fitting
from domain_ner.readers.text_choice.fit import Shown
from domain_ner.readers.text_files.decoding import read_text
from domain_ner.readers.text_files.html_text import renderings

# Of the paragraphs of a dialogue: Label Studio's names for who speaks, and what they say.
AUTHOR, SAID = "author", "text"


@dataclass(frozen=True)
class Text(Shown):
    """A text of a task. starts: of the paragraphs of a dialogue, which line ends join; None where it is none."""

    starts: tuple[int, ...] | None = None

    def shown(self, regions: Sequence[Region]) -> str:
        """What an HTML page shows, read in the way in which most of these regions fit."""
        return max(dict.fromkeys(renderings(self.text)), key=lambda rendered: n_fitting(rendered, regions))


def texts_of(data: Mapping[str, Any], above: str = "") -> dict[str, Text]:
    """What may be the text in a task's data, by name: strings by their key (`a.b` within an object), dialogues by
    their key and that of what is said (`dialogue.text`). What is there and null is an empty text.
    """
    found: dict[str, Text] = {}
    for key, value in data.items():
        name = f"{above}{key}"
        if isinstance(value, str) or value is None:
            found[name] = Text(value or "")
        elif isinstance(value, dict):
            found |= texts_of(value, f"{name}.")
        elif is_dialogue(value):
            found |= {f"{name}.{said}": _joined(value, said) for said in _said_keys(value)}
    return found


def is_dialogue(value: Any) -> bool:
    """Whether a value is a list of paragraphs, each with words of its own."""
    return isinstance(value, list) and bool(value) and all(
        isinstance(one, dict) and any(isinstance(words, str) for words in one.values()) for one in value
    )  # fmt: skip


def without(data: Mapping[str, Any], names: Sequence[str]) -> dict[str, Any]:
    """The data of a task without the texts of these names, and without what is empty."""
    tops = {name.partition(".")[0] for name in names if name not in data}
    return {key: value for key, value in data.items() if key not in {*names, *tops} and value not in ("", None)}


def _said_keys(paragraphs: Sequence[Mapping[str, Any]]) -> list[str]:
    keys = list(dict.fromkeys(key for one in paragraphs for key, words in one.items() if isinstance(words, str)))
    return [key for key in keys if key != AUTHOR] or keys


def _joined(paragraphs: Sequence[Mapping[str, Any]], key: str) -> Text:
    said = [words if isinstance(words := one.get(key), str) else "" for one in paragraphs]
    starts = [0]
    for words in said[:-1]:
        starts.append(starts[-1] + len(words) + 1)
    return Text("\n".join(said), tuple(starts))


@dataclass
class LabellingConfig:
    """What the labelling configuration of a project says. shows: the name of the text that each tag of a text shows,
    and each labelling tag labels. labelled: those of which there are labels. html: those shown as HTML.
    """

    shows: dict[str, str] = field(default_factory=dict)
    labelled: list[str] = field(default_factory=list)
    html: set[str] = field(default_factory=set)

    @classmethod
    def beside(cls, path: Path) -> "LabellingConfig":
        """The `config.xml` that lies in the folder of an export; an empty one where none does."""
        file, tags = path.with_name("config.xml"), _Tags()
        if file.is_file():
            with suppress(DomainNerError):
                tags.feed(read_text(file, FileLog(file.name)))
        return cls(tags.shows | tags.labels(), tags.labelled(), {tags.shows[name] for name in tags.html})


class _Tags(HTMLParser):
    """The tags of a labelling configuration. targets: what each labelling tag labels."""

    def __init__(self) -> None:
        super().__init__()
        self.shows: dict[str, str] = {}
        self.html: set[str] = set()
        self.targets: dict[str, list[str]] = {}

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {key: value or "" for key, value in attrs}
        name, value = given.get("name", ""), given.get("value", "").removeprefix("$")
        if tag in ("text", "hypertext", "paragraphs") and name and value:
            self.shows[name] = f"{value}.{given.get('textkey') or SAID}" if tag == "paragraphs" else value
            self.html |= {name} if tag == "hypertext" else set()
        elif tag in ("labels", "hypertextlabels", "paragraphlabels") and name:
            self.targets[name] = [one.strip() for one in given.get("toname", "").split(",")]

    def labels(self) -> dict[str, str]:
        """The text of each labelling tag that has one alone."""
        return {
            name: self.shows[targets[0]]
            for name, targets in self.targets.items()
            if len(targets) == 1 and targets[0] in self.shows
        }

    def labelled(self) -> list[str]:
        """The texts that have labels; all of them where no labelling tag says."""
        named: Iterator[str] = (one for targets in self.targets.values() for one in targets)
        known = list(dict.fromkeys(self.shows[one] for one in named if one in self.shows))
        return known or list(dict.fromkeys(self.shows.values()))
