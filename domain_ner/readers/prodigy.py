"""Reads Prodigy JSONL: manual, corrected, yes/no and reviewed annotations (https://prodi.gy/docs/api-interfaces)."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from domain_ner.annotations.records import Answer, FileLog, ReaderOptions, Record, Sample, SourceSpan, as_offset
from domain_ner.annotations.round_trip import unpack
from domain_ner.readers.json_files.jsonl import Row, RowError, passage_text, read_rows, sample_rows

NAME = "prodigy"
TITLE = "Prodigy JSONL"
EXTENSIONS = (".jsonl", ".json")

ANSWERS: dict[str, Answer] = {"accept": "accepted", "reject": "rejected", "ignore": "ignored"}
MARKS = {"_input_hash", "_task_hash", "_view_id", "_session_id", "_annotator_id", "_is_binary"}
BARE_TASK = {"text", "spans", "tokens", "meta", "answer"}
# Interfaces that accept or reject spans, but do not change them.
YES_NO_VIEWS = {"ner", "spans"}
# Interfaces that show spans, but ask for something else.
OTHER_VIEWS = {"choice", "classification", "text", "text_input", "html", "compare", "diff", "llm_io", "dep"}


def recognises(sample: Sample) -> bool:
    """Whether a file has Prodigy's tasks."""
    return any(_is_task(row) for row in sample_rows(sample))


def read(path: Path, options: ReaderOptions, log: FileLog) -> Iterator[Record]:
    """Yield a record for each task; two if some spans of a yes/no task were ignored and others answered.

    Raises DomainNerError for a file without rows.
    """
    for line, row in read_rows(path, log):
        try:
            records = _records(row, line, options, log)
        except RowError as err:
            log.problem(line, str(err))
        else:
            yield from records


def _is_task(row: Row) -> bool:
    if not isinstance(row.get("text"), str):
        return False
    if row.keys() & MARKS or row.get("answer") in (*ANSWERS,):
        return True
    spans = row.get("spans")
    if not isinstance(spans, list) or not all(isinstance(span, dict) for span in spans):
        return False
    return row.keys() <= BARE_TASK or any({"start", "end", "label"} <= span.keys() for span in spans)


def _records(row: Row, line: int, options: ReaderOptions, log: FileLog) -> list[Record]:
    text, answer, spans = passage_text(row.get("text")), _answer(row, log), _list(row, "spans")
    tokens, carried = _tokens(row), unpack(row)
    words, spaces = _words(tokens, text, log)
    base = Record(
        text,
        tuple(_span(span, text, tokens) for span in spans),
        file=log.file,
        line=line,
        document=carried.document if carried else str(row.get("_input_hash") or ""),
        answer=ANSWERS[answer],
        annotator=str(row.get("_annotator_id") or row.get("_session_id") or ""),
        meta=_meta(row),
        words=words,
        spaces=spaces,
    )
    if row.get("relations"):
        log.note("relations are not read")
    view = _view(row)
    if _asks_something_else(row, view):
        return [_not_asked(base, view, options, log)]
    if view == "blocks":
        log.note("interface 'blocks': its spans count as annotated")
    if _is_yes_no(row, view, spans):
        log.note('yes/no annotations: text outside them is unknown, not "no entity"')
        return _yes_no(base, spans, answer)
    return [replace(base, spans=_as_shown(base.spans, spans, answer), partial=_says_partial(row, base.meta))]


def _answer(row: Row, log: FileLog) -> str:
    if "answer" not in row:
        log.note("tasks without `answer` count as accepted")
        return "accept"
    answer = row["answer"]
    if not isinstance(answer, str) or answer not in ANSWERS:
        raise RowError(f"answer {answer!r}; expected accept, reject or ignore")
    return answer


def _list(row: Row, key: str) -> list[Any]:
    value = row.get(key) or []
    if not isinstance(value, list):
        raise RowError(f"{key} is a {type(value).__name__}; expected a list")
    return value


def _meta(row: Row) -> Mapping[str, Any]:
    meta = row.get("meta") or {}
    return meta if isinstance(meta, dict) else {"meta": meta}


def _view(row: Row) -> str:
    """Return the interface in which a task was annotated; for a reviewed task, the original interface."""
    view = row.get("_view_id")
    view = row.get("view_id") if view == "review" else view
    return view if isinstance(view, str) else ""


def _asks_something_else(row: Row, view: str) -> bool:
    """Whether the annotator was asked for a category or a choice, with spans only displayed."""
    return view in OTHER_VIEWS or (not view and ("options" in row or isinstance(row.get("label"), str)))


def _not_asked(base: Record, view: str, options: ReaderOptions, log: FileLog) -> Record:
    log.note(f"interface {view or 'choice'!r} does not ask for entities: its spans are input, not annotation")
    if not base.spans:
        return replace(base, answer="not annotated")
    return replace(base, answer="accepted" if options.predictions else "prediction")


def _is_yes_no(row: Row, view: str, spans: list[Any]) -> bool:
    """Whether the question was "are these spans right?" rather than "which are there?"."""
    if row.get("_is_binary") is True or view in YES_NO_VIEWS:
        return True
    keys_of_spans = [span.keys() for span in spans if isinstance(span, dict)]
    if view or not keys_of_spans:
        return False
    if any("answer" in keys for keys in keys_of_spans) or all({"score", "rank"} <= keys for keys in keys_of_spans):
        return True
    return not row.get("tokens") and all(keys & {"score", "pattern"} for keys in keys_of_spans)


