"""Reads tokens and tags of Hugging Face data sets: JSONL, an array, or a response of the data-set viewer."""

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeGuard

from domain_ner.annotations.records import FileLog, ReaderOptions, Record, Sample
from domain_ner.annotations.round_trip import unpack, with_carried
from domain_ner.annotations.tag_schemes import PREFIXED, Tag, TagStatistics
from domain_ner.errors import DomainNerError
from domain_ner.readers.json_files.guarded_json import JsonError, load
from domain_ner.readers.json_files.json_rows import first_rows, first_values, json_rows, list_at
from domain_ner.readers.text_choice.read_twice import ReadTwice
from domain_ner.readers.text_files.decoding import read_sample, read_text
from domain_ner.readers.tokens.spacing import Spacing
from domain_ner.readers.tokens.tagged import with_label
from domain_ner.readers.tokens.tagged_words import TagDecoder, Tagged

NAME = "hf_json"
TITLE = "Hugging Face JSON (tokens and ner_tags)"
EXTENSIONS = (".json", ".jsonl")

WORDS = ("tokens", "words", "token", "sentence", "text")
TAGS = ("ner_tags", "ner", "tags", "labels", "ner_labels", "ner_tag", "label", "bio_tags", "iob_tags", "bio", "iob")
SPACES = ("space_after", "spaces", "trailing_whitespace", "ws", "whitespace")
TEXTS = ("text", "full_text", "sentence", "raw")
IDS = ("id", "document", "doc_id", "doc_key", "guid")
ROW_LISTS = ("rows", "data", "train", "validation", "dev", "test", "examples", "documents", "sentences")
INFO_FILES = ("dataset_info.json", "dataset_infos.json")
MISSING = -100
NOT_NER = ("pos", "upos", "xpos", "chunk", "srl", "dep")


def recognises(sample: Sample) -> bool:
    """Whether rows have a list of words and a list of tags."""
    return any(_words_key(row) and tag_keys(row) for row in map(_row, first_rows(sample, ROW_LISTS)))


def read(path: Path, options: ReaderOptions, log: FileLog) -> Iterator[Record]:
    """Yield a record for each row.

    options.field: the key of the tags; options.label_names: names of integer tags.
    Raises DomainNerError when there are no rows, and when tags are missing, are numbers without names, or have no type.
    """
    rows = ReadTwice(path, lambda log: json_rows(path, log, ROW_LISTS))
    survey = Survey.of(path, (_row(row) for _, row in rows.first()), options)
    names = survey.names(path, options, log) if survey.numbers else ()
    statistics, spacing = TagStatistics(), Spacing()
    for _, row in rows.again(FileLog(path.name)):
        statistics.add(tag for tag in _named(_row(row), survey.key, names) if isinstance(tag, str))
        spacing.add(word for word in list_at(_row(row), _words_key(_row(row))) if isinstance(word, str))
    decoder = TagDecoder(log, with_label(statistics.scheme(), options, log.file), spacing)
    for line, row in rows.again(log):
        try:
            record = decoder.record(_tagged(_row(row), line, survey.key, names))
        except ValueError as err:
            log.problem(line, str(err))
        else:
            if record is not None:
                yield record
    survey.report(log)
    decoder.report()


@dataclass
class Survey:
    """Statistics of a file's rows. key: of the tags. others: other keys with tags. numbers: integer tags, also if
    written as text. n_missing: tokens that are not annotated.
    """

    key: str
    others: Collection[str] = ()
    numbers: set[int] = field(default_factory=set)
    n_missing: int = 0

    @classmethod
    def of(cls, path: Path, rows: Iterable[dict[str, Any]], options: ReaderOptions) -> "Survey":
        """Survey all rows of a file. Raises DomainNerError if none has tags."""
        tags_of: dict[str, Counter[Any]] = {}
        keys: dict[str, None] = {}
        for row in rows:
            keys.update(dict.fromkeys(row))
            for key in [*tag_keys(row), *filter(None, [options.field])]:
                tags = [tag for tag in list_at(row, key) if tag is None or isinstance(tag, str | int)]
                tags_of.setdefault(key, Counter()).update(tags)
        chosen = options.field or next((key for key in TAGS if key in tags_of), next(iter(tags_of), ""))
        if not chosen or chosen not in keys:
            raise DomainNerError(
                f"{path}: no tags under `{chosen or 'ner_tags'}`; its rows have {', '.join(keys) or 'no keys'}.",
                "Give the key of the tags with vars.reading (field=…).",
            )
        counted = tags_of[chosen]
        return cls(
            chosen, [key for key in tags_of if key != chosen], _numbers(counted), counted[MISSING] + counted[None]
        )

    def names(self, path: Path, options: ReaderOptions, log: FileLog) -> Sequence[str]:
        """Return the names of integer tags. Raises DomainNerError if they are unknown."""
        if options.label_names:
            return options.label_names
        for source, features in _features(path):
            if names := _class_names(features.get(self.key)):
                log.note(f"label names from {source}")
                return names
        raise DomainNerError(
            f"{path}: {self.key} are numbers {min(self.numbers)}..{max(self.numbers)} without names.",
            "Give their names in vars.reading (label_names=…), or put dataset_info.json beside the file.",
        )

    def report(self, log: FileLog) -> None:
        """Note which key was read."""
        others = ", ".join(f"`{key}`" for key in self.others)
        log.note(
            f"tags from `{self.key}`"
            + (f"; {others} have tags too: choose with vars.reading (field=…)" if others else "")
        )
        if self.n_missing:
            log.note(f"{self.n_missing} tokens have the tag null or {MISSING}: not annotated")


