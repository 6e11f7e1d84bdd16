"""Reads CSV with a token or a sentence per row, like Kaggle's `ner_dataset.csv` and its many copies.

It uses the csv module: pandas would read the words `NA` and `null` as missing values.
"""

import csv
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from domain_ner.annotations.records import FileLog, ReaderOptions, Record, Sample
from domain_ner.annotations.tag_schemes import OUTSIDE, Tag, TagScheme, TagStatistics, decode_tags
from domain_ner.errors import DomainNerError
from domain_ner.readers.columns.csv_layout import TagCell, TokenColumns, find_columns, split_row
from domain_ner.readers.json_files.python_literals import load_literal
from domain_ner.readers.text_files.decoding import ends_with_line_end, read_lines, read_sample
from domain_ner.readers.tokens.offsets import join_tokens, source_spans, unknown_ranges
from domain_ner.readers.tokens.spacing import Spacing
from domain_ner.readers.tokens.tagged import describe_scheme, with_label

NAME = "token_csv"
TITLE = "CSV with a token a row (Kaggle's ner_dataset.csv)"
EXTENSIONS = (".csv",)
ADJACENT_QUOTES = re.compile(r"(['\"])\s+(?=['\"])")
LINE_END = re.compile(r"\r\n|\n|\r")
BLANKS = re.compile(r"[ \t]+")


def recognises(sample: Sample) -> bool:
    """Whether rows of the sample have a token and its tag, or a sentence and its tags."""
    try:
        return find_columns(_sample_lines(sample.text, whole=sample.whole), ReaderOptions()) is not None
    except DomainNerError:
        return True  # several columns have tags: `read` reports that


def read(path: Path, options: ReaderOptions, log: FileLog) -> Iterator[Record]:
    """Yield a record for each sentence. The file is read twice, because the tag scheme depends on all tags.

    Raises DomainNerError if no tag column is found, or if tags are numbers without names or have no type.
    """
    columns = _columns(path, options)
    scheme, spacing = _survey(path, columns, options, log)
    repairs: Counter[str] = Counter()
    first = ""
    for sentence in _sentences(path, columns, log, keep_blanks=spacing.keeps_blanks):
        log.n_documents += 1
        record = _record(sentence, scheme, spacing, options, log)
        if record is None:
            continue
        for span in record.spans:
            repairs.update(span.repairs)
            first = first or (f"line {sentence.line}: {span.repairs[0]}" if span.repairs else "")
        yield record
    spacing.report(log)
    if repairs:
        log.note(f"{repairs.total()} tags do not fit {scheme.name}, first in the sentence of {first}")


def _columns(path: Path, options: ReaderOptions) -> TokenColumns:
    text, whole = read_sample(path)
    try:
        columns = find_columns(_sample_lines(text, whole=whole), options)
    except DomainNerError as err:
        raise DomainNerError(f"{path.name}: {err.message}", err.fix) from err
    if columns is None:
        raise DomainNerError(
            f"{path.name} has no column of words beside a column of tags (O, B-…, I-…).",
            "Name the column with the tags in vars.reading (tag_column=…).",
        )
    return columns


@dataclass
class _Sentence:
    """Rows up to the next sentence. problem: (line, why the sentence cannot be read), or None."""

    line: int
    document: str = ""
    words: list[str] = field(default_factory=list)
    tags: list[str] = field(default_factory=list)
    lines: list[int] = field(default_factory=list)
    problem: tuple[int, str] | None = None
    cut: bool = False


def _record(
    sentence: _Sentence, scheme: TagScheme, spacing: Spacing, options: ReaderOptions, log: FileLog
) -> Record | None:
    tags: list[Tag] = [_named(tag, options) for tag in sentence.tags]
    if sentence.cut:
        # The rest of a truncated row is unknown.
        log.note("no line end after the last row: the last sentence may be incomplete")
        tags[-1] = tags[-1] if _fits(tags[-1], scheme) else None
    problem = sentence.problem or next(
        (
            (line, f'no valid tag ("{tag}"); expected O or one of the scheme {scheme.name}')
            for line, tag in zip(sentence.lines, tags, strict=True)
            if tag is not None and not _fits(tag, scheme)
        ),
        None,
    )
    if problem:
        log.problem(*problem)
        return None
    spaces = spacing.spaces(sentence.words)
    text, starts = join_tokens(sentence.words, spaces)
    return Record(
        text=text,
        spans=source_spans(decode_tags(tags, scheme), sentence.words, starts),
        file=log.file,
        line=sentence.line,
        document=sentence.document,
        unknown=unknown_ranges([tag is None for tag in tags], sentence.words, starts),
        words=tuple(sentence.words),
        spaces=spaces,
    )


def _fits(tag: Tag, scheme: TagScheme) -> bool:
    return tag is not None and (scheme.is_outside(tag) or (tag not in ("", "o") and scheme.parse(tag) is not None))


def _named(tag: str, options: ReaderOptions) -> str:
    tag = tag.strip(" \t")
    if tag.isdecimal() and options.label_names:
        number = int(tag)
        return options.label_names[number] if number < len(options.label_names) else ""
    return OUTSIDE if tag.upper() == "OTHER" else tag


