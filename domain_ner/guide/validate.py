"""Runs all checks of the guide and of the annotations, and collects their findings."""

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from domain_ner.annotations.passages import LabelledSpan, Passage
from domain_ner.guide.check_annotations import check_corpus, check_duplicates, check_passages
from domain_ner.guide.check_guide import Place, check_guide
from domain_ner.guide.findings import SEVERITIES, Finding, excerpt
from domain_ner.guide.schema import Guide
from domain_ner.guide.statistics import TypeStatistics, type_statistics
from domain_ner.metrics.agreement import Agreement, Annotations, measure_agreement

UNMARKED = str.maketrans("", "", "«»")


@dataclass(frozen=True)
class GuideFile:
    """A guide, the name of its file, and the line of each of its entries."""

    guide: Guide
    name: str
    lines: Mapping[Place, int]


@dataclass(frozen=True)
class Corpus:
    """The annotations of a corpus. annotated: every accepted one. kept: one for each text.

    problems, conflicts: a line, `file:line: …`, for each invalid row, and for each row that contradicts another.
    """

    annotated: Sequence[Passage]
    kept: Sequence[Passage]
    problems: Sequence[str]
    conflicts: Sequence[str] = ()


@dataclass(frozen=True)
class Validation:
    """The result. findings: errors first, then by kind. n_deliberate: findings that the guide declares deliberate."""

    findings: list[Finding]
    n_deliberate: int
    statistics: dict[str, TypeStatistics]
    agreement: list[Agreement]
    n_passages: int


def validate(file: GuideFile, corpus: Corpus, *, on_passage: Callable[[], None] = lambda: None) -> Validation:
    """Check a guide and the annotations made with it.

    on_passage: called for each accepted annotation and for each text, to show progress.
    """
    statistics = type_statistics(corpus.kept)
    texts = _by_text(corpus.annotated)
    findings = [
        *check_guide(file.guide, file.lines, name=file.name),
        *_of_rows("unreadable", corpus.problems),
        *_of_rows("conflicting", corpus.conflicts),
        *check_passages(file.guide, corpus.annotated, on_passage=on_passage),
        *check_duplicates(corpus.annotated),
        *check_corpus(file.guide, corpus.kept, statistics, on_passage=on_passage),
        *_disagreements(corpus.annotated, texts),
    ]
    remaining = [finding for finding in findings if not _is_deliberate(file.guide, finding)]
    return Validation(
        findings=sorted(remaining, key=lambda finding: (SEVERITIES.index(finding.severity), finding.kind)),
        n_deliberate=len(findings) - len(remaining),
        statistics=statistics,
        agreement=measure_agreement([(text, spans) for text, spans in texts.items() if len(spans) > 1]),
        n_passages=len(corpus.kept),
    )


def _is_deliberate(guide: Guide, finding: Finding) -> bool:
    text = finding.text.translate(UNMARKED)
    return any(
        (entry.kind, entry.surface) == (finding.kind, finding.surface) and entry.text in text
        for entry in guide.deliberate
    )


def _of_rows(kind: str, lines: Sequence[str]) -> Iterator[Finding]:
    for line in lines:
        source, _, message = line.partition(": ")
        yield Finding(kind, message, "", source)


def _by_text(passages: Sequence[Passage]) -> dict[str, Annotations]:
    texts: dict[str, dict[str, tuple[LabelledSpan, ...]]] = defaultdict(dict)
    for passage in passages:
        texts[passage.text].setdefault(passage.annotator, passage.spans)
    return dict(texts)


def _disagreements(passages: Sequence[Passage], texts: Mapping[str, Annotations]) -> Iterator[Finding]:
    for passage in passages:
        for other, spans in texts[passage.text].items():
            for span in sorted(set(passage.spans) - set(spans)):
                surface = passage.text[span.start : span.end]
                message = f"{surface!r} is {span.label} for {passage.annotator or 'one annotator'}, but not for {other}"
                context = excerpt(passage.text, span)
                yield Finding("disagreement", message, span.label, passage.source, context, surface)
