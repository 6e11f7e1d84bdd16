"""Reads files with a token and tag per line: CoNLL-2003 and its relatives, and spaCy's one sentence per line (`.iob`).

Columns and tag scheme are detected by content (`columns`). Each sentence becomes a record; in a file without blank
lines, each document does.
"""

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from domain_ner.annotations.records import FileLog, ReaderOptions, Record, Sample
from domain_ner.annotations.tag_schemes import OUTSIDE, TagScheme, TagSpan, TagStatistics, decode_tags
from domain_ner.errors import DomainNerError
from domain_ner.readers.columns import conllu
from domain_ner.readers.columns.blocks import Block, Token, read_blocks, read_layer, read_token
from domain_ner.readers.columns.layout import Layout, find_layout
from domain_ner.readers.columns.sentence_lines import find_joint, read_sentence_lines
from domain_ner.readers.columns.survey import (
    MISSING,
    NO_SPACE,
    NOTHING,
    SPACE,
    TAB,
    UNUSED,
    Survey,
    cell_number,
    survey,
)
from domain_ner.readers.text_files.decoding import read_lines
from domain_ner.readers.tokens.offsets import join_tokens, source_spans, unknown_ranges
from domain_ner.readers.tokens.spacing import Spacing
from domain_ner.readers.tokens.tagged import (
    Findings,
    decode,
    describe_outside,
    describe_scheme,
    document_id,
    sample_lines,
    spaces_from_text,
    with_label,
)

NAME = "conll"
TITLE = "CoNLL columns (one token and tag a line)"
EXTENSIONS = (".conll", ".conll2003", ".conll2002", ".iob", ".iob2", ".bio", ".tsv", ".txt", ".ner", ".col")
WEBANNO_ROW = re.compile(r"\d+-\d+(\.\d+)?")
KAGGLE_ROW = re.compile(r"sentence( ?#|:)", re.IGNORECASE)
N_LISTED = 5


@dataclass(frozen=True)
class _Tagging:
    """How to read the columns: the scheme of the main tags, the schemes of inner layers by column, and the spaces."""

    scheme: TagScheme
    inner: dict[int, TagScheme]
    spacing: Spacing


def recognises(sample: Sample) -> bool:
    """Whether a file has tokens and tags in columns, or as `word|TAG` with one sentence per line."""
    numbered = sample_lines(sample)
    if conllu.recognises(sample) or sample.text.startswith("#FORMAT=WebAnno"):
        return False
    if find_joint(numbered):
        return True
    sampled = survey(numbered)
    if not sampled.head or sampled.width < 2 or KAGGLE_ROW.match(sampled.head[0][0]):
        return False
    if sum(bool(WEBANNO_ROW.fullmatch(cells[0])) for cells in sampled.head) > 0.5 * len(sampled.head):
        return False
    try:
        layout = find_layout(sampled)
    except DomainNerError:
        return False
    n_tagged = sum(layout.tag_column(cells) is not None for cells in sampled.head)
    n_even = sum(len(cells) == layout.width for cells in sampled.head)
    # Without B- and I- there is less evidence: the rows must be even.
    marked = any(sampled.columns[layout.tag].marked)
    return n_tagged >= 0.6 * len(sampled.head) and (marked or n_even >= 0.9 * len(sampled.head))


def read(path: Path, options: ReaderOptions, log: FileLog) -> Iterator[Record]:
    """Yield a record for each sentence, or for each document of a file without blank lines.

    A row without a valid tag loses its token: it is reported, and marked as unknown. A row without a token is skipped.
    Raises DomainNerError when no column has tags or their type is unknown, and for Label Studio's CoNLL export unless
    forced.
    """
    if joint := find_joint(read_lines(path, log)):
        yield from read_sentence_lines(path, joint, options, log)
        return
    surveyed = survey(read_lines(path, log), options.tag_column)
    _require_columns(path, surveyed, options)
    try:
        layout = find_layout(surveyed, options.tag_column)
    except DomainNerError as err:
        raise DomainNerError(f"{log.file}: {err.message}", err.fix) from err
    tagging = _find_tagging(path, layout, options, log)
    _tell(layout, tagging, log)
    findings = Findings()
    for block in read_blocks(path, layout, log, findings):
        log.n_documents += 1
        if record := _record(block, layout, tagging, log, findings):
            yield record
    tagging.spacing.report(log)
    findings.report(log)


