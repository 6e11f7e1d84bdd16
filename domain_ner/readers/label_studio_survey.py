"""On which of a task's texts the regions of Label Studio lie: as the labelling config says, or as a whole file shows.

A region names the tag that shows its text (JSON_MIN, CSV and TSV: the labelling tag alone), not the key of `data` that
the tag shows. What tells it is that the words of the regions stand at their offsets; without words, that the tag has
the name of a key, that all other texts are too short, or that the edges of the regions are edges of words. Where none
of this decides, the user must: a wrong text is worse than none.
"""

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from domain_ner.errors import DomainNerError
from domain_ner.readers.label_studio_regions import ADDRESS, IN_HTML, Region, offsets_of, plain, squeezed
from domain_ner.readers.label_studio_texts import SAID, LabellingConfig, Text, texts_of

# A text is taken for that of a tag where more than this share of the regions with words have them in it.
CONVINCING = 0.5
# Of the regions' offsets, so many may lie off a text that is the right one (each of them is reported as lost).
MAX_OFF = 0.05
# So many regions without words tell a text by the edges of words: nearly all at edges there, half of them elsewhere.
MIN_EDGES, AT_EDGES, NOT_AT_EDGES = 5, 0.95, 0.5


@dataclass
class Fit:
    """How regions fit a text.

    n: regions; of them n_at with their words at their offsets, n_in with their words somewhere, n_off off the text, and
    n_edges between edges of words.
    """

    n: int = 0
    n_at: int = 0
    n_in: int = 0
    n_off: int = 0
    n_edges: int = 0

    def add(self, region: Region, text: Text) -> None:
        """Count a region. The text of an HTML page is that which is shown."""
        start, end, fault = offsets_of(region, text.starts)
        has_offsets = not fault and _is_offset(start) and _is_offset(end)
        at = text.text[start:end] if has_offsets else ""
        words = plain(region.words)
        in_units = text.utf16[2 * start : 2 * end].decode("utf-16-le", "replace") if has_offsets else ""
        is_at = bool(words) and words in (plain(at), plain(in_units))
        self.n += 1
        self.n_at += is_at
        self.n_in += is_at or (bool(words) and squeezed(words) in text.squeezed)
        self.n_off += bool(fault and fault != IN_HTML) or (has_offsets and end > len(text.text))
        self.n_edges += has_offsets and bool(at) and _at_edges(text.text, start, end)

    @property
    def may_be(self) -> bool:
        """Whether regions without words may lie on the text."""
        return self.n_off <= MAX_OFF * self.n


