"""Writes the first draft of a guide from annotations: their labels, rules that fit them, and inconsistencies."""

import json
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import combinations, cycle

from domain_ner.annotations.label_names import as_setting
from domain_ner.annotations.passages import LabelledSpan, Passage
from domain_ner.errors import raise_for
from domain_ner.guide.inconsistencies import skipped_names, surface_labels
from domain_ner.guide.markup import MarkupError, parse_markup, to_markup
from domain_ner.guide.rules import BRACKETS, QUOTES, TOKEN, check_span, starts_with_article
from domain_ner.guide.schema import PLACEHOLDER, UNDECIDED, Rules

MAX_EXAMPLES = 8
MAX_EDGE_CASES = 8
SENTENCE_CHARS = (25, 220)
SENTENCE_END = re.compile(r"(?<=[.!?])\s+|\n+")
COLOURS = ("#a6cee3", "#b2df8a", "#fdbf6f", "#fb9a99", "#cab2d6", "#ffff99", "#8dd3c7", "#fccde5", "#d9d9d9", "#bebada")
PLAIN, YAML_WORDS = re.compile(r"[^\W\d_][\w-]*"), {"y", "n", "yes", "no", "on", "off", "true", "false", "null"}

Sentence = tuple[str, tuple[LabelledSpan, ...]]
SurfaceLabels = Mapping[str, Counter[str]]


def require_plain_labels(passages: Iterable[Passage]) -> None:
    """Raise DomainNerError for labels that no guide can have: with white space around them, or of several lines."""
    labels = {span.label for passage in passages for span in passage.spans}
    hard = [label for label in sorted(labels) if label != label.strip() or len(label.splitlines()) > 1]
    raise_for(
        [repr(label) for label in hard],
        summary="{n} labels begin or end with white space, or are of several lines:",
        fix=f"Name them otherwise in project.yml: {as_setting({label: ' '.join(label.split()) for label in hard})}.",
    )


def guide_skeleton(passages: Sequence[Passage], *, title: str) -> str:
    """Write a guide in YAML with an entry for each label of the annotations, to be completed by hand.

    Examples are sentences of the corpus, one for each surface, frequent surfaces first. Edge cases are inconsistencies
    that the annotators should decide. The rules are as strict as the annotations allow.
    """
    labels = surface_labels(passages)
    all_labels = sorted({label for counts in labels.values() for label in counts})
    sentences = list(_sentences(passages))
    cases = _edge_cases(passages, sentences)
    lines = [
        f"title: {_quoted(title)}",
        "",
        "# Complete each definition, and decide each edge case: mark it correctly, and give the reason.",
        "types:",
    ]
    for label, colour in zip(all_labels, cycle(COLOURS), strict=False):
        lines += [
            f"  - label: {_label(label)}",
            f'    colour: "{colour}"',
            f"    definition: {_quoted(f'{PLACEHOLDER} {label}, and what is not.')}",
            *_listed("examples", [f"      - {_quoted(marked)}" for marked in _examples(label, sentences, labels)]),
            *(["    edge_cases:"] if cases[label] else []),
        ]
        for marked, why in cases[label][:MAX_EDGE_CASES]:
            lines += [f"      - text: {_quoted(marked)}", f"        why: {_quoted(why)}"]
        lines += ["    rules:", *(f"      {name}: {value}" for name, value in _rules(label, labels))]
    return "\n".join(lines) + "\n\n# Surfaces that are never annotated, and the reason.\nnot_entities: []\n"


def _listed(key: str, entries: list[str]) -> list[str]:
    return [f"    {key}:", *entries] if entries else [f"    {key}: []"]


def _label(label: str) -> str:
    """Write a label in YAML, without quotes if YAML reads it as a plain string."""
    return (
        label if PLAIN.fullmatch(label) and label.lower() not in YAML_WORDS else json.dumps(label, ensure_ascii=False)
    )


def _quoted(text: str) -> str:
    return json.dumps(" ".join(text.split()), ensure_ascii=False)


def _sentences(passages: Sequence[Passage]) -> Iterator[Sentence]:
    """Yield the sentences of the corpus that a guide can show, with their spans."""
    for passage in passages:
        start = 0
        for end in [*(match.start() for match in SENTENCE_END.finditer(passage.text)), len(passage.text)]:
            sentence = _cut(passage.text, passage.spans, start, end)
            start = end
            if sentence and SENTENCE_CHARS[0] <= len(sentence[0]) <= SENTENCE_CHARS[1] and _can_be_shown(sentence):
                yield sentence


