"""Determines which of a task's texts the regions lie on, from the labelling config or from the whole file.

A region names the tag that shows its text (JSON_MIN, CSV and TSV: the labelling tag only), not the key of `data` that
the tag shows. A tag may have the name of a key but show another, so the name alone proves nothing.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from domain_ner.errors import DomainNerError
from domain_ner.readers.label_studio.regions import IN_HTML, Region, offsets_of
from domain_ner.readers.label_studio.texts import SAID, LabellingConfig, Text, texts_of
from domain_ner.readers.text_choice.evidence import Evidence
from domain_ner.readers.text_choice.fit import Offsets, as_offsets


@dataclass
class Survey:
    """Statistics of the tasks of a file.

    sources: keys that old exports give, by name of the regions. kinds: of the regions. n_annotated: tasks with an
    accepted annotation.
    """

    evidence: Evidence
    sources: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    kinds: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    n_annotated: int = 0

    def add(self, data: Mapping[str, Any], regions: Sequence[Region], *, annotated: bool) -> None:
        """Add a task. regions: of all its annotations. annotated: whether somebody accepted one."""
        self.n_annotated += annotated
        texts = texts_of(data)
        self.evidence.see(texts)
        dialogues = {key: text.starts for key, text in texts.items() if text.starts is not None}
        in_html = [region for region in regions if region.kind == "html"]
        pages = {key: _page(text, in_html) for key, text in texts.items()} if in_html else {}
        for region in regions:
            kind = region.kind
            self.kinds[region.name].add(kind)
            self.sources[region.name] |= {region.source} - {""}
            start, end, fault = offsets_of(region, None)
            at = as_offsets(start, end, is_off=fault not in ("", IN_HTML))
            self.evidence.add(
                region.name, region.words, pages if kind == "html" else texts, at, _own(region, dialogues)
            )


def _own(region: Region, dialogues: Mapping[str, Sequence[int]]) -> Mapping[str, Offsets]:
    """Return the offsets of a region in dialogues, which depend on the starts of their paragraphs."""
    placed = {key: offsets_of(region, starts) for key, starts in dialogues.items()}
    return {key: as_offsets(start, end, is_off=bool(fault)) for key, (start, end, fault) in placed.items()}


def _page(text: Text, regions: Sequence[Region]) -> Text:
    return Text(text.displayed_text(regions)) if text.starts is None and "<" in text.text else text


@dataclass(frozen=True)
class ChosenTexts:
    """Which texts to read.

    of_name: the text for each name of regions; None if the user wants another one. names: of the texts, in order.
    html: texts that regions point into as HTML. plain: texts that they point into as plain text.
    """

    of_name: Mapping[str, str | None]
    names: tuple[str, ...]
    html: frozenset[str] = frozenset()
    plain: frozenset[str] = frozenset()


def choose(survey: Survey, config: LabellingConfig, wanted: str, file: str) -> ChosenTexts:
    """Decide which texts a file's regions lie on.

    wanted: the user's choice: keys (`body`, or `title,body`), or the key for each name (`t1=title,t2=body`).
    Raises DomainNerError if nothing determines it.
    """
    candidates = survey.evidence.candidates()
    if not candidates:
        return ChosenTexts({}, ())
    keys, said = _wanted(wanted, candidates)
    text_of: dict[str, str | None] = {}
    open_names: dict[str, list[str]] = {}
    for name in survey.evidence.n_spans:
        possible = [said[name]] if name in said else _possible_texts(survey, config, name, candidates)
        if keys and name not in said and possible and not set(possible) & set(keys):
            text_of[name] = None
        elif len(possible) == 1:
            text_of[name] = possible[0]
        else:
            open_names[name] = possible
    for name in open_names if len(open_names) == 1 and len(keys) == 1 else ():
        text_of[name] = keys[0]
        open_names = {}
    if open_names:
        raise _unknown(file, open_names, candidates, survey)
    names = {key for key in text_of.values() if key is not None}
    names |= set(keys) | (set(config.labelled) & set(candidates) if not keys else set())
    if not names:
        names = {_without_regions(survey, candidates, file)}
    html = {key for name, key in text_of.items() if key and "html" in survey.kinds[name]} | config.html
    plain_ = {key for name, key in text_of.items() if key and "text" in survey.kinds[name]} - html
    return ChosenTexts(
        text_of, tuple(key for key in survey.evidence.texts if key in names), frozenset(html), frozenset(plain_)
    )


def _possible_texts(survey: Survey, config: LabellingConfig, name: str, candidates: Sequence[str]) -> list[str]:
    """List the possible texts for regions of a name: from the export or the config, else those that fit."""
    evidence = survey.evidence
    fitting = evidence.may_be(name, candidates)
    said = [key for key in sorted(survey.sources[name]) if key in candidates]
    said = said or [key for key in (config.shows.get(name, ""),) if key in candidates]
    if len(said) > 1:
        return fitting if evidence.n_words[name] and len(fitting) == 1 else said
    if not said or said == fitting:
        return fitting
    if not fitting or said[0] in fitting:
        return said
    # The config may belong to another project.
    is_denied = evidence.n_words[name] or not evidence.fits[name][said[0]].may_be
    return fitting if is_denied else [*said, *fitting]


def _wanted(wanted: str, candidates: Sequence[str]) -> tuple[list[str], dict[str, str]]:
    """Return (keys, the key for each name) of the user's choice that are texts of this file, not of others."""
    keys: list[str] = []
    said: dict[str, str] = {}
    for part in filter(None, (part.strip() for part in wanted.split(","))):
        name, equals, key = part.rpartition("=")
        key = next((candidate for candidate in (key, f"{key}.{SAID}") if candidate in candidates), "")
        if key and equals:
            said[name] = key
        elif key:
            keys.append(key)
    return keys, said


def _without_regions(survey: Survey, candidates: Sequence[str], file: str) -> str:
    """Choose the text of a file without regions."""
    if len(candidates) > 1 and survey.n_annotated:
        raise DomainNerError(
            f"{file}: cannot determine which text was annotated, because there is no region:"
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
    reasons = [_where(survey.evidence, name, possible, candidates) for name, possible in names.items()]
    first = {name: (possible or candidates)[0] for name, possible in names.items()}
    example_pair, *others = first.items()
    example = ",".join(f"{name}={key}" for name, key in first.items()) if others else example_pair[1]
    return DomainNerError(
        f"{file}: cannot determine which text was annotated: {'; '.join(reasons)}.",
        FIX.format(example=f"field={example}"),
    )


def _where(evidence: Evidence, name: str, possible: Sequence[str], candidates: Sequence[str]) -> str:
    regions = f"{evidence.n_spans[name]} regions of {name!r}"
    if possible:
        return f"{regions} may lie on {' or '.join(possible)}"
    if evidence.n_words[name]:
        return f"the words of the {regions} occur in none of {', '.join(candidates)}"
    return f"the {regions} fit into none of {', '.join(candidates)}"


def survey_of(tasks: Iterable[tuple[Mapping[str, Any], Sequence[Region], bool]], *, by_key: bool) -> Survey:
    """Survey tasks: (data, regions of all annotations, whether somebody accepted one)."""
    survey = Survey(Evidence(by_key))
    for data, regions, annotated in tasks:
        survey.add(data, regions, annotated=annotated)
    return survey