def _require_columns(path: Path, surveyed: Survey, options: ReaderOptions) -> None:
    if not surveyed.head:
        raise DomainNerError(
            f"{path.name} has no rows; expected a token and a tag per line.", "Export it again, or remove the file."
        )
    if _is_label_studio(surveyed) and not options.forced:
        raise DomainNerError(
            f"{path.name} is Label Studio's CONLL2003 export, which loses annotations: it drops nested ones and all"
            " labels of a span but the first, and unannotated tasks look like texts without entities.",
            "Export as JSON; or, to read it anyway, set vars.reading (force=yes).",
        )


def _is_label_studio(surveyed: Survey) -> bool:
    rows = [cells for cells in surveyed.head if len(cells) == 4 and cells[1:3] == UNUSED]
    return len(surveyed.docstart) == 3 and len(rows) == len(surveyed.head) > 0


def _find_tagging(path: Path, layout: Layout, options: ReaderOptions, log: FileLog) -> _Tagging:
    """Determine in one pass the scheme of the main column, which others are inner layers of it, and the spaces.

    A column is an inner layer if its entities lie inside longer ones of the main column, with the same labels.
    """
    main, others = TagStatistics(), {column: TagStatistics() for column in layout.others}
    n_entities, n_inside = Counter[int](), Counter[int]()
    plain, spacing = TagScheme("IOB1", layout.shape), Spacing()
    for block in read_blocks(path, layout, log):
        tokens = [read_token(line, cells, layout) for line, cells in block.rows]
        main.add(token.tag for token in tokens)
        spacing.add(token.word for token in tokens)
        outer = list(decode_tags([token.tag for token in tokens], plain)) if others else []
        for column, statistics in others.items():
            tags = read_layer(tokens, layout, column)
            statistics.add(tags)
            inner = list(decode_tags(tags, plain))
            n_entities[column] += len(inner)
            n_inside[column] += sum(any(_is_inside(span, other) for other in outer) for span in inner)
    scheme = with_label(_scheme(main, layout), options, log.file)
    inner_layers = [
        column
        for column, statistics in others.items()
        if n_inside[column] > 0.5 * n_entities[column] and _labels(statistics, scheme) <= _labels(main, scheme)
    ]
    return _Tagging(scheme, {column: _scheme(others[column], layout) for column in inner_layers}, spacing)


def _labels(statistics: TagStatistics, scheme: TagScheme) -> set[str]:
    parsed = (scheme.parse(tag) for tag in statistics.tags if tag != OUTSIDE)
    return {letter_and_label[1] for letter_and_label in parsed if letter_and_label}


def _scheme(statistics: TagStatistics, layout: Layout) -> TagScheme:
    scheme = statistics.scheme()
    return (
        scheme if scheme.shape == layout.shape else TagScheme("IO" if layout.shape == "none" else "IOB2", layout.shape)
    )


def _is_inside(span: TagSpan, outer: TagSpan) -> bool:
    return outer.start <= span.start and span.end <= outer.end and (outer.start, outer.end) != (span.start, span.end)


def _tell(layout: Layout, tagging: _Tagging, log: FileLog) -> None:
    log.note(f"{describe_scheme(tagging.scheme)}; tags in column {layout.name(layout.tag)}")
    if layout.separator not in (TAB, SPACE):
        log.note(f'columns are separated by "{layout.separator}"')
    if layout.n_documents:
        log.note(f"{layout.n_documents} documents (-DOCSTART-)")
    if layout.outside != OUTSIDE:
        log.note(describe_outside(layout.outside))
    if layout.offsets is not None:
        log.note(f"columns {layout.name(layout.offsets)} and {layout.name(layout.offsets + 1)} are offsets")
    if layout.prefix:
        log.note(f'"{layout.prefix}" removed from the start of every token')
    for column in tagging.inner:
        log.note(f"column {layout.name(column)} is an inner layer: its entities are read too, nested in the others")
    rest = [layout.name(column) for column in layout.others if column not in tagging.inner]
    if rest:
        log.note(
            f"columns {', '.join([layout.name(layout.tag), *rest])} have tags: column {layout.name(layout.tag)} is"
            " used; another can be named in vars.reading (tag_column=…)"
        )


