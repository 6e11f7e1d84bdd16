"""Reads spaCy's DocBin (`.spacy`, https://spacy.io/api/docbin) with an empty vocabulary: it needs no pipeline.

`doc.ents` and the span group `sc` are annotations; the group `incorrect_spans` has rejected spans. Tokens whose entity
was never set are unknown, not "no entity".
"""

import zlib
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import srsly

from domain_ner.annotations.doc_keys import REJECTED_KEY, SPANS_KEY
from domain_ner.annotations.records import Answer, FileLog, ReaderOptions, Record, Sample, SourceSpan
from domain_ner.errors import DomainNerError
from domain_ner.readers.tokens.offsets import join_tokens, token_span, unknown_ranges
from domain_ner.readers.tokens.spacing import Spacing

if TYPE_CHECKING:
    from spacy.tokens import Doc, DocBin, Span

NAME = "docbin"
TITLE = "spaCy DocBin (.spacy)"
EXTENSIONS = (".spacy",)
# Keys of `doc.user_data`, as `convert` writes them, that have their own fields in a record.
OWN_KEYS = ("source", "meta", "document", "annotator", "partial")
MISSING, OUTSIDE, BEGINS = 0, 2, 3
ZLIB = b"\x78"
EVIDENCE_BYTES = 1 << 12
# About 16 million tokens, all in memory during reading.
MAX_UNPACKED_BYTES = 1 << 30
CHUNK_BYTES = 1 << 20
MAX_LISTED = 5


def recognises(sample: Sample) -> bool:
    """Whether a file is a DocBin by its compressed beginning, or has the suffix and is not text."""
    if not sample.path.is_file():
        return False
    with sample.path.open("rb") as stream:
        start = stream.read(EVIDENCE_BYTES)
    if start.startswith(ZLIB) and _is_docbin(start):
        return True
    return sample.path.suffix.lower() in EXTENSIONS and not sample.text.lstrip().startswith(("{", "["))


def read(path: Path, options: ReaderOptions, log: FileLog) -> Iterator[Record]:
    """Yield a record per document; `line` is its number, from 1. Documents are created one at a time.

    Raises DomainNerError for a file that is not a DocBin or damaged, or that was saved without its entities.
    """
    bin_ = _load(path)
    groups = _chosen_groups(bin_, options, log)
    _require_entities(path, bin_, groups)
    counts: Counter[str] = Counter()
    spacing = _spacing(bin_, log.file)
    for number, doc in _docs(bin_, log):
        if not len(doc):
            counts["hold no token: left out"] += 1
            continue
        record = _record(doc, number, groups, log, counts, spacing=spacing)
        counts["are unannotated (missing), not empty"] += record.answer == "not annotated"
        yield record
    spacing.report(log)
    for what, n in counts.items():
        if n:
            log.note(f"{n} of {len(bin_)} documents {what}")


@dataclass(frozen=True)
class _Annotated:
    """The annotation of a document. missing: for each token, whether its annotation is unknown.

    said_partial: the corpus itself declares yes/no answers, as those of `convert` do.
    """

    accepted: list["Span"]
    rejected: list["Span"]
    missing: list[bool]
    has_group: bool
    said_partial: bool = False

    @property
    def answer(self) -> Answer:
        nothing = all(self.missing) and not self.accepted and not self.rejected and not self.has_group
        return "not annotated" if nothing else "accepted"

    @property
    def is_partial(self) -> bool:
        """Whether these are yes/no answers: nothing but the spans themselves is known."""
        if self.said_partial:
            return True
        covered = {n for span in self.accepted for n in range(span.start, span.end)}
        outside = [missing for n, missing in enumerate(self.missing) if n not in covered]
        return bool(self.accepted or self.rejected) and not self.has_group and bool(outside) and all(outside)


def _spacing(bin_: "DocBin", file: str) -> Spacing:
    """Infer the spacing of documents that do not have it, such as those of `spacy convert`."""
    spacing = Spacing()
    if any(flags.get("has_unknown_spaces") for flags in bin_.flags):
        for _, doc in _docs(bin_, FileLog(file)):
            spacing.add(token.text for token in doc if doc.has_unknown_spaces)
    return spacing


