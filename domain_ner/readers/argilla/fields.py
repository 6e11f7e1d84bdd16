"""Determines which question of Argilla's records the spans answer, and which field they lie on.

A record says neither: the dataset's settings do, or the whole file shows it.
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
from domain_ner.readers.text_choice.fit import DisplayedText, as_offsets

# Keys of a flattened record that are not text fields.
SYSTEM_KEYS = {"id", "_server_id", "status", "external_id", "metadata", "inserted_at", "updated_at", "vectors"}
METADATA = "metadata."
# Where `dataset.to_disk` writes the settings, and where people put them.
SETTINGS = (".argilla/settings.json", "settings.json")


@dataclass(frozen=True)
class ChosenField:
    """What to read. question: the one that spans answer. field: the one they lie on; empty if there is no text."""

    question: str = ""
    field: str = ""


@dataclass
class Survey:
    """Statistics of the records of a file.

    questions: by name, whether spans answer it. submitted: the questions that somebody has answered.
    """

    questions: dict[str, bool] = field(default_factory=dict)
    submitted: set[str] = field(default_factory=set)
    evidence: Evidence = field(default_factory=Evidence)

    def add(self, row: Row) -> None:
        """Add a record."""
        texts = {key: DisplayedText(text) for key, text in fields_of(row).items() if isinstance(text, str)}
        self.evidence.see(texts)
        for name, question in questions_of(row).items():
            self.questions[name] = self.questions.get(name, False) or question.is_span
            self.submitted |= (
                {name} if any(response.status in (None, "submitted") for response in question.responses) else set()
            )
            for start, end, words in _spans(question):
                self.evidence.add(name, words, texts, as_offsets(start, end))


def fields_of(row: Row) -> dict[str, Any]:
    """Return the possible text fields; of a flattened record also metadata, which cannot be distinguished."""
    if isinstance(row.get("fields"), Mapping):
        return dict(row["fields"])
    name_parts = (RESPONSES, SUGGESTION, OLD_SUGGESTION)
    return {
        key: value
        for key, value in row.items()
        if key not in SYSTEM_KEYS and not key.startswith(METADATA) and not any(part in key for part in name_parts)
    }


def meta_of(row: Row, asked: ChosenField) -> dict[str, Any]:
    """Return the metadata of a record: other fields, and its own metadata."""
    plain = (str, int, float)
    others = {
        key: value
        for key, value in fields_of(row).items()
        if key != asked.field and isinstance(value, plain) and value != ""
    }
    metadata = row.get("metadata")
    flattened = {key.removeprefix(METADATA): value for key, value in row.items() if key.startswith(METADATA)}
    return {**others, **(metadata if isinstance(metadata, Mapping) else {}), **flattened}


def choose(path: Path, rows: Iterator[Row], wanted: str) -> ChosenField:
    """Decide what to read of a file.

    wanted: the user's choice: a question, a field, or both (`ner,title`).
    Raises DomainNerError if nothing determines it.
    """
    survey = Survey()
    for row in rows:
        survey.add(row)
    said, settings = [part.strip() for part in wanted.split(",")], _settings(path)
    question = _question(path.name, survey, said, settings)
    candidates = survey.evidence.candidates()
    if not candidates:
        return ChosenField(question)
    named = [key for key in said if key in candidates and key != question] or [settings.get(question, "")]
    if named[0] in candidates:
        return ChosenField(question, named[0])
    return ChosenField(question, _field(path.name, survey, question, candidates))


def _question(file: str, survey: Survey, said: Sequence[str], settings: Mapping[str, str]) -> str:
    spans = [name for name, is_span in survey.questions.items() if is_span]
    names = spans or [name for name in settings if name in survey.questions] or list(survey.questions)
    if named := [name for name in said if name in survey.questions]:
        return named[0]
    if len(names) > 1:
        raise DomainNerError(
            f"{file}: the questions {' and '.join(names)} may each have the entities.",
            "Name the one to read in vars.reading (field=…).",
        )
    return names[0] if names else ""


def _field(file: str, survey: Survey, question: str, candidates: Sequence[str]) -> str:
    n_spans, possible = survey.evidence.n_spans[question], list(candidates)
    if n_spans:
        possible = survey.evidence.may_be(question, candidates)
    elif question not in survey.submitted:  # a text that nobody has annotated is not used
        possible = possible[:1]
    if len(possible) == 1:
        return possible[0]
    reason = f"{n_spans} spans of {question!r} may lie on {' or '.join(possible)}"
    if not n_spans:
        reason = f"there is no span of {question!r} to decide: {' or '.join(possible)}"
    elif not possible:
        reason = f"the words of the {n_spans} spans of {question!r} occur in none of {', '.join(candidates)}"
    raise DomainNerError(
        f"{file}: cannot determine which text was annotated: {reason}.",
        f"Name it in vars.reading (field={(possible or candidates)[0]}), or put the dataset's settings beside the file,"
        " as settings.json: `dataset.settings.to_json` writes them.",
    )


def _spans(question: Question) -> Iterator[tuple[Any, Any, str | None]]:
    """Yield (start, end, words) of all spans that answer a question, and of its suggestion."""
    for value in (*(span.value for span in question.responses), question.suggestion):
        for span in spans_in(value):
            if isinstance(span, Mapping):
                words = span.get("text")
                yield span.get("start"), span.get("end"), words if isinstance(words, str) and words.strip() else None


def _settings(path: Path) -> dict[str, str]:
    """Read the field of each span question from the settings of the dataset beside the file."""
    for name in SETTINGS:
        try:
            read = load((path.parent / name).read_text(encoding="utf8")).value
        except (OSError, ValueError):
            continue
        questions = read.get("questions") if isinstance(read, dict) else None
        return {
            str(question.get("name")): str(question["settings"]["field"])
            for question in questions or ()
            if _is_span(question)
        }
    return {}


def _is_span(question: Any) -> bool:
    settings = question.get("settings") if isinstance(question, Mapping) else None
    return isinstance(settings, Mapping) and settings.get("type") == "span" and isinstance(settings.get("field"), str)
