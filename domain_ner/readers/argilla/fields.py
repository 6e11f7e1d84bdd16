"""The question of Argilla's records that spans answer, and the field on which they lie: as the dataset's settings say,
or as a whole file shows. A record says neither.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from domain_ner.errors import DomainNerError
from domain_ner.readers.argilla.questions import OLD_SUGGESTION, RESPONSES, SUGGESTION, Question, questions_of, spans_in
from domain_ner.readers.json_files.guarded_json import load
from domain_ner.readers.json_files.jsonl import Row
from domain_ner.readers.text_choice.evidence import Evidence
from domain_ner.readers.text_choice.fit import Shown, as_offsets

# Keys of a flattened record that are no field of the text.
SYSTEM_KEYS = {"id", "_server_id", "status", "external_id", "metadata", "inserted_at", "updated_at", "vectors"}
METADATA = "metadata."
# Where `dataset.to_disk` writes the settings, and where people put them.
SETTINGS = (".argilla/settings.json", "settings.json")


@dataclass(frozen=True)
class Asked:
    """What is read. question: the one that spans answer. field: on which they lie; empty where there is no text."""

    question: str = ""
    field: str = ""


@dataclass
class Survey:
    """What the records of a file show.

    questions: by name, whether spans answer it. submitted: those that somebody has answered.
    """

    questions: dict[str, bool] = field(default_factory=dict)
    submitted: set[str] = field(default_factory=set)
    evidence: Evidence = field(default_factory=Evidence)

    def add(self, row: Row) -> None:
        """Look at a record."""
        texts = {key: Shown(text) for key, text in fields_of(row).items() if isinstance(text, str)}
        self.evidence.see(texts)
        for name, question in questions_of(row).items():
            self.questions[name] = self.questions.get(name, False) or question.is_span
            self.submitted |= {name} if any(one.status in (None, "submitted") for one in question.responses) else set()
            for start, end, words in _spans(question):
                self.evidence.add(name, words, texts, as_offsets(start, end))


def fields_of(row: Row) -> dict[str, Any]:
    """What may be a field with the text; of a flattened record metadata too, for nothing tells them apart."""
    if isinstance(row.get("fields"), Mapping):
        return dict(row["fields"])
    marks = (RESPONSES, SUGGESTION, OLD_SUGGESTION)
    return {
        key: value
        for key, value in row.items()
        if key not in SYSTEM_KEYS and not key.startswith(METADATA) and not any(mark in key for mark in marks)
    }


def meta_of(row: Row, asked: Asked) -> dict[str, Any]:
    """What a record says beside its text: other fields, and its metadata."""
    plain = (str, int, float)
    others = {
        key: value
        for key, value in fields_of(row).items()
        if key != asked.field and isinstance(value, plain) and value != ""
    }
    metadata = row.get("metadata")
    flat = {key.removeprefix(METADATA): value for key, value in row.items() if key.startswith(METADATA)}
    return {**others, **(metadata if isinstance(metadata, Mapping) else {}), **flat}


def choose(path: Path, rows: Iterator[Row], wanted: str) -> Asked:
    """Decide what is read of a file.

    wanted: what the user says: a question, a field, or both (`ner,title`).
    Raises DomainNerError where nothing tells it.
    """
    survey = Survey()
    for row in rows:
        survey.add(row)
    said, settings = [part.strip() for part in wanted.split(",")], _settings(path)
    question = _question(path.name, survey, said, settings)
    candidates = survey.evidence.candidates()
    if not candidates:
        return Asked(question)
    named = [key for key in said if key in candidates and key != question] or [settings.get(question, "")]
    if named[0] in candidates:
        return Asked(question, named[0])
    return Asked(question, _field(path.name, survey, question, candidates))


def _question(file: str, survey: Survey, said: Sequence[str], settings: Mapping[str, str]) -> str:
    spans = [name for name, is_span in survey.questions.items() if is_span]
    names = spans or [name for name in settings if name in survey.questions] or list(survey.questions)
    if named := [name for name in said if name in survey.questions]:
        return named[0]
    if len(names) > 1:
        raise DomainNerError(
            f"{file}: the questions {' and '.join(names)} may each hold the entities.",
            "Name the one to read in vars.reading (field=…).",
        )
    return names[0] if names else ""


def _field(file: str, survey: Survey, question: str, candidates: Sequence[str]) -> str:
    n_spans, found = survey.evidence.n_spans[question], list(candidates)
    if n_spans:
        found = survey.evidence.may_be(question, candidates)
    elif question not in survey.submitted:  # a text that nobody has annotated is not used
        found = found[:1]
    if len(found) == 1:
        return found[0]
    told = f"{n_spans} spans of {question!r} may lie on {' or '.join(found)}"
    if not n_spans:
        told = f"no span of {question!r} is there to show it: {' or '.join(found)}"
    elif not found:
        told = f"the words of the {n_spans} spans of {question!r} stand in none of {', '.join(candidates)}"
    raise DomainNerError(
        f"{file}: cannot tell which text was annotated: {told}.",
        f"Name it in vars.reading (field={(found or candidates)[0]}), or put the dataset's settings beside the file, as"
        " settings.json: `dataset.settings.to_json` writes them.",
    )


def _spans(question: Question) -> Iterator[tuple[Any, Any, str | None]]:
    """(start, end, words) of all spans that answer a question, and of its suggestion."""
    for value in (*(one.value for one in question.responses), question.suggestion):
        for one in spans_in(value):
            if isinstance(one, Mapping):
                words = one.get("text")
                yield one.get("start"), one.get("end"), words if isinstance(words, str) and words.strip() else None


def _settings(path: Path) -> dict[str, str]:
    """The field of each span question, as the settings of the dataset beside the file say."""
    for name in SETTINGS:
        try:
            read = load((path.parent / name).read_text(encoding="utf8")).value
        except (OSError, ValueError):
            continue
        questions = read.get("questions") if isinstance(read, dict) else None
        return {str(one.get("name")): str(one["settings"]["field"]) for one in questions or () if _is_span(one)}
    return {}


def _is_span(question: Any) -> bool:
    settings = question.get("settings") if isinstance(question, Mapping) else None
    return isinstance(settings, Mapping) and settings.get("type") == "span" and isinstance(settings.get("field"), str)