def _record(  # noqa: PLR0913
    doc: "Doc", number: int, groups: Sequence[str], log: FileLog, counts: Counter[str], *, spacing: Spacing
) -> Record:
    words = tuple(token.text for token in doc)
    own_spaces = tuple(bool(token.whitespace_) for token in doc)
    spaces = spacing.spaces(words) if doc.has_unknown_spaces else own_spaces
    text, starts = join_tokens(words, spaces)
    annotated = _annotated(doc, groups, counts)
    spans = [
        SourceSpan(at.start, at.end, span.label_, rejected=is_rejected)
        for is_rejected, listed in ((False, annotated.accepted), (True, annotated.rejected))
        for span in listed
        for at in [token_span(span.start, span.end, span.label_, words, starts)]
    ]
    # If only spans and no entities were ever set, text outside the spans was annotated nevertheless.
    only_group = annotated.has_group and all(annotated.missing)
    is_known = annotated.is_partial or only_group or annotated.answer != "accepted"
    return Record(
        text=text,
        spans=tuple(spans),
        file=log.file,
        line=number,
        document=str(doc.user_data.get("document", "")),
        answer=annotated.answer,
        annotator=str(doc.user_data.get("annotator", "")),
        meta=_meta(doc),
        partial=annotated.is_partial,
        unknown=() if is_known else unknown_ranges(annotated.missing, words, starts),
        words=words,
        spaces=spaces,
    )


def _annotated(doc: "Doc", groups: Sequence[str], counts: Counter[str]) -> _Annotated:
    accepted = list(doc.ents)
    # An annotation in doc.ents and in a group is one annotation, stored twice.
    in_ents = Counter(_key(span) for span in accepted)
    for group in groups:
        for span in doc.spans.get(group, ()):
            if in_ents[_key(span)] > 0:
                in_ents[_key(span)] -= 1
            else:
                accepted.append(span)
    has_blocked = any(token.ent_iob == BEGINS and not token.ent_type for token in doc)
    counts["have tokens blocked for entities: read as no entity"] += has_blocked
    return _Annotated(
        accepted=accepted,
        rejected=list(doc.spans.get(REJECTED_KEY, ())),
        missing=[token.ent_iob == MISSING for token in doc],
        has_group=any(group in doc.spans for group in groups),
        said_partial=doc.user_data.get("partial") is True,
    )


def _key(span: "Span") -> tuple[int, int, int]:
    return span.start, span.end, span.label


def _meta(doc: "Doc") -> Mapping[str, Any]:
    """Return the metadata of a document: its user data, without custom attributes."""
    kept = {key: value for key, value in doc.user_data.items() if isinstance(key, str)}
    if isinstance(meta := kept.get("meta"), dict):
        kept = {key: value for key, value in kept.items() if key not in OWN_KEYS} | meta
    return {**kept, "cats": dict(doc.cats)} if doc.cats else kept


def _load(path: Path) -> "DocBin":
    from spacy.tokens import DocBin  # noqa: PLC0415

    data = path.read_bytes()
    if _unpacks_to_more(data, MAX_UNPACKED_BYTES):
        raise DomainNerError(
            f"{path.name} unpacks to more than {MAX_UNPACKED_BYTES:,} bytes, which is the limit.",
            "Save its documents in several files.",
        )
    try:
        return DocBin().from_bytes(data)
    except Exception as err:
        fault = (
            "is cut short or damaged" if data.startswith(ZLIB) and _is_docbin(data[:EVIDENCE_BYTES]) else "is no DocBin"
        )
        raise DomainNerError(
            f"{path.name} {fault}: expected what DocBin.to_disk() or `spacy convert` writes ({type(err).__name__}).",
            "Save it again with spaCy 3, or remove the file.",
        ) from err


def _docs(bin_: "DocBin", log: FileLog) -> Iterator[tuple[int, "Doc"]]:
    """Yield (number from 1, document), each created separately, so that a damaged one does not affect others."""
    from spacy.tokens import DocBin  # noqa: PLC0415
    from spacy.vocab import Vocab  # noqa: PLC0415

    vocab = Vocab()
    for string in bin_.strings:
        vocab.strings.add(string)
    single = DocBin()
    single.attrs = bin_.attrs
    for n_doc in range(len(bin_)):
        log.n_documents += 1
        single.tokens, single.spaces = [bin_.tokens[n_doc]], [bin_.spaces[n_doc]]
        single.cats, single.flags = [bin_.cats[n_doc]], [bin_.flags[n_doc]]
        single.span_groups, single.user_data = [bin_.span_groups[n_doc]], [bin_.user_data[n_doc]]
        try:
            doc = next(single.get_docs(vocab))
        except Exception as err:
            log.problem(n_doc + 1, f"cannot be unpacked ({type(err).__name__}: {err}); expected a document of spaCy 3")
            continue
        yield n_doc + 1, doc


