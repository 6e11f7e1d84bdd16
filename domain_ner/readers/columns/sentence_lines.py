"""Reads spaCy's `.iob` with one sentence per line, `word|TAG` or `word|POS|TAG` separated by spaces; part of `conll`.

Some files have `/`, `_` or `\\` between word and tag.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from pathlib import Path

from domain_ner.annotations.records import FileLog, ReaderOptions, Record
from domain_ner.annotations.tag_schemes import SHAPES, TagScheme, TagStatistics, find_outside
from domain_ner.readers.columns.survey import DOCSTART, JOINTS, split_joined
from domain_ner.readers.text_files.decoding import read_lines
from domain_ner.readers.tokens.offsets import join_tokens, source_spans
from domain_ner.readers.tokens.spacing import Spacing
from domain_ner.readers.tokens.tagged import Findings, decode, describe_scheme, with_label

N_EVIDENCE = 200


def find_joint(lines: Iterable[tuple[int, str]]) -> str:
    """Find the sign between word and tag in the first lines, if they are sentences of `word|TAG` or `word|POS|TAG`;
    else empty. A token per line is columns.
    """
    lines_to_check = (line for _, line in islice(lines, N_EVIDENCE))
    sentences = [[item for item in line.split() if not DOCSTART.match(item)] for line in lines_to_check]
    sentences = [items for items in sentences if items]
    if 2 * sum(len(items) > 1 for items in sentences) < len(sentences):
        return ""
    return next((joint for joint in JOINTS if _are_tagged(sentences, joint)), "")


def _are_tagged(sentences: Sequence[Sequence[str]], joint: str) -> bool:
    pairs = [split_joined(item, joint) for items in sentences for item in items]
    tags = Counter(tag for word, tag in pairs if word)
    outside = find_outside(tags)
    n_marked = sum(n for tag, n in tags.items() if any(pattern.fullmatch(tag) for pattern in SHAPES.values()))
    return bool(pairs) and tags[outside] + n_marked >= 0.9 * len(pairs)


def read_sentence_lines(path: Path, joint: str, options: ReaderOptions, log: FileLog) -> Iterator[Record]:
    """Yield a record for each line.

    joint: from `find_joint`.
    Raises DomainNerError if the type of the tags is unknown.
    """
    statistics, spacing, findings = TagStatistics(), Spacing(), Findings()
    for _, line in read_lines(path, log):
        words, tags = _words_and_tags(line, joint)
        statistics.add(tags)
        spacing.add(words)
    scheme = with_label(statistics.scheme(), options, log.file)
    separator = "" if joint == JOINTS[0] else f', "{joint}" between word and tag'
    log.note(f"{describe_scheme(scheme)}; one sentence per line{separator}")
    for line_no, line in read_lines(path, log):
        words, tags = _words_and_tags(line, joint)
        if not words:
            continue
        log.n_documents += 1
        if bad := _first_bad(line, words, tags, scheme):
            log.problem(line_no, f'no valid tag ("{bad}"): expected word{joint}TAG; its sentence is left out')
            continue
        spaces = spacing.spaces(words)
        text, starts = join_tokens(words, spaces)
        spans = source_spans(decode(tags, [line_no] * len(tags), scheme, findings), words, starts)
        yield Record(text=text, spans=spans, file=log.file, line=line_no, words=tuple(words), spaces=spaces)
    spacing.report(log)
    findings.report(log)


def _words_and_tags(line: str, joint: str) -> tuple[list[str], list[str]]:
    """Split a line into words and tags; a missing word is empty."""
    pairs = [split_joined(item, joint) for item in line.split()]
    # The token may be the sign itself: `||O`. A part of speech may precede the tag: `word|POS|TAG`.
    words = [(word.split(joint)[0] or joint) if word and joint == JOINTS[0] else word or "" for word, _ in pairs]
    return words, [tag for _, tag in pairs]


def _first_bad(line: str, words: Sequence[str], tags: Sequence[str], scheme: TagScheme) -> str:
    """Return the first item that is not a word with a tag; empty if all are valid."""
    items = zip(line.split(), words, tags, strict=True)
    return next((item for item, word, tag in items if not word or not _is_tag(tag, scheme)), "")


def _is_tag(tag: str, scheme: TagScheme) -> bool:
    return scheme.is_outside(tag) or scheme.parse(tag) is not None
