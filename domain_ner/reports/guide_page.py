"""Renders the annotation guide as one self-contained HTML page, with the findings of `validate` for each section."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import date
from html import escape
from typing import Any

from markupsafe import Markup

from domain_ner.guide.findings import KINDS, SEVERITIES, Finding, count_by_severity
from domain_ner.guide.markup import MarkupError, parse_markup
from domain_ner.guide.schema import EntityType, Guide
from domain_ner.guide.validate import Validation
from domain_ner.metrics.scores import ALL_TYPES
from domain_ner.reports.highlights import readable, short
from domain_ner.reports.numbers import FIRST_SHOWN
from domain_ner.reports.pages import render

MAX_SHOWN = 50


@dataclass(frozen=True)
class _Group:
    """Findings of one kind in one section; `n_more`: further ones that are not shown."""

    kind: str
    severity: str
    title: str
    findings: Sequence[Finding]
    n_more: int


def to_json(validation: Validation) -> dict[str, Any]:
    """Convert the validation to the shape of `training/reports/guide.json`."""
    return {
        "n_passages": validation.n_passages,
        "n_by_severity": count_by_severity(validation.findings),
        "n_deliberate": validation.n_deliberate,
        "findings": [asdict(finding) | {"severity": finding.severity} for finding in validation.findings],
        "statistics": {label: asdict(of_type) for label, of_type in validation.statistics.items()},
        "agreement": [
            {
                "annotators": list(pair.annotators),
                "n_texts": pair.n_texts,
                "span_f1": {label: score.f1 for label, score in pair.f1.items()} | {ALL_TYPES: pair.micro.f1},
                "kappa": pair.kappa,
            }
            for pair in validation.agreement
        ],
    }


def guide_page(guide: Guide, validation: Validation) -> str:
    """Render the page as self-contained HTML."""
    return render(
        "guide.html.j2",
        guide=guide,
        validation=validation,
        counts=count_by_severity(validation.findings),
        sections=_by_section(guide, validation.findings),
        highlight=lambda marked: _highlight(marked, guide.colours),
        rules=_changed_rules,
        short=short,
        readable=readable,
        first_shown=FIRST_SHOWN,
        today=date.today().isoformat(),
    )


def _by_section(guide: Guide, findings: Sequence[Finding]) -> dict[str, list[_Group]]:
    """Map each section of the guide ("" for none) to its findings, grouped by kind."""
    grouped: dict[str, dict[str, list[Finding]]] = defaultdict(lambda: defaultdict(list))
    for finding in findings:
        section = finding.label if finding.label in guide.labels else ""
        grouped[section][finding.kind].append(finding)
    return {
        section: [
            _Group(kind, KINDS[kind][0], KINDS[kind][1], of_kind[:MAX_SHOWN], max(0, len(of_kind) - MAX_SHOWN))
            for kind, of_kind in sorted(kinds.items(), key=lambda entry: SEVERITIES.index(KINDS[entry[0]][0]))
        ]
        for section, kinds in grouped.items()
    }


def _highlight(marked: str, colours: dict[str, str]) -> Markup:
    """Render a marked sentence with coloured and labelled entities."""
    try:
        text, spans = parse_markup(marked, colours)
    except MarkupError:
        return Markup(escape(marked))
    html, end = "", 0
    for span in spans:
        colour, surface = colours.get(span.label, "#dddddd"), escape(text[span.start : span.end])
        label = f'<span title="{escape(span.label)}">{escape(short(span.label))}</span>'
        mark = f'<mark style="{readable(colour)}">{surface}{label}</mark>'
        html, end = html + escape(text[end : span.start]) + mark, span.end
    return Markup(html + escape(text[end:]))


def _changed_rules(entity_type: EntityType) -> list[tuple[str, str]]:
    """List the rules of a type that differ from the default, as (name, value)."""
    rules = []
    for name, value in entity_type.rules.model_dump(exclude_defaults=True).items():
        text = (
            ", ".join(map(str, value))
            if isinstance(value, tuple | list)
            else {True: "yes", False: "no"}.get(value, str(value))
        )
        rules.append((name.replace("_", " "), text))
    return rules