def _chosen_groups(bin_: "DocBin", options: ReaderOptions, log: FileLog) -> list[str]:
    """Choose the span groups with annotations: `sc`, or the user's choice, or the only one."""
    sizes = _group_sizes(bin_)
    others = {name: n for name, n in sizes.items() if name not in (SPANS_KEY, REJECTED_KEY)}
    if options.field in sizes:
        chosen = [options.field]
    elif SPANS_KEY in sizes or len(others) != 1 or _n_entities(bin_):
        chosen = [SPANS_KEY]
    else:
        chosen = list(others)
    unread = {name: n for name, n in sizes.items() if n and name not in (*chosen, REJECTED_KEY)}
    if unread:
        listed = ", ".join(f"{name} ({n} spans)" for name, n in list(unread.items())[:MAX_LISTED])
        log.note(f"span groups not read: {listed}; name one in vars.reading (field=…) to read it")
    read_too = {name: sizes[name] for name in chosen if sizes.get(name)}
    for name, n in read_too.items():
        log.note(f"span group {name}: {n} spans")
    return chosen


def _group_sizes(bin_: "DocBin") -> Counter[str]:
    """Count spans by group, without creating the documents."""
    sizes: Counter[str] = Counter()
    for data in bin_.span_groups:
        packed = srsly.msgpack_loads(data) if data else []
        names = packed.items() if isinstance(packed, dict) else ((value, []) for value in packed)
        for group, keys in names:
            unpacked = srsly.msgpack_loads(group)
            for key in keys or [unpacked["name"]]:
                sizes[key] += len(unpacked["spans"])
    return sizes


def _n_entities(bin_: "DocBin") -> int:
    from spacy.attrs import ENT_IOB, ENT_TYPE  # noqa: PLC0415

    if ENT_IOB not in bin_.attrs or ENT_TYPE not in bin_.attrs:
        return 0
    iob, type_ = bin_.attrs.index(ENT_IOB), bin_.attrs.index(ENT_TYPE)
    return sum(int(((tokens[:, iob] == BEGINS) & (tokens[:, type_] != 0)).sum()) for tokens in bin_.tokens)


def _require_entities(path: Path, bin_: "DocBin", groups: Sequence[str]) -> None:
    from spacy.attrs import ENT_IOB, ENT_TYPE  # noqa: PLC0415

    has_entities = ENT_IOB in bin_.attrs and ENT_TYPE in bin_.attrs
    sizes = _group_sizes(bin_)
    if not has_entities and not any(group in sizes for group in (*groups, REJECTED_KEY)):
        raise DomainNerError(
            f"{path.name} was saved without its entities: its attributes lack ENT_IOB or ENT_TYPE.",
            'Save it again with DocBin(attrs=["ENT_IOB", "ENT_TYPE"]), or without `attrs`.',
        )


def _unpacks_to_more(data: bytes, limit: int) -> bool:
    """Whether compressed data unpacks to more than `limit` bytes; holds only a piece of it in memory."""
    unpacker, n_bytes = zlib.decompressobj(), 0
    with suppress(zlib.error):  # damaged: loading will report it
        for start in range(0, len(data), CHUNK_BYTES):
            packed = data[start : start + CHUNK_BYTES]
            while packed and n_bytes <= limit:
                n_bytes += len(unpacker.decompress(packed, CHUNK_BYTES))
                packed = unpacker.unconsumed_tail
    return n_bytes > limit


def _is_docbin(start: bytes) -> bool:
    """Whether the beginning of a compressed file unpacks to the beginning of a DocBin."""
    try:
        unpacked = zlib.decompressobj().decompress(start, EVIDENCE_BYTES)
    except zlib.error:
        return False
    return b"version" in unpacked[:32] or b"attrs" in unpacked[:64]