@dataclass
class Survey:
    """What the tasks of a file show.

    by_key: whether regions name a tag that may be called as a key of the data is.
    fits: of each name of regions, by text. n_words: its regions with words. sources: the keys that its regions name.
    kinds: of its regions. texts: by name, whether one of them is not blank. values: of each, a hash over all tasks.
    no_address: those that are not addresses everywhere. n_annotated: tasks with an accepted annotation.
    """

    by_key: bool
    fits: dict[str, dict[str, Fit]] = field(default_factory=lambda: defaultdict(lambda: defaultdict(Fit)))
    n_regions: Counter[str] = field(default_factory=Counter)
    n_words: Counter[str] = field(default_factory=Counter)
    sources: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    kinds: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    texts: dict[str, bool] = field(default_factory=dict)
    values: dict[str, int] = field(default_factory=dict)
    no_address: set[str] = field(default_factory=set)
    n_tasks: int = 0
    n_annotated: int = 0

    def add(self, data: Mapping[str, Any], regions: Sequence[Region], *, annotated: bool) -> None:
        """Look at a task. regions: of all its annotations. annotated: whether somebody accepted one."""
        self.n_tasks += 1
        self.n_annotated += annotated
        texts = texts_of(data)
        for key, text in texts.items():
            self.texts[key] = self.texts.get(key, False) or bool(text.text.strip())
            self.values[key] = hash((self.values.get(key), self.n_tasks, text.text))
            if not ADDRESS.fullmatch(text.text):
                self.no_address.add(key)
        by_name: dict[str, list[Region]] = defaultdict(list)
        for region in regions:
            by_name[region.name].append(region)
        for name, named in by_name.items():
            self.n_regions[name] += len(named)
            self.n_words[name] += sum(region.words is not None for region in named)
            self.kinds[name] |= {region.kind for region in named}
            self.sources[name] |= {region.source for region in named} - {""}
            for key, text in texts.items():
                self._fit(name, key, text, named)

    def candidates(self) -> list[str]:
        """The names of what may be texts, in the order of the data; empty ones only where there are no others."""
        return [key for key, is_filled in self.texts.items() if is_filled] or list(self.texts)

    def may_be(self, name: str, candidates: Sequence[str]) -> list[str]:
        """The texts on which the regions of that name may lie: one where it is certain; none where they fit nowhere."""
        if len(candidates) == 1:
            return self._only(name, candidates[0])
        if self.n_words[name]:
            fitting = self._by_words(name, candidates)
            if not fitting and self._is_address(name, candidates):
                return [name]
            return fitting if len(fitting) == 1 else self._alike(name, fitting)
        fits = self.fits[name]
        possible = [key for key in candidates if fits[key].n == self.n_regions[name] and fits[key].may_be]
        if not possible and self._is_address(name, candidates):
            return [name]
        found = possible if len(possible) == 1 else self._alike(name, possible)
        return found if self.by_key and name in found else self._by_edges(name, found)

    def _fit(self, name: str, key: str, text: Text, regions: Sequence[Region]) -> None:
        in_html = [region for region in regions if region.kind == "html"]
        if in_html:
            shown = Text(text.shown(in_html)) if text.starts is None and "<" in text.text else text
        for region in regions:
            self.fits[name][key].add(region, shown if region.kind == "html" else text)

    def _only(self, name: str, key: str) -> list[str]:
        """The only text, unless none of the regions' words stands in it."""
        is_another = self.n_words[name] and not self.fits[name][key].n_in
        return [] if is_another and key in self.no_address else [key]

    def _by_words(self, name: str, candidates: Sequence[str]) -> list[str]:
        """The texts that the words of the regions fit best: none has more of them, at their offsets or anywhere."""
        fits = self.fits[name]
        n_at, n_in = (max(getattr(fits[key], count) for key in candidates) for count in ("n_at", "n_in"))
        if n_in <= CONVINCING * self.n_words[name]:
            is_named = self.by_key and not n_in and name in candidates and fits[name].may_be
            return [name] if is_named else []
        best = [key for key in candidates if fits[key].n_at == n_at and fits[key].n_in == n_in]
        return best or [key for key in candidates if fits[key].n_at == n_at or fits[key].n_in == n_in]

    def _alike(self, name: str, found: Sequence[str]) -> list[str]:
        """One text of several: where all of them are the same everywhere, or where the tag has the name of one."""
        if len({self.values[key] for key in found}) == 1:
            return [name if name in found else found[0]]
        if self.by_key and name in found and not self._is_contradicted(name, found):
            return [name]
        return list(found)

    def _by_edges(self, name: str, found: Sequence[str]) -> list[str]:
        fits = self.fits[name]
        sure = [key for key in found if fits[key].n >= MIN_EDGES and fits[key].n_edges >= AT_EDGES * fits[key].n]
        others = [key for key in found if fits[key].n_edges > NOT_AT_EDGES * fits[key].n]
        return sure if len(sure) == 1 and others == sure else list(found)

    def _is_contradicted(self, name: str, found: Sequence[str]) -> bool:
        """Whether the edges of words say that the regions lie on another text than the one that the tag is named as."""
        fit, others = self.fits[name][name], [self.fits[name][key] for key in found if key != name]
        better = any(other.n_edges >= AT_EDGES * other.n for other in others)
        return fit.n >= MIN_EDGES and better and fit.n_edges <= NOT_AT_EDGES * fit.n

    def _is_address(self, name: str, candidates: Sequence[str]) -> bool:
        """Whether the tag is named as a key that holds addresses: the text is in files, as is told of each region."""
        return self.by_key and name in candidates and name not in self.no_address


@dataclass(frozen=True)
class Chosen:
    """Which texts are read.

    of_name: that of each name of regions; None where the user wants another one. names: of the texts, in order.
    html: those that regions point into as HTML. plain: those that they point into as plain text.
    """

    of_name: Mapping[str, str | None]
    names: tuple[str, ...]
    html: frozenset[str] = frozenset()
    plain: frozenset[str] = frozenset()