def _yes_no(base: Record, spans: list[Any], answer: str) -> list[Record]:
    """Separate accepted and rejected spans from ignored ones; a span's own answer takes precedence."""
    base = replace(base, partial=True)
    if not base.spans:
        return [base]
    judged: list[SourceSpan] = []
    ignored: list[SourceSpan] = []
    for span, raw in zip(base.spans, spans, strict=True):
        own = _own_answer(raw) or answer
        if own != answer:
            repair = f"the span's own answer overrides the task's: {own} / {answer}"
            span = replace(span, repairs=(*span.repairs, repair))  # noqa: PLW2901
        if own == "ignore":
            ignored.append(span)
        else:
            judged.append(replace(span, rejected=own == "reject"))
    parts: list[tuple[list[SourceSpan], Answer]] = [(judged, "accepted"), (ignored, "ignored")]
    return [replace(base, spans=tuple(part), answer=said) for part, said in parts if part]


def _own_answer(span: Any) -> str:
    own = span.get("answer") if isinstance(span, dict) else None
    return own if isinstance(own, str) and own in ANSWERS else ""


def _as_shown(spans: tuple[SourceSpan, ...], raw: list[Any], answer: str) -> tuple[SourceSpan, ...]:
    """Process spans of a completely annotated task: an answer on a span is older than the task's."""
    return tuple(
        replace(span, repairs=(*span.repairs, f"an older answer of the span ignored: {own}"))
        if (own := _own_answer(raw_span)) and own != answer
        else span
        for span, raw_span in zip(spans, raw, strict=True)
    )


def _says_partial(row: Row, meta: Mapping[str, Any]) -> bool:
    """Whether a task says that not all of its entities were marked."""
    return any(
        source.get("no_missing") is False or source.get("ner_missing") is True or source.get("partial") is True
        for source in (row, meta)
    )


def _tokens(row: Row) -> list[Row]:
    tokens = row.get("tokens")
    if not isinstance(tokens, list) or not all(isinstance(token, dict) for token in tokens):
        return []
    return tokens


def _words(tokens: list[Row], text: str, log: FileLog) -> tuple[tuple[str, ...] | None, tuple[bool, ...] | None]:
    """Return the tokens, and whether a space follows each; (None, None) if they do not make up the text."""
    if not tokens:
        return None, None
    words = tuple(str(token.get("text", "")) for token in tokens)
    spaces = _spaces(tokens, len(text))
    joined = "".join(f"{word} " if space else word for word, space in zip(words, spaces, strict=True))
    if joined == f"{text} ":
        joined, spaces = text, (*spaces[:-1], False)
    if joined == text and all(words):
        return words, spaces
    log.note("tokens that do not make up their text are not used")
    return None, None


def _spaces(tokens: list[Row], length: int) -> tuple[bool, ...]:
    """Determine the spaces: Prodigy before 1.9 wrote no `ws`, so the gap to the next token decides."""
    starts = [*(token.get("start") for token in tokens[1:]), length]
    return tuple(
        bool(token["ws"]) if "ws" in token else start != token.get("end")
        for token, start in zip(tokens, starts, strict=True)
    )


def _span(span: Any, text: str, tokens: list[Row]) -> SourceSpan:
    """Parse a span. Offsets that agree with its token indices are correct, whatever its `text` says."""
    if not isinstance(span, dict):
        fault = f"it is {span!r}: expected an object with start, end and label"
        return SourceSpan(None, None, None, fault=fault)
    start, end, label = as_offset(span.get("start")), as_offset(span.get("end")), span.get("label")
    said = span.get("text") if isinstance(span.get("text"), str) else None
    at_tokens = _token_edges(span, tokens)
    if at_tokens is None:
        return SourceSpan(start, end, label, text=said)
    if at_tokens != (start, end):
        return _contradicted(span, text, said, at_tokens)
    if said is not None and said != text[start:end]:
        repair = f"stale text of the span ignored: {said!r} / {text[start:end]!r}"
        return SourceSpan(start, end, label, repairs=(repair,))
    return SourceSpan(start, end, label, text=said)


def _contradicted(span: Row, text: str, said: str | None, at_tokens: tuple[int, int]) -> SourceSpan:
    """Resolve offsets and token indices that disagree: the span's own text decides, else the offsets."""
    start, end, label = as_offset(span.get("start")), as_offset(span.get("end")), span.get("label")
    first, last = at_tokens
    by_text = said is not None and said == text[first:last] and said != _slice(text, start, end)
    if by_text or (start is None and end is None):
        repair = f"token indices used where the offsets disagree: {first}-{last} instead of {start}-{end}"
        return SourceSpan(first, last, label, text=said, repairs=(repair,))
    repair = f"offsets used where the token indices disagree: the tokens are at {first}-{last}"
    return SourceSpan(start, end, label, text=said, repairs=(repair,))


def _slice(text: str, start: Any, end: Any) -> str | None:
    return text[start:end] if isinstance(start, int) and isinstance(end, int) and 0 <= start <= end else None


def _token_edges(span: Row, tokens: list[Row]) -> tuple[int, int] | None:
    """Return start and end of a span's tokens (`token_end` is inclusive); None if it does not name them."""
    first, last = as_offset(span.get("token_start")), as_offset(span.get("token_end"))
    if not isinstance(first, int) or not isinstance(last, int) or not 0 <= first <= last < len(tokens):
        return None
    start, end = as_offset(tokens[first].get("start")), as_offset(tokens[last].get("end"))
    return (start, end) if isinstance(start, int) and isinstance(end, int) else None