def tag_keys(row: Any) -> list[str]:
    """List the keys of a row that hold tags of named entities."""
    known = [key for key in TAGS if _are_tags(list_at(row, key))]
    return known + [
        key
        for key in (row if isinstance(row, dict) else ())
        if key not in (*known, *WORDS) and _are_tags(tags := list_at(row, key)) and not key.startswith(NOT_NER)
        and (key.endswith("ner_tags") or any(isinstance(tag, str) and PREFIXED.fullmatch(tag) for tag in tags))
    ]  # fmt: skip


def _row(row: Any) -> dict[str, Any]:
    """Return a row; unwrap it if the data-set viewer wrapped it."""
    if isinstance(row, dict) and isinstance(row.get("row"), dict):
        row = row["row"]
    return row if isinstance(row, dict) else {}


def _tagged(row: dict[str, Any], line: int, key: str, names: Sequence[str]) -> Tagged:
    """Parse a row. Raises ValueError if words and tags do not match."""
    words_key = _words_key(row)
    words = list_at(row, words_key)
    if not words_key or not isinstance(row.get(key), list):
        raise ValueError(f"a row with {', '.join(row) or 'no keys'}; expected a list of words and a list `{key}`")
    if bad := next((word for word in words if not isinstance(word, str)), None):
        raise ValueError(f"a token is {bad!r}; expected words")
    if len(words) != len(row[key]):
        raise ValueError(f"{len(words)} tokens, {len(row[key])} tags; expected one tag for each token")
    spaces_key = next((name for name in SPACES if len(list_at(row, name)) == len(words) > 0), "")
    text = next((row[name] for name in TEXTS if isinstance(row.get(name), str)), None)
    used = {words_key, key, spaces_key, *TEXTS, *IDS}
    carried = unpack(row)
    meta = {name: value for name, value in row.items() if name not in used and isinstance(value, str | int | float)}
    document = str(next((row[name] for name in IDS if row.get(name) is not None), ""))
    return Tagged(
        line,
        words,
        [_checked(tag, n, key, names) for n, tag in enumerate(_named(row, key, names), start=1)],
        [bool(space) for space in row[spaces_key]] if spaces_key else None,
        text,
        carried.document if carried else document,
        with_carried(meta, carried),
        carried.annotator if carried else "",
    )


def _named(row: dict[str, Any], key: str, names: Sequence[str]) -> list[Any]:
    """Convert tags to names; None if nobody annotated; a number without a name stays."""
    tags = (None if tag == MISSING else tag for tag in list_at(row, key))
    if names:
        tags = (int(tag) if isinstance(tag, str) and tag.isdecimal() else tag for tag in tags)
    return [names[tag] if _is_number(tag) and 0 <= tag < len(names) else tag for tag in tags]


def _numbers(tags: Iterable[Any]) -> set[int]:
    """Collect the numbers among tags; text counts only if every text is a number ("0" may mean `O`)."""
    texts = {tag for tag in tags if isinstance(tag, str)}
    written = {int(tag) for tag in texts} if all(tag.isdecimal() for tag in texts) else set()
    return {tag for tag in tags if _is_number(tag) and tag != MISSING} | written


def _checked(tag: Any, n_token: int, key: str, names: Sequence[str]) -> Tag:
    if tag is None or isinstance(tag, str):
        return tag
    if _is_number(tag):
        raise ValueError(f"tag id {tag} at token {n_token}; `{key}` has only {len(names)} names (0..{len(names) - 1})")
    raise ValueError(f"the tag of token {n_token} is {tag!r}; expected a name or a number")


def _features(path: Path) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Yield (file name, type of each key) from the file itself, and from files beside it or one folder above."""
    start = first_values(read_sample(path)[0])
    if start and isinstance(start[0], dict) and isinstance(start[0].get("features"), list):
        items = [item for _, item in json_rows(path, FileLog(path.name), ("features",))]
        yield path.name, {str(item.get("name")): item.get("type") for item in items if isinstance(item, dict)}
    for folder, name in ((folder, name) for folder in (path.parent, path.parent.parent) for name in INFO_FILES):
        if (folder / name).is_file():
            info = _read_info(folder / name)
            for config in info.values() if name == INFO_FILES[1] else [info]:
                yield name, (config.get("features") if isinstance(config, dict) else None) or {}


def _read_info(path: Path) -> dict[str, Any]:
    try:
        info = load(read_text(path, FileLog(path.name)))
    except JsonError as err:
        raise DomainNerError(f"{path} cannot be read: {err}.", "Copy it again from the data set.") from err
    if info.fault:
        raise DomainNerError(f"{path}: {info.fault}.", "Copy it again from the data set.")
    return info.value if isinstance(info.value, dict) else {}


def _class_names(kind: Any) -> list[str]:
    """Return the names of a ClassLabel, however deeply nested in lists."""
    if isinstance(kind, dict) and isinstance(kind.get("names"), list):
        return [str(name) for name in kind["names"]]
    inner = kind.values() if isinstance(kind, dict) else kind if isinstance(kind, list) else ()
    return next((names for part in inner if (names := _class_names(part))), [])


def _words_key(row: dict[str, Any]) -> str:
    return next((key for key in WORDS if isinstance(row.get(key), list) and not _holds_objects(row[key])), "")


def _holds_objects(values: list[Any]) -> bool:
    return any(isinstance(value, dict | list) for value in values)


def _are_tags(values: list[Any]) -> bool:
    return bool(values) and all(value is None or isinstance(value, str) or _is_number(value) for value in values)


def _is_number(value: Any) -> TypeGuard[int]:
    return isinstance(value, int) and not isinstance(value, bool)