def choose(survey: Survey, config: LabellingConfig, wanted: str, file: str) -> Chosen:
    """Decide which texts a file's regions lie on.

    wanted: what the user says, keys (`body`, or `title,body`), or the key of each name (`t1=title,t2=body`).
    Raises DomainNerError where nothing tells it.
    """
    candidates = survey.candidates()
    if not candidates:
        return Chosen({}, ())
    keys, said = _wanted(wanted, candidates)
    found: dict[str, str | None] = {}
    open_names: dict[str, list[str]] = {}
    for name in survey.n_regions:
        possible = [said[name]] if name in said else _told(survey, config, name, candidates)
        if len(possible) == 1:
            found[name] = possible[0] if not keys or name in said or possible[0] in keys else None
        else:
            open_names[name] = possible
    for name in open_names if len(open_names) == 1 and len(keys) == 1 else ():
        found[name] = keys[0]
        open_names = {}
    if open_names:
        raise _unknown(file, open_names, candidates, survey)
    names = {key for key in found.values() if key is not None}
    names |= set(keys) | (set(config.labelled) & set(candidates) if not keys else set())
    if not names:
        names = {_without_regions(survey, candidates, file)}
    html = {key for name, key in found.items() if key and "html" in survey.kinds[name]} | config.html
    plain_ = {key for name, key in found.items() if key and "text" in survey.kinds[name]} - html
    return Chosen(found, tuple(key for key in survey.texts if key in names), frozenset(html), frozenset(plain_))


def _told(survey: Survey, config: LabellingConfig, name: str, candidates: Sequence[str]) -> list[str]:
    """The texts on which regions of a name may lie, by what the export or the config says of it, else by what fits."""
    fitting = survey.may_be(name, candidates)
    for said in (*sorted(survey.sources[name]), config.shows.get(name, "")):
        # A config may be that of another project.
        is_denied = len(fitting) == 1 and said != fitting[0] and (
            survey.n_words[name] or not survey.fits[name][said].may_be
        )  # fmt: skip
        if said in candidates and not is_denied:
            return [said]
    return fitting


def _wanted(wanted: str, candidates: Sequence[str]) -> tuple[list[str], dict[str, str]]:
    """(keys, the key of each name) of what the user says that are texts of this file; vars.reading is of all files."""
    keys: list[str] = []
    said: dict[str, str] = {}
    for part in filter(None, (part.strip() for part in wanted.split(","))):
        name, equals, key = part.rpartition("=")
        key = next((one for one in (key, f"{key}.{SAID}") if one in candidates), "")
        if key and equals:
            said[name] = key
        elif key:
            keys.append(key)
    return keys, said


def _without_regions(survey: Survey, candidates: Sequence[str], file: str) -> str:
    """The text of a file without regions."""
    if len(candidates) > 1 and survey.n_annotated:
        raise DomainNerError(
            f"{file}: cannot tell which text was annotated, for no region is there to show it:"
            f" {' or '.join(candidates)}.",
            FIX.format(example=f"field={candidates[0]}"),
        )
    return SAID if SAID in candidates else candidates[0]


FIX = (
    "Name it in vars.reading ({example}), or put the project's labelling config, as Label Studio shows it under"
    " Settings, Labeling Interface, Code, beside the export as config.xml."
)


def _unknown(
    file: str, names: Mapping[str, Sequence[str]], candidates: Sequence[str], survey: Survey
) -> DomainNerError:
    told = [
        f"{survey.n_regions[name]} regions of {name!r} may lie on {' or '.join(possible)}"
        if possible
        else f"the words of the {survey.n_regions[name]} regions of {name!r} stand in none of {', '.join(candidates)}"
        for name, possible in names.items()
    ]
    first = {name: (possible or candidates)[0] for name, possible in names.items()}
    one, *others = first.items()
    example = ",".join(f"{name}={key}" for name, key in first.items()) if others else one[1]
    return DomainNerError(
        f"{file}: cannot tell which text was annotated: {'; '.join(told)}.", FIX.format(example=f"field={example}")
    )


def _is_offset(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def _at_edges(text: str, start: int, end: int) -> bool:
    """Whether a span neither starts nor ends inside a word."""
    return not any(EDGE.fullmatch(text[at - 1 : at + 1]) for at in (start, end))


EDGE = re.compile(r"\w\w")


def survey_of(tasks: Iterable[tuple[Mapping[str, Any], Sequence[Region], bool]], *, by_key: bool) -> Survey:
    """A survey of tasks: (data, regions of all annotations, whether somebody accepted one)."""
    survey = Survey(by_key)
    for data, regions, annotated in tasks:
        survey.add(data, regions, annotated=annotated)
    return survey
