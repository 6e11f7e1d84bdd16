"""The findings of the checks: a fault, its place, and the section of the guide that it violates."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from domain_ner.annotations.passages import LabelledSpan

ERROR, WARNING, NOTE = "error", "warning", "note"
SEVERITIES = (ERROR, WARNING, NOTE)
EXCERPT = 60

KINDS = {
    # the guide
    "markup": (ERROR, "markup of the guide that does not parse"),
    "unknown type in the guide": (ERROR, "a type that the guide does not define"),
    "example breaks a rule": (ERROR, "an example that breaks the rules of its own guide"),
    "examples contradict": (ERROR, "one surface under two types in the examples"),
    "example is no entity": (ERROR, "an example that the guide lists as no entity"),
    "example without its type": (ERROR, "an example that does not show its own type"),
    "few examples": (WARNING, "fewer examples than annotators need"),
    "few edge cases": (WARNING, "fewer edge cases than annotators need"),
    "placeholder in the guide": (ERROR, "a definition that init-guide left to be written"),
    "undecided in the guide": (WARNING, "an edge case that init-guide left to be decided"),
    # the annotations
    "unreadable": (ERROR, "a row that cannot be read"),
    "conflicting": (ERROR, "one text annotated in two ways, without a trusted annotator"),
    "unknown label": (ERROR, "a label that the guide does not define"),
    "white space": (WARNING, "white space at the edge of a span"),
    "quotes": (WARNING, "quotes at the edge of a span or in it"),
    "punctuation": (WARNING, "punctuation at the edge of a span"),
    "possessive": (WARNING, "a possessive 's in a span"),
    "article": (WARNING, "an article at the start of a span"),
    "rule": (WARNING, "a span that breaks a rule of its type"),
    "not an entity": (WARNING, "a surface that the guide lists as no entity"),
    "nested": (WARNING, "a span inside another"),
    "several labels": (WARNING, "one surface under several types"),
    "skipped": (WARNING, "a name that is annotated elsewhere and not here"),
    "duplicate": (WARNING, "a passage that occurs twice"),
    "near-duplicate": (WARNING, "a passage that is nearly the same as another"),
    "too few mentions": (WARNING, "a type with too few mentions to be usable"),
    "one surface dominates": (WARNING, "a type with largely one and the same name"),
    "more mentions wanted": (NOTE, "a type with fewer mentions than a good recogniser needs"),
    "passages without entities": (NOTE, "passages without any entity"),
    "disagreement": (NOTE, "two annotators who disagree"),
}


# How to resolve findings of a kind, if their messages do not say it.
REMEDIES = {
    "unknown label": "add it to `types` in the guide, give it its name in project.yml (labels: 'old=new'; 'old=' leaves"
    " it out), or rename it in the annotation tool and export again",
}


@dataclass(frozen=True)
class Finding:
    """A fault.

    kind: a key of KINDS. message: what came and what was expected.
    label: the section of the guide (a type, or "" for none). source: `file:line`.
    text: the passage around the fault, the span between « and ». surface: the span alone.
    """

    kind: str
    message: str
    label: str = ""
    source: str = ""
    text: str = ""
    surface: str = ""

    @property
    def severity(self) -> str:
        """`error`, `warning` or `note`."""
        return KINDS[self.kind][0]


def excerpt(text: str, span: LabelledSpan) -> str:
    """Show the span between « and », with the text around it, on one line."""
    before = text[max(0, span.start - EXCERPT) : span.start]
    after = text[span.end : span.end + EXCERPT]
    marked = f"{'…' * (span.start > EXCERPT)}{before}«{text[span.start : span.end]}»{after}"
    return " ".join(f"{marked}{'…' * (len(text) > span.end + EXCERPT)}".split())


def fold_findings(findings: Iterable[Finding]) -> list[list[Finding]]:
    """Group findings of one kind and one section of the guide, in the order of the first of each."""
    groups: dict[tuple[str, str], list[Finding]] = {}
    for finding in findings:
        groups.setdefault((finding.kind, finding.label), []).append(finding)
    return list(groups.values())


def count_by_severity(findings: Iterable[Finding]) -> dict[str, int]:
    """Count the findings of each severity, zeros included."""
    severities = Counter(finding.severity for finding in findings)
    return {severity: severities[severity] for severity in SEVERITIES}