def _survey(path: Path, columns: TokenColumns, options: ReaderOptions, log: FileLog) -> tuple[TagScheme, Spacing]:
    """Survey tags and spaces in all rows."""
    statistics, spacing = TagStatistics(), Spacing()
    for sentence in _sentences(path, columns, FileLog(log.file), keep_blanks=True):
        statistics.add(_named(tag, options) for tag in sentence.tags)
        spacing.add(sentence.words)
    numbers = [int(tag) for tag in statistics.tags if tag.isdecimal()]
    if numbers and len(numbers) == len(statistics.tags):
        raise DomainNerError(
            f"{path.name}: the tags are numbers {min(numbers)}..{max(numbers)}, whose names the file does not give.",
            "Give their names, in order, in vars.reading (label_names=…).",
        )
    scheme = with_label(statistics.scheme(), options, log.file)
    blanks = ", where a cell without one is outside" if columns.blanks else ""
    log.note(f"{describe_scheme(scheme)}; tags in column {columns.tag + 1}{blanks}")
    return scheme, spacing


def _sentences(path: Path, columns: TokenColumns, log: FileLog, *, keep_blanks: bool) -> Iterator[_Sentence]:
    """Yield the sentences of a file. keep_blanks: white space is a token too."""
    if columns.tag_cell is not TagCell.TAG:
        yield from (_whole_sentence(line, row, columns) for line, row in _table_rows(path, columns, log))
        return
    sentence, n_sentences, n_dropped, last = _Sentence(1), 0, 0, 0
    for line, row in _token_rows(path, columns, log):
        last = line
        if columns.opens_sentence(row, sentence.document) and sentence.lines:
            yield sentence
            n_sentences += 1
            sentence = _Sentence(line)
        n_dropped += _add(sentence, line, row, columns, keep_blanks=keep_blanks)
    if sentence.lines:
        _settle_cut(sentence, last, cut=not ends_with_line_end(path))
        yield sentence
    if n_dropped:
        log.note(f"{n_dropped} rows without a word, tagged O: left out")
    if not n_sentences:
        log.note(f"no sentence breaks: one document of {len(sentence.words):,} tokens")


def _add(sentence: _Sentence, line: int, row: list[str], columns: TokenColumns, *, keep_blanks: bool) -> int:
    """Add a row to its sentence; returns 1 if it is skipped, else 0."""
    if not any(cell.strip(" \t") for cell in row):
        return 0
    sentence.line = sentence.line if sentence.lines else line
    sentence.document = columns.sentence_id(row) or sentence.document
    word, tag = (row[n] if n < len(row) else "" for n in (columns.word, columns.tag))
    tag = OUTSIDE if columns.blanks and not tag.strip() else tag
    is_blank = keep_blanks and word.isspace()
    if not word.strip() and tag == OUTSIDE and not is_blank:
        return 1
    sentence.words.append(word)
    sentence.tags.append(tag)
    sentence.lines.append(line)
    if not sentence.problem and not is_blank:
        sentence.problem = _row_problem(line, row, columns)
    return 0


def _row_problem(line: int, row: list[str], columns: TokenColumns) -> tuple[int, str] | None:
    if len(row) <= max(columns.tag, columns.word):
        return line, f"{len(row)} columns; expected {columns.n_columns}, as in the other rows"
    if not row[columns.word].strip():
        return line, f"no word beside the tag {row[columns.tag]!r}; expected a token"
    return None


def _settle_cut(sentence: _Sentence, last: int, *, cut: bool) -> None:
    """Drop a row that the end of the file truncated: its sentence is not at fault."""
    sentence.cut = cut and bool(sentence.lines) and sentence.lines[-1] == last
    if sentence.cut and sentence.problem and sentence.problem[0] == last:
        sentence.problem = None
        if not sentence.words[-1].strip():
            del sentence.words[-1], sentence.tags[-1], sentence.lines[-1]
            sentence.cut = bool(sentence.words)


def _whole_sentence(line: int, row: list[str], columns: TokenColumns) -> _Sentence:
    if len(row) <= max(columns.tag, columns.word):
        return _Sentence(line, problem=_row_problem(line, row, columns))
    words, tags = _items(row[columns.word]), _items(row[columns.tag])
    problem = None if len(words) == len(tags) else (line, f"{len(words)} tokens, {len(tags)} tags; expected a tag each")
    if not problem and not all(word.strip() for word in words):
        problem = line, "a token of no characters; expected words"
    lines = [line] * len(words)
    tags = tags if not problem else [""] * len(words)
    return _Sentence(
        line, columns.sentence_id(row), words, tags, lines, problem or (None if words else (line, "no token"))
    )


def _items(cell: str) -> list[str]:
    """Parse the tokens or tags of a cell: a Python list, numpy's form of one, or words separated by blanks."""
    cell = cell.strip()
    if not cell.startswith("["):
        return BLANKS.split(cell) if cell else []
    try:
        items = load_literal(ADJACENT_QUOTES.sub(r"\1, ", cell))
    except ValueError:
        return BLANKS.split(cell.strip("[]").replace("\n", " ").strip())
    return [str(item) for item in items]


def _token_rows(path: Path, columns: TokenColumns, log: FileLog) -> Iterator[tuple[int, list[str]]]:
    """Yield rows of one line each: a stray quote damages only its own row, not all rows up to the next quote."""
    for line, text in read_lines(path, log):
        if line > columns.n_header:
            yield line, split_row(text, columns.delimiter)


def _table_rows(path: Path, columns: TokenColumns, log: FileLog) -> Iterator[tuple[int, list[str]]]:
    """Yield rows whose cells may contain line ends."""
    rows = csv.reader((f"{text}\n" for _, text in read_lines(path, log)), delimiter=columns.delimiter)
    line = 1
    for n_row, row in enumerate(rows):
        if n_row >= columns.n_header and any(row):
            yield line, row
        line = rows.line_num + 1


def _sample_lines(text: str, *, whole: bool) -> list[str]:
    lines = LINE_END.split(text.removeprefix("\ufeff"))
    return lines if whole else lines[:-1]
