"""What a format of a tool cannot carry, with the reason; each loss is checked to be exactly that one."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from _servers.comparison import ASPECTS, Difference
from _servers.contents import ANNOTATED, ASKED, DIALOGUE, FOREIGN, OPEN, TITLE_AND_BODY, names

DOCCANO, LABEL_STUDIO = "doccano", "Label Studio"
SHARED, SHARED_APPROVED = "JSONL, shared", "JSONL, shared, approved only"
EACH, EACH_APPROVED = "JSONL, a file each", "JSONL, a file each, approved only"
RELATIONS, CODE_POINTS = "JSONL with relations, approved only", "JSONL, offsets sent as code points"
OF_A_TEXT = ("texts", "documents", "meta", "groups", "splits")


@dataclass(frozen=True)
class Loss:
    """aspects of cases that formats of a tool change or lose. reason: why no reader can make up for it."""

    tool: str
    formats: tuple[str, ...]
    aspects: tuple[str, ...]
    cases: frozenset[str]
    reason: str


def _unmarked(*, by_anybody: bool = False) -> frozenset[str]:
    """Cases without an entity: in none of the annotations, or in one of them."""
    test = any if by_anybody else all
    return frozenset(case.name for case in (*ANNOTATED, *ASKED) if test(not said for said in case.answers.values()))


# Passages of Label Studio's project that takes CONLL2003: not those with more than one text, and no dialogues.
TOKENS = names(*ANNOTATED, *ASKED, *OPEN, *FOREIGN)
LOSSES = (
    Loss(
        LABEL_STUDIO, ("CONLL2003",), ("texts",), names(*OPEN),
        "A task that nobody annotated looks like a text without entities. Of texts there are tokens alone: these are"
        " compared without white space.",
    ),
    Loss(
        LABEL_STUDIO, ("CONLL2003",), ("spans", "labels"), frozenset({"nested", "same span", "asked nested"}),
        "A token has one tag: of overlapping annotations one is left.",
    ),
    Loss(
        LABEL_STUDIO, ("CONLL2003",), ("documents", "splits", "annotators"), TOKENS,
        "There are words and tags alone; and as texts are others, the frozen test set is not found again.",
    ),
    Loss(
        LABEL_STUDIO, ("CONLL2003",), ("meta", "groups"), TOKENS - {"combining", "asked plain", "foreign, none"},
        "There is no meta.",
    ),
    Loss(
        LABEL_STUDIO, ("JSON_MIN", "CSV", "TSV"), ("annotators",), names(*ANNOTATED),
        "Imported annotations are by whoever imported them; that they were imported is in JSON alone (`import_id`).",
    ),
    Loss(
        LABEL_STUDIO, ("CSV", "TSV"), ("meta",), names(FOREIGN[0], FOREIGN[2], *DIALOGUE, *TITLE_AND_BODY),
        "A cell is a string: numbers come back as such, unless our export carried them. Groups are the same.",
    ),
    Loss(
        DOCCANO, (SHARED, SHARED_APPROVED), ("annotators",), names(*ASKED, *FOREIGN),
        "A shared project has one file for all, which names no annotator.",
    ),
    Loss(DOCCANO, (RELATIONS, CODE_POINTS), ("annotators",), names(*ASKED), "These are shared projects, too."),
    Loss(
        DOCCANO, (SHARED,), (*OF_A_TEXT, "annotators"), names(*OPEN),
        "A text that nobody looked at has an empty list, as one without entities has: export approved ones only.",
    ),
    Loss(
        DOCCANO, (EACH, EACH_APPROVED), ("annotators",), names(*ANNOTATED),
        "Imported annotations are in the file of the member who imported them.",
    ),
    Loss(
        DOCCANO, (EACH,), OF_A_TEXT, _unmarked(),
        "Each member's file has every text, with an empty list where that member annotated nothing. Read as not seen"
        " (`empty=skip`), reviewed texts without entities are left out too: export approved ones only.",
    ),
    Loss(
        DOCCANO, (EACH,), ("annotators",), _unmarked(by_anybody=True),
        "As before: an annotation without entities is not told from none.",
    ),
    Loss(
        DOCCANO, (SHARED, SHARED_APPROVED), ("meta",), names(FOREIGN[0], FOREIGN[2]),
        "Whole numbers under a key that some rows lack become floats, unless our export carried them.",
    ),
    Loss(
        DOCCANO, (SHARED, SHARED_APPROVED), ("groups",), names(FOREIGN[2]),
        "As floats, numbers beyond 2^53 have other last digits.",
    ),
)  # fmt: skip


def declared(tool: str, format_: str, aspect: str, losses: Iterable[Loss] = LOSSES) -> frozenset[str]:
    """The cases of which an aspect is declared to be lost."""
    found = [one.cases for one in losses if one.tool == tool and format_ in one.formats and aspect in one.aspects]
    return frozenset[str]().union(*found)


def problems(tool: str, format_: str, found: Mapping[str, Difference], losses: Sequence[Loss] = LOSSES) -> list[str]:
    """What is lost and not declared, and what is declared and not lost; a line each."""
    told = []
    for aspect in ASPECTS:
        known, seen = declared(tool, format_, aspect, losses), found[aspect].cases
        where = f"{tool}, {format_}, {aspect}"
        shown = [line for line in found[aspect].shown if not any(line.startswith(f"{case}: ") for case in known)]
        told += [f"{where}: not declared, {line}" for line in shown]
        told += [f"{where}: declared to be lost and is not, {case}" for case in sorted(known - seen)]
    return told