def _record(block: Block, layout: Layout, tagging: _Tagging, log: FileLog, findings: Findings) -> Record | None:
    tokens = _tokens(block, layout, tagging.spacing, findings)
    log.n_tokens += len(tokens)
    _report([token for token in tokens if token.column is None or not token.word], layout, log)
    tokens = [token for token in tokens if token.word]
    if not tokens:
        return None
    words, lines = [token.word for token in tokens], [token.line for token in tokens]
    tags = [token.tag for token in tokens]
    tag_spans = decode(tags, lines, tagging.scheme, findings)
    for column, scheme in tagging.inner.items():
        tag_spans += decode(read_layer(tokens, layout, column), lines, scheme, findings)
    if not layout.has_blanks and layout.index is None:
        findings.count("no blank lines: {n} document{s}, the first of {detail} tokens", block.line, str(len(words)))
    spaces = _spaces(tokens, block.comments.get("text"), layout) or tagging.spacing.spaces(words)
    text, starts = join_tokens(words, spaces)
    return Record(
        text=text,
        spans=source_spans(tag_spans, words, starts),
        file=log.file,
        line=block.line,
        document=block.document or document_id(block.comments),
        meta={key: value for key, value in block.comments.items() if key != "text"},
        unknown=unknown_ranges([tag is None for tag in tags], words, starts),
        words=tuple(words),
        spaces=spaces,
    )


def _tokens(block: Block, layout: Layout, spacing: Spacing, findings: Findings) -> list[Token]:
    """Parse the tokens of a block; rows with a tag but no token are skipped if the tag is `O`."""
    tokens = []
    for line, cells in block.rows:
        token = read_token(line, cells, layout)
        if token.word.isspace() and token.column is not None:
            if spacing.keeps_blanks:
                tokens.append(token)
                continue
            token = replace(token, word=token.word.strip(" "))
        cell = "" if token.column is None else cells[token.column]
        if not token.word and token.column is not None and token.tag in (OUTSIDE, None):
            findings.count("{n} row{s} without a token left out, first line {line}", line)
            continue
        tokens.append(token)
        if cell == NOTHING:
            findings.count('{n} tag{s} "_" read as O, first line {line}', line)
        elif cell == MISSING and token.tag is None:
            findings.count('{n} tag{s} "-" read as not annotated, first line {line}', line)
        if token.column not in (None, layout.tag):
            widths = f"{len(cells)} columns, most have {layout.width}"
            findings.count(
                "{n} row{s} of another length, first line {line} ({detail}): the last tag is used", line, widths
            )
        if token.column is not None and any(char.isspace() for char in token.word):
            findings.count("{n} token{s} with white space, first line {line} ({detail}): kept", line, repr(token.word))
    return tokens


def _report(faulty: Sequence[Token], layout: Layout, log: FileLog) -> None:
    """Report rows that cannot be read: each loses only its own token."""
    for token in faulty:
        consequence = "its token counts as not annotated" if token.word else "the row is left out"
        log.problem(token.line, f"{_fault(token, layout)}; {consequence}", cost="token")


def _fault(token: Token, layout: Layout) -> str:
    if token.column is not None:
        return f'no token for the tag "{token.cells[token.column]}"'
    if layout.tag >= len(token.cells):
        return f'no valid tag ("{token.cells[-1]}"): number of columns {len(token.cells)}, expected {layout.width}'
    tag = token.cells[layout.tag]
    expected = ", ".join(sorted(layout.labels)[:N_LISTED]) if layout.labels else "a tag like B-LOC"
    return f'no valid tag ("{tag}"): ' + ("did you mean O" if tag == "o" else f"expected O, or {expected}")


def _spaces(tokens: Sequence[Token], text: str | None, layout: Layout) -> tuple[bool, ...] | None:
    """Determine whether a space follows each token: from the rows, else from the text in a comment, else by offsets."""
    if layout.spaces is not None:
        column = layout.spaces
        notes = [token.cells[column] if column < len(token.cells) else "" for token in tokens]
        follows = [note != "-" and NO_SPACE.isdisjoint(note.split("|")) for note in notes]
        return (*follows[:-1], False)
    if text is not None:
        return spaces_from_text([token.word for token in tokens], text)
    if layout.offsets is not None:
        ends = [_cell_number(token, layout.offsets + 1) for token in tokens]
        starts = [_cell_number(token, layout.offsets) for token in tokens]
        return (*(start > end for end, start in zip(ends, starts[1:], strict=False)), False)
    return None


def _cell_number(token: Token, column: int) -> int:
    return cell_number(token.cells[column]) if column < len(token.cells) else -1
