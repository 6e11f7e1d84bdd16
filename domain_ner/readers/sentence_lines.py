"""Reads spaCy's `.iob` with one sentence a line, `word|TAG` or `word|POS|TAG` with spaces between; part of `conll`."""

from collections.abc import Iterable, Iterator
from pathlib import Path

from domain_ner.readers.column_survey import DOCSTART
from domain_ner.readers.decoding import read_lines
from domain_ner.readers.tagged import Findings, decode, describe_scheme
from domain_ner.readers.tokens import join_tokens, source_spans
from domain_ner.records import FileLog, Record
from domain_ner.tag_schemes import OUTSIDE, PREFIXED, TagStatistics


def is_sentence_a_line(lines: Iterable[tuple[int, str]]) -> bool:
    """Whether lines are sentences of `word|TAG` or `word|POS|TAG`."""
    items = [item for _, line in lines for item in line.split() if not DOCSTART.match(line)]
    fitting = ["|" in item and _is_item_tag(item.rpartition("|")[2]) for item in items]
    return bool(items) and sum(fitting) >= 0.9 * len(items)


def _is_item_tag(tag: str) -> bool:
    return tag == OUTSIDE or bool(PREFIXED.fullmatch(tag))


def read_sentence_lines(path: Path, log: FileLog) -> Iterator[Record]:
    """Yield a record for each line."""
    statistics, findings = TagStatistics(), Findings()
    for _, line in read_lines(path, log):
        statistics.add(item.rpartition("|")[2] for item in line.split())
    scheme = statistics.scheme()
    log.note(f"{describe_scheme(scheme)}; one sentence a line")
    for line_no, line in read_lines(path, log):
        items = line.split()
        if not items:
            continue
        log.n_documents += 1
        bad = [item for item in items if "|" not in item or not _is_item_tag(item.rpartition("|")[2])]
        if bad:
            log.problem(line_no, f'no valid tag ("{bad[0]}"): expected word|TAG; its sentence is left out')
            continue
        # The token may be the bar itself: `||O`.
        words = [item.split("|")[0] or "|" for item in items]
        tags = [item.rpartition("|")[2] for item in items]
        text, starts = join_tokens(words, None)
        spans = source_spans(decode(tags, [line_no] * len(tags), scheme, findings), words, starts)
        yield Record(text=text, spans=spans, file=log.file, line=line_no, words=tuple(words))
    findings.tell(log)
