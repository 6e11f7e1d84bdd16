"""Shared code of the token-and-tag readers: facts counted and reported once, repairs, comments, and spaces."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from domain_ner.annotations.records import FileLog, ReaderOptions, Sample
from domain_ner.annotations.tag_schemes import OPENED, OUTSIDE, OUTSIDE_SIGNS, Tag, TagScheme, TagSpan, decode_tags
from domain_ner.errors import DomainNerError

LINE_END = re.compile(r"\r\n|\n|\r")
COMMENT = re.compile(r"#+\s*+([^\W\d][\w.:-]*(?: \w+)?)(?:\s*+=|:\s)(.*)", re.DOTALL)
# `###MEDLINE:95369245`, `## id<TAB>text`, `#id`, `# id 7`, and `<doc id="7">`.
ID_LINE = re.compile(
    r"##+[ \t]*([^\s#]\S*)[ \t]*|##+[ \t]*([^\s#]\S*)\t.*|#([^\s#=]+)|#+[ \t]*id[ \t:=]+(\S+).*", re.DOTALL
)
ID_MARKUP = re.compile(
    r"""<(?:doc|document|text|article|file)\b[^>]*?\b(?:id|name)\s*=\s*["']?([^"'>]+).*""", re.IGNORECASE
)
LABEL_OUTSIDE = '{n} entit{y} with the label "O", first line {line}: kept'
DOCUMENT_KEYS = ("newdoc id", "document_id", "doc_id", "docid")
SENTENCE_KEYS = ("sent_id",)


@dataclass
class Findings:
    """Recurring facts of a file: their number, their first place, and its detail.

    cases: by template; a template is a note with the fields {n}, {line}, {detail}, and singular or plural endings:
        {s} (plural), {y} (y, ies), {do} (does, do).
    """

    cases: dict[str, tuple[int, int, str]] = field(default_factory=dict)

    def count(self, template: str, line: int = 0, detail: str = "") -> None:
        """Count a case of a fact."""
        n, first_line, first_detail = self.cases.get(template, (0, line, detail))
        self.cases[template] = n + 1, first_line, first_detail

    def report(self, log: FileLog) -> None:
        """Note each fact, with its number and its first line."""
        for template, (n, line, detail) in self.cases.items():
            is_single = n == 1
            endings = {
                "s": "" if is_single else "s",
                "y": "y" if is_single else "ies",
                "do": "does" if is_single else "do",
            }
            log.note(template.format(n=n, line=line, detail=detail, **endings))


def sample_lines(sample: Sample) -> list[tuple[int, str]]:
    """Return the complete lines of a sample, numbered from 1."""
    lines = LINE_END.split(sample.text)
    return list(enumerate(lines if sample.whole else lines[:-1], start=1))


def decode(tags: Sequence[Tag], lines: Sequence[int], scheme: TagScheme, findings: Findings) -> list[TagSpan]:
    """Decode the entities of one sentence. lines: of its tokens, for reporting repairs."""
    spans = list(decode_tags(tags, scheme))
    for span in spans:
        if span.label == OUTSIDE:
            findings.count(LABEL_OUTSIDE, lines[span.start])
        if not span.repair:
            continue
        name, _, detail = span.repair.partition(": ")
        if name == OPENED:
            template = (
                f"{{n}} tag{{s}} {{do}} not fit {scheme.name}, first line {{line}}: {{detail}}; read as a new entity"
            )
            findings.count(template, lines[span.start], detail)
        else:
            template = f"{{n}} entit{{y}} not closed as in {scheme.name}, first line {{line}}: {{detail}}; kept"
            findings.count(template, lines[span.end - 1], detail)
    return spans


def describe_scheme(scheme: TagScheme) -> str:
    """Describe a scheme for a note."""
    if scheme.shape == "none":
        description = "scheme IO: neighbouring entities of one type cannot be told apart"
    else:
        description = f"scheme {scheme.name}" + (
            " with the letter after the label" if scheme.shape.endswith("suffix") else ""
        )
    if scheme.separator != "-":
        description += f', "{scheme.separator}" between letter and label'
    if scheme.shape == "bare":
        description += f" without a type: every entity is {scheme.label} (label=…)"
    return description + (f"; {describe_outside(scheme.outside)}" if scheme.outside != OUTSIDE else "")


def describe_outside(outside: str) -> str:
    """Describe another tag for "no entity" than `O` for a note."""
    return f'"{outside}" read as O' + ", there being no O: known to be no entity" * (outside in OUTSIDE_SIGNS)


def with_label(scheme: TagScheme, options: ReaderOptions, file: str) -> TagScheme:
    """Add the type to a scheme whose tags do not have one.

    Raises DomainNerError if the tags are bare letters and the user does not name the type either.
    """
    if scheme.shape != "bare":
        return scheme
    if options.label:
        return replace(scheme, label=options.label)
    raise DomainNerError(
        f"{file}: its tags are B, I and the like without a type; expected tags like B-LOC.",
        "If all entities are of one type, name it in vars.reading (label=…).",
    )


def spaces_from_text(words: Sequence[str], text: str) -> tuple[bool, ...] | None:
    """Determine whether a space follows each word in a text; None if words and single spaces do not form the text."""
    spaces, position, text = [], 0, text.strip()
    for word in words:
        if not text.startswith(word, position):
            return None
        position += len(word)
        spaces.append(text.startswith(" ", position))
        position += spaces[-1]
    return tuple(spaces) if position == len(text) else None


def comment_pair(line: str) -> tuple[str, str] | None:
    """Parse a comment `# key = value` or `# key: value` to (key, value); None for any other comment."""
    match = COMMENT.fullmatch(line)
    return (match[1], match[2].strip()) if match else None


def document_line(line: str) -> str:
    """Return the id of the document that a comment or markup begins; empty if none."""
    pair = comment_pair(line)
    if pair and (named := document_id(dict([pair]), of_sentence=False)):
        return named
    id_match = ID_MARKUP.fullmatch(line.strip()) or (
        None if pair and pair[0] != "id" else ID_LINE.fullmatch(line.strip())
    )
    named = next(filter(None, id_match.groups()), "") if id_match else ""
    return named if any(map(str.isalnum, named)) else ""


def document_id(comments: Mapping[str, str], *, of_sentence: bool = True) -> str:
    """Return the id in comments: of the document, else of the sentence; empty if there is none.

    of_sentence: whether a sentence's id is acceptable.
    """
    for wanted in (*DOCUMENT_KEYS, *SENTENCE_KEYS * of_sentence):
        for key, value in comments.items():
            if key.endswith(wanted) and not key.removesuffix(wanted)[-1:].isalnum():
                return value
    return ""
