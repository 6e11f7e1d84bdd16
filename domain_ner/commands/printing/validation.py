"""Prints the results of `validate`: the findings by kind, the first ones in full, and statistics by type."""

from collections import Counter
from collections.abc import Sequence

from domain_ner.commands.console import out, say, table
from domain_ner.guide.findings import (
    ERROR,
    KINDS,
    REMEDIES,
    SEVERITIES,
    WARNING,
    Finding,
    count_by_severity,
    fold_findings,
)
from domain_ner.guide.validate import Validation

# Printed groups of findings (of one kind and guide section), and printed findings of each group.
MAX_LISTED = 12
MAX_ALIKE = 3


def print_validation(validation: Validation) -> None:
    """Print the findings by kind, the first ones in full, and the statistics by type."""
    by_kind = Counter(finding.kind for finding in validation.findings)
    printed = table("finding", "", "count", title=f"{validation.n_passages} passages")
    for kind in sorted(by_kind, key=lambda kind: (SEVERITIES.index(KINDS[kind][0]), kind)):
        printed.add_row(KINDS[kind][1], KINDS[kind][0], str(by_kind[kind]))
    if by_kind:
        out.print(printed)
    print_findings([finding for finding in validation.findings if finding.severity in (ERROR, WARNING)])
    types = table("type", "mentions", "surfaces", "once", "tokens", "most frequent")
    for label, of_type in validation.statistics.items():
        once = f"{100 * of_type.n_once / of_type.n_surfaces:.0f} %"
        top = f"{of_type.top_surface} ({of_type.n_top})"
        mentions, surfaces = str(of_type.n_mentions), str(of_type.n_surfaces)
        types.add_row(label, mentions, surfaces, once, f"{of_type.mean_tokens:.1f}", top)
    out.print(types)
    for pair in validation.agreement:
        say(f"{' and '.join(pair.annotators)} on {pair.n_texts} passages: span F1 {pair.micro.f1:.2f}")
    counts = count_by_severity(validation.findings)
    deliberate = f", {validation.n_deliberate} declared deliberate" if validation.n_deliberate else ""
    say(f"{counts['error']} errors, {counts['warning']} warnings, {counts['note']} notes{deliberate}")


def print_findings(findings: Sequence[Finding]) -> None:
    """Print the first findings of each group (kind and guide section), and how many more it has."""
    groups = fold_findings(findings)
    for group in groups[:MAX_LISTED]:
        n_shown = 1 if group[0].kind in REMEDIES else MAX_ALIKE
        for finding in group[:n_shown]:
            where = " ".join(part for part in (finding.source, finding.label and f"[{finding.label}]") if part)
            say(f"{finding.severity}: {where}: {finding.message}")
            if finding.text:
                say(f"    {finding.text}")
        more = f"… and {len(group) - n_shown:,} more like {'it' if n_shown == 1 else 'these'}" * (len(group) > n_shown)
        if more or group[0].kind in REMEDIES:
            say(f"    {': '.join(part for part in (more, REMEDIES.get(group[0].kind, '')) if part)}")
    if len(groups) > MAX_LISTED:
        n_left = sum(map(len, groups[MAX_LISTED:]))
        say(f"… and {n_left:,} of other kinds or types; all are in guide.json and guide.html")