def _cut(text: str, spans: Sequence[LabelledSpan], start: int, end: int) -> Sentence | None:
    """Cut out a part of a text with its spans; None if a span crosses its edge."""
    start += len(text[start:end]) - len(text[start:end].lstrip())
    inside = [span for span in spans if span.start < end and start < span.end]
    if any(span.start < start or end < span.end for span in inside):
        return None
    return text[start:end], tuple(LabelledSpan(span.start - start, span.end - start, span.label) for span in inside)


def _can_be_shown(sentence: Sentence) -> bool:
    """Whether a sentence satisfies the rules for all types (no quotes at an edge, for example), and survives markup.

    Its own brackets would break the markup.
    """
    text, spans = sentence
    if " ".join(text.split()) != text:
        return False
    if any(fault for span in spans for fault in check_span(text, span, Rules(quotes=True, articles=True))):
        return False
    try:
        return parse_markup(to_markup(text, spans), {span.label for span in spans}) == (text, spans)
    except MarkupError:
        return False


def _examples(label: str, sentences: Sequence[Sentence], labels: SurfaceLabels) -> list[str]:
    """Choose sentences that show a type, each with a new surface, the most frequent surfaces first."""
    by_surface: dict[str, Sentence] = {}
    for text, spans in sentences:
        for span in spans:
            surface = text[span.start : span.end]
            if span.label == label and len(labels[surface]) == 1:
                by_surface.setdefault(surface, (text, spans))
    chosen: dict[str, None] = {}
    for surface in sorted(by_surface, key=lambda surface: -labels[surface][label]):
        chosen.setdefault(to_markup(*by_surface[surface]))
        if len(chosen) == MAX_EXAMPLES:
            break
    return list(chosen)


def _edge_cases(passages: Sequence[Passage], sentences: Sequence[Sentence]) -> dict[str, list[tuple[str, str]]]:
    """Map each label to the sentences that the annotators should decide, with the question."""
    cases: dict[str, list[tuple[str, str]]] = defaultdict(list)
    labels = surface_labels(passages)
    for text, spans in sentences:
        for span in spans:
            surface, counts = text[span.start : span.end], labels[text[span.start : span.end]]
            if len(counts) > 1:
                counted = ", ".join(f"{label} ({n})" for label, n in counts.most_common())
                cases[span.label].append((to_markup(text, spans), f"{UNDECIDED} {surface!r} is annotated as {counted}"))
    for passage, span, n_annotated in skipped_names(passages):
        whole = _sentence_around(passage, span)
        if whole:
            surface = passage.text[span.start : span.end]
            why = f"{UNDECIDED} {surface!r} is not annotated here, but {n_annotated} times elsewhere"
            cases[span.label].append((to_markup(*whole), why))
    return cases


def _sentence_around(passage: Passage, span: LabelledSpan) -> Sentence | None:
    start = max((match.end() for match in SENTENCE_END.finditer(passage.text, 0, span.start)), default=0)
    after = SENTENCE_END.search(passage.text, span.end)
    sentence = _cut(passage.text, passage.spans, start, after.start() if after else len(passage.text))
    return sentence if sentence and len(sentence[0]) <= SENTENCE_CHARS[1] and _can_be_shown(sentence) else None


def _rules(label: str, labels: SurfaceLabels) -> Iterator[tuple[str, str]]:
    """Derive the strictest rules that all annotations satisfy; types with a common surface may share it."""
    surfaces = [surface for surface, counts in labels.items() if label in counts]
    yield "max_tokens", str(max(len(TOKEN.findall(surface)) for surface in surfaces))
    yield "digits", _yes(any(any(char.isdigit() for char in surface) for surface in surfaces))
    yield "quotes", _yes(any(set(QUOTES) & set(surface) for surface in surfaces))
    yield "brackets", _yes(any(BRACKETS.search(surface) for surface in surfaces))
    yield "articles", _yes(any(starts_with_article(surface) for surface in surfaces))
    pairs = {pair for counts in labels.values() for pair in combinations(sorted(counts), 2)}
    sharing = sorted({other for pair in pairs if label in pair for other in pair if other != label})
    if sharing:
        yield "may_share_surface_with", f"[{', '.join(map(_label, sharing))}]"


def _yes(value: object) -> str:
    return "true" if value else "false"
