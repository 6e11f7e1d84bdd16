"""Checks the guide itself: counts, markup, compliance with its own rules, and contradictions between its sentences."""

from collections import defaultdict
from collections.abc import Iterator, Mapping

from domain_ner.annotations.passages import LabelledSpan
from domain_ner.guide.findings import Finding, excerpt
from domain_ner.guide.markup import MarkupError, parse_markup
from domain_ner.guide.rules import check_span
from domain_ner.guide.schema import PLACEHOLDER, UNDECIDED, Guide

MIN_EXAMPLES = 5
MIN_EDGE_CASES = 5

Place = tuple[str | int, ...]
Sentence = tuple[str, str, str, tuple[LabelledSpan, ...]]
"""Label of the section, `file:line`, text, spans."""


def check_guide(guide: Guide, lines: Mapping[Place, int], *, name: str) -> list[Finding]:
    """Find all faults of a guide.

    lines: the line of each place in its file. name: of the file, for the findings.
    """
    findings: list[Finding] = []
    sentences = list(_sentences(guide, lines, name, findings))
    findings += _placeholders(guide, lines, name)
    findings += _counts(guide, lines, name)
    for sentence in sentences:
        findings += _against_rules(guide, sentence)
    findings += _contradictions(guide, sentences)
    return findings


def _sentences(guide: Guide, lines: Mapping[Place, int], name: str, findings: list[Finding]) -> Iterator[Sentence]:
    for n_type, entity_type in enumerate(guide.types):
        marked_sentences = [("examples", n, text) for n, text in enumerate(entity_type.examples)]
        marked_sentences += [("edge_cases", n, case.text) for n, case in enumerate(entity_type.edge_cases)]
        for key, n, marked in marked_sentences:
            source = f"{name}:{lines.get(('types', n_type, key, n), 1)}"
            try:
                text, spans = parse_markup(marked, guide.labels)
            except MarkupError as err:
                findings.append(Finding("markup", str(err), entity_type.label, source, marked))
                continue
            if key == "examples" and entity_type.label not in {span.label for span in spans}:
                message = f"expected at least one [surface]({entity_type.label})"
                findings.append(Finding("example without its type", message, entity_type.label, source, text))
            yield entity_type.label, source, text, spans


def _placeholders(guide: Guide, lines: Mapping[Place, int], name: str) -> Iterator[Finding]:
    for n_type, entity_type in enumerate(guide.types):
        label = entity_type.label
        if entity_type.definition.startswith(PLACEHOLDER):
            source = f"{name}:{lines.get(('types', n_type, 'definition'), 1)}"
            message = "the definition is init-guide's placeholder; expected what to annotate, and what not"
            yield Finding("placeholder in the guide", message, label, source, entity_type.definition)
        for n_case, case in enumerate(entity_type.edge_cases):
            if case.why.startswith(UNDECIDED):
                source = f"{name}:{lines.get(('types', n_type, 'edge_cases', n_case), 1)}"
                message = f"{case.why}; expected the correctly marked sentence, and the reason"
                yield Finding("undecided in the guide", message, label, source, case.text)


def _counts(guide: Guide, lines: Mapping[Place, int], name: str) -> Iterator[Finding]:
    for n_type, entity_type in enumerate(guide.types):
        source = f"{name}:{lines.get(('types', n_type), 1)}"
        n_examples, n_cases = len(entity_type.examples), len(entity_type.edge_cases)
        if n_examples < MIN_EXAMPLES:
            message = f"{entity_type.label} has {n_examples} examples; expected at least {MIN_EXAMPLES}"
            yield Finding("few examples", message, entity_type.label, source)
        if n_cases < MIN_EDGE_CASES:
            message = f"{entity_type.label} has {n_cases} edge cases; expected at least {MIN_EDGE_CASES}"
            yield Finding("few edge cases", message, entity_type.label, source)


def _against_rules(guide: Guide, sentence: Sentence) -> Iterator[Finding]:
    section, source, text, spans = sentence
    no_entities = {surface.lower() for entry in guide.not_entities for surface in entry.surfaces}
    for span in spans:
        surface, context = text[span.start : span.end], excerpt(text, span)
        if span.label not in guide.labels:
            message = f"{span.label!r} on {surface!r}; expected one of {', '.join(guide.labels)}"
            yield Finding("unknown type in the guide", message, section, source, context)
            continue
        for _, fault in check_span(text, span, guide.type_of(span.label).rules):
            yield Finding("example breaks a rule", f"{span.label}: {fault}", section, source, context)
        if surface.lower() in no_entities:
            message = f"{surface!r} is marked {span.label} here and listed under not_entities"
            yield Finding("example is no entity", message, section, source, context)


def _contradictions(guide: Guide, sentences: list[Sentence]) -> Iterator[Finding]:
    seen: dict[str, dict[str, str]] = defaultdict(dict)
    for section, source, text, spans in sentences:
        for span in spans:
            surface = text[span.start : span.end]
            for label, elsewhere in seen[surface].items():
                if label != span.label and not may_share(guide, label, span.label):
                    message = f"{surface!r} is {span.label} here and {label} in {elsewhere}"
                    wanted = "expected one type, or may_share_surface_with"
                    context = excerpt(text, span)
                    yield Finding("examples contradict", f"{message}; {wanted}", section, source, context)
            seen[surface].setdefault(span.label, source)


def may_share(guide: Guide, first: str, second: str) -> bool:
    """Whether the guide allows two types to have the same surfaces; either of them may say so."""
    if first not in guide.labels or second not in guide.labels:
        return False
    shared = guide.type_of(first).rules.may_share_surface_with, guide.type_of(second).rules.may_share_surface_with
    return second in shared[0] or first in shared[1]
