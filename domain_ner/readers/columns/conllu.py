"""Reads CoNLL-U and CoNLL-U Plus (https://universaldependencies.org/format.html) with names in MISC or in a column.

Names are detected by content (`conllu_names`): tags in an additional column or under a key of MISC (`name=B-PER`), or
brackets (`Entity=(e1-place…)`). The text is rebuilt with SpaceAfter, and compared with `# text`.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from domain_ner.annotations.records import FileLog, ReaderOptions, Record, Sample, SourceSpan
from domain_ner.errors import DomainNerError
from domain_ner.readers.columns.conllu_names import (
    CandidateSources,
    NameSource,
    NameSpan,
    decode_brackets,
    decode_numbers,
    find_names,
    misc_values,
)
from domain_ner.readers.columns.survey import EDGES
from domain_ner.readers.text_files.decoding import read_lines
from domain_ner.readers.tokens.offsets import join_tokens
from domain_ner.readers.tokens.tagged import (
    Findings,
    comment_pair,
    decode,
    describe_scheme,
    document_id,
    sample_lines,
    spaces_from_text,
    with_label,
)

NAME = "conllu"
TITLE = "CoNLL-U and CoNLL-U Plus"
EXTENSIONS = (".conllu", ".conllup")
COLUMNS_KEY, FIELDS_KEY = "global.columns", "global.Entity"
WORD_ID = re.compile(r"\d+")
RANGE_ID = re.compile(r"(\d+)-(\d+)")
EMPTY_ID = re.compile(r"\d+\.\d+")
N_STANDARD = 10
PART = "part of a multiword token: read as all of it"
OTHER_TEXT = "{n} text{s} {do} not agree with `# text`, first line {line}: the words and SpaceAfter are used"
TEXT_SPACES = "{n} text{s} with other spaces in `# text` than by SpaceAfter, first line {line}: `# text` is used"


NOT_META = ("text", COLUMNS_KEY, FIELDS_KEY)

_Row = tuple[int, list[str]]
"""Line number and columns."""
_Group = tuple[list[str], list[_Row]]
"""Columns of a token as it appears in the text, and the rows of its words."""
Spaces = tuple[bool, ...] | None


@dataclass
class _Sentence:
    """The rows between two blank lines, and all comments before and between them."""

    rows: list[_Row] = field(default_factory=list)
    comments: dict[str, str] = field(default_factory=dict)
    document: str = ""


@dataclass(frozen=True)
class _Word:
    """A syntactic word, and its position in the text.

    value: what its row says about names. token: index of its token in the text. start, end: characters in the token;
        unknown for a multiword token that is not composed of its words (`starts`, `ends`).
    """

    line: int
    value: str
    token: int
    start: int
    end: int
    starts: bool = True
    ends: bool = True


def recognises(sample: Sample) -> bool:
    """Whether a file names its columns like CoNLL-U Plus, or has rows of CoNLL-U (with or without more columns)."""
    lines = [line for _, line in sample_lines(sample)]
    if any(re.match(r"#\s*global\.columns\s*=", line) for line in lines[:20]):
        return True
    rows = [line.split("\t") for line in lines if line.strip(EDGES) and not line.startswith("#")]
    fitting = [cells for cells in rows if len(cells) >= N_STANDARD and _is_row(cells)]
    return bool(rows) and len(fitting) >= 0.9 * len(rows)


def read(path: Path, options: ReaderOptions, log: FileLog) -> Iterator[Record]:
    """Yield a record for each sentence.

    Raises DomainNerError if there are no names, neither in MISC nor in a column of their own, or their type is unknown.
    """
    places = _survey(path, log)
    names = _choose(places, path, options, log)
    findings = Findings()
    for sentence in _sentences(path, log):
        log.n_documents += 1
        if record := _record(sentence, names, places, log, findings):
            yield record
    if not places.says_spaces:
        places.spacing.report(log)
    findings.report(log)


def _is_row(cells: Sequence[str]) -> bool:
    is_id = any(pattern.fullmatch(cells[0]) for pattern in (WORD_ID, RANGE_ID, EMPTY_ID))
    return is_id and (cells[6].isdigit() or cells[6] == "_")


def _survey(path: Path, log: FileLog) -> CandidateSources:
    places = CandidateSources()
    for sentence in _sentences(path, log):
        if columns := sentence.comments.get(COLUMNS_KEY):
            places.columns = tuple(columns.split())
        if fields := sentence.comments.get(FIELDS_KEY):
            places.fields = tuple(name.casefold() for name in fields.split("-"))
        places.add([cells for _, cells in sentence.rows])
        at = places.index("FORM") or 0
        places.spacing.add(cells[at] for _, cells in sentence.rows if len(cells) > at)
    return places


def _choose(places: CandidateSources, path: Path, options: ReaderOptions, log: FileLog) -> NameSource:
    if not places.n_rows or places.index("ID") is None or places.index("FORM") is None:
        raise DomainNerError(
            f"{path.name} has no rows of CoNLL-U: expected columns {', '.join(places.columns)}, with ID and FORM.",
            "Export again, or name the format.",
        )
    sources = find_names(places, options.tag_column)
    if not sources:
        known = ", ".join(sorted({key or places.name(column) for column, key in places.tags})) or "nothing"
        wanted = f" in {options.tag_column!r}" if options.tag_column else ""
        raise DomainNerError(
            f"{path.name} has no named entities{wanted}: expected tags like B-PER in a column of their own or in MISC"
            f" (name=, NER=), or Entity= with types; found {known}.",
            "Name the column or the key of MISC in vars.reading (tag_column=…).",
        )
    names = replace(sources[0], scheme=with_label(sources[0].scheme, options, log.file))
    scheme = describe_scheme(names.scheme) if names.kind == "tags" else names.kind
    log.note(f"{scheme}; names in {names.title}")
    if len(sources) > 1:
        others = ", ".join(source.title for source in sources[1:])
        log.note(f"names in {others} too: {names.title} is used; another can be named in vars.reading (tag_column=…)")
    return names


def _sentences(path: Path, log: FileLog) -> Iterator[_Sentence]:
    sentence, document, n_new = _Sentence(), "", 0
    for line_no, line in read_lines(path, log):
        if not line.strip(EDGES):
            if sentence.rows:
                yield sentence
                sentence = _Sentence(document=document)
        elif line.startswith("#"):
            key, value = comment_pair(line) or (line.strip("# \t"), "")
            sentence.comments[key] = value
            if key in ("newdoc", "newdoc id"):
                n_new += 1
                document = sentence.document = value or f"newdoc {n_new}"
        else:
            sentence.rows.append((line_no, line.split("\t")))
    if sentence.rows:
        yield sentence


def _record(
    sentence: _Sentence, names: NameSource, places: CandidateSources, log: FileLog, findings: Findings
) -> Record | None:
    line = sentence.rows[0][0]
    fault = next((fault for row in sentence.rows if (fault := _fault(*row, names, places))), None)
    if fault:
        log.problem(fault[0], f"{fault[1]}; its sentence of {len(sentence.rows)} rows is left out")
        return None
    groups = _groups(sentence.rows, places)
    if not groups:
        return None
    tokens = [_form(cells, places) for cells, _ in groups]
    spaces = _spaces(groups, sentence, places, findings) or places.spacing.spaces(tokens)
    text, starts = join_tokens(tokens, spaces)
    words = [word for n, group in enumerate(groups) for word in _words(n, tokens[n], group[1], names, places)]
    return Record(
        text=text,
        spans=tuple(_spans(words, names, starts, findings)),
        file=log.file,
        line=line,
        document=sentence.document or document_id(sentence.comments),
        meta={key: value for key, value in sentence.comments.items() if value and key not in NOT_META},
        words=tuple(tokens),
        spaces=spaces,
    )


def _fault(line: int, cells: Sequence[str], names: NameSource, places: CandidateSources) -> tuple[int, str] | None:
    n_expected = max(places.index("FORM") or 0, names.column) + 1
    if len(cells) < n_expected:
        return line, f"{len(cells)} columns, expected {max(n_expected, len(places.columns))}"
    word_id = cells[places.index("ID") or 0]
    if not any(pattern.fullmatch(word_id) for pattern in (WORD_ID, RANGE_ID, EMPTY_ID)):
        return line, f"the word number is {word_id!r}; expected 1, 1-2 or 1.1"
    value = names.value(cells)
    return None if names.is_tag(value) else (line, f'no valid tag ("{value}"): expected O, or a tag like B-LOC')


def _groups(rows: Sequence[_Row], places: CandidateSources) -> list[_Group]:
    """Group for each token of the text its row and the rows of its words: one, or those of a multiword token."""
    groups: list[_Group] = []
    inside = range(0)
    for line, cells in rows:
        word_id = cells[places.index("ID") or 0]
        if match := RANGE_ID.fullmatch(word_id):
            groups.append((cells, []))
            inside = range(int(match[1]), int(match[2]) + 1)
        elif WORD_ID.fullmatch(word_id) and int(word_id) in inside:
            groups[-1][1].append((line, cells))
        elif WORD_ID.fullmatch(word_id):
            groups.append((cells, [(line, cells)]))
            inside = range(0)
    return groups


def _words(
    n_token: int, token: str, rows: Sequence[_Row], names: NameSource, places: CandidateSources
) -> Iterator[_Word]:
    forms = [_form(cells, places) for _, cells in rows]
    exact, at = "".join(forms) == token, 0
    for n_word, (line, cells) in enumerate(rows):
        value, is_first, is_last = names.value(cells), n_word == 0, n_word == len(rows) - 1
        end = at + len(forms[n_word])
        if exact:
            yield _Word(line, value, n_token, at, end)
        else:
            yield _Word(line, value, n_token, 0, len(token), is_first, is_last)
        at = end


def _spans(
    words: Sequence[_Word], names: NameSource, starts: Sequence[int], findings: Findings
) -> Iterator[SourceSpan]:
    for name, repair in _entities(words, names, findings):
        first, last = words[name.start], words[name.end - 1]
        start, end = starts[first.token] + first.start, starts[last.token] + last.end
        repairs = (*[repair] * bool(repair), *[PART] * (not (first.starts and last.ends)))
        yield SourceSpan(start, end, name.label, repairs=repairs, fault=name.fault)


def _entities(words: Sequence[_Word], names: NameSource, findings: Findings) -> list[tuple[NameSpan, str]]:
    values = [word.value for word in words]
    if names.kind == "brackets":
        return [(entity, "") for entity in decode_brackets(values, names.fields)]
    if names.kind == "numbers":
        return [(entity, "") for entity in decode_numbers(values)]
    spans = decode(values, [word.line for word in words], names.scheme, findings)
    return [(NameSpan(span.start, span.end, span.label), span.repair) for span in spans]


def _spaces(groups: Sequence[_Group], sentence: _Sentence, places: CandidateSources, findings: Findings) -> Spaces:
    """Determine whether a space follows each token; None if neither the rows nor a comment say."""
    at, line, text = places.index("MISC"), sentence.rows[0][0], sentence.comments.get("text")
    tokens = [_form(cells, places) for cells, _ in groups]
    miscs = [cells[at] if at is not None and at < len(cells) else "_" for cells, _ in groups]
    follows = [misc_values(misc).get("SpaceAfter") != "No" for misc in miscs]
    by_rows = (*follows[:-1], False) if follows else ()
    if text is None:
        return by_rows if places.says_spaces else None
    if join_tokens(tokens, by_rows)[0] == text.strip():
        return by_rows
    by_text = spaces_from_text(tokens, text)
    if by_text is None:
        findings.count(OTHER_TEXT, line)
        return by_rows if places.says_spaces else None
    if places.says_spaces:
        findings.count(TEXT_SPACES, line)
    return by_text


def _form(cells: Sequence[str], places: CandidateSources) -> str:
    return cells[places.index("FORM") or 0]
