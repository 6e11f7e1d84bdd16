"""Makes exports at random in which spans lie on one of several texts that is known, with names that may deceive."""

import csv
import json
import random
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

KEYS = ("text", "title", "body", "summary", "note")
WORDS = ("the", "red", "service", "of", "Anna", "runs", "in", "two", "regions", "and", "Redis", "lost", "its", "Oslo")
ALL, SOME, NONE = SAID = ("all", "some", "none")


@dataclass(frozen=True)
class Span:
    """A span of a tag in a task. words: as the export gives them."""

    tag: str
    start: int
    end: int
    words: str | None


@dataclass(frozen=True)
class Case:
    """An export. truth: the key that each tag shows. said: which spans have words. tasks: (texts by key, spans)."""

    truth: dict[str, str]
    said: str
    tasks: Sequence[tuple[dict[str, str], list[Span]]]

    def is_decided_by_words(self) -> bool:
        """Whether words show the key of each tag, for some of each stand at their offsets in no other text."""
        spans = [(data, span) for data, found in self.tasks for span in found]
        tags = {span.tag for _, span in spans}
        return self.said == ALL and bool(tags) and all(
            any(data[key][one.start : one.end] != one.words for data, one in spans if one.tag == tag and one.words)
            for tag in tags for key in self.tasks[0][0] if key != self.truth[tag]
        )  # fmt: skip


def make_case(seed: int) -> Case:
    """A case, which the seed says all about."""
    rng = random.Random(seed)
    keys = rng.sample(KEYS, rng.choice((2, 2, 3)))
    shown = rng.sample(keys, rng.choice((1, 1, 2)))
    names = rng.choice((shown, shown[::-1], rng.sample(KEYS, len(shown)), ["t1", "t2"][: len(shown)], keys[-1:]))
    truth = dict(zip(names, shown, strict=False))
    said, aligned = rng.choice(SAID), rng.random() < 0.75
    kinds = {key: rng.choice((_sentence, _sentence, _sentence, _one_word, _unspaced, _apart, _copy)) for key in keys}
    n_words = {key: rng.choice((2, 6, 15, 40)) for key in keys}
    tasks = []
    for _ in range(rng.choice((1, 1, 2, 4))):
        data: dict[str, str] = {}
        for key in keys:
            data[key] = kinds[key](rng, n_words[key], list(data.values()))
        found = [
            _span(rng, tag, data[key], aligned, said) for tag, key in truth.items() for _ in range(rng.randint(0, 5))
        ]
        tasks.append((data, [span for span in found for _ in range(rng.choice((1, 1, 1, 2)))]))
    return Case(truth, said, tasks)


def _sentence(rng: random.Random, n_words: int, before: list[str]) -> str:
    return " ".join(rng.choices(WORDS, k=n_words)) + rng.choice((".", ""))


def _one_word(rng: random.Random, n_words: int, before: list[str]) -> str:
    return "".join(rng.choices(WORDS, k=n_words))


def _unspaced(rng: random.Random, n_words: int, before: list[str]) -> str:
    return "".join(rng.choices("数据库很快速度我们在北京上海的人", k=4 * n_words))


def _apart(rng: random.Random, n_words: int, before: list[str]) -> str:
    return " ".join(rng.choices("数据库abc1😀-", k=2 * n_words))


def _copy(rng: random.Random, n_words: int, before: list[str]) -> str:
    """The text before this one, or one that begins or ends as it does."""
    text = before[-1] if before else _sentence(rng, n_words, before)
    return rng.choice((text, text[: len(text) // 2 + 1], f"{text} {_sentence(rng, n_words, before)}", f"On {text}"))


def _span(rng: random.Random, tag: str, text: str, aligned: bool, said: str) -> Span:
    start = rng.randrange(len(text))
    if aligned:
        starts = [n for n in range(len(text)) if not text[n].isspace() and (n == 0 or not text[n - 1].isalnum())]
        start = rng.choice(starts)
        end = next((n for n in range(start + 1, len(text)) if not text[n].isalnum()), len(text))
    else:
        end = min(len(text), start + rng.randint(1, 8))
    has_words = said == ALL or (said == SOME and rng.random() < 0.5)
    return Span(tag, start, end, text[start:end] if has_words and text[start:end].strip() else None)


# As each tool writes it


def value_of(span: Span) -> dict[str, Any]:
    """The `value` of Label Studio."""
    told = {} if span.words is None else {"text": span.words}
    return {"start": span.start, "end": span.end, **told, "labels": [span.tag]}


def write_json(case: Case, folder: Path) -> Path:
    """Label Studio's JSON."""
    tasks = []
    for n, (data, spans) in enumerate(case.tasks, start=1):
        result = [{"from_name": "l", "to_name": span.tag, "type": "labels", "value": value_of(span)} for span in spans]
        tasks.append({"id": n, "data": data, "annotations": [{"id": n, "completed_by": 1, "result": result}]})
    return _written(folder / "tasks.json", json.dumps(tasks))


def rows_of(case: Case) -> list[dict[str, Any]]:
    """Rows as JSON_MIN has them, where names are those of labelling tags, which no key of a task's data has."""
    rows = []
    for n, (data, spans) in enumerate(case.tasks, start=1):
        row: dict[str, Any] = {**data, "id": n, "annotator": 1, "annotation_id": n, "lead_time": 1.5}
        for span in spans:
            row.setdefault(f"of-{span.tag}", []).append(value_of(span))
        rows.append(row)
    return rows


def write_min(case: Case, folder: Path) -> Path:
    """Label Studio's JSON_MIN."""
    return _written(folder / "min.json", json.dumps(rows_of(case)))


def write_csv(case: Case, folder: Path) -> Path:
    """Label Studio's CSV."""
    rows = rows_of(case)
    header = sorted({key for row in rows for key in row})
    with (folder / "table.csv").open("w", newline="", encoding="utf8") as stream:
        out = csv.writer(stream, quoting=csv.QUOTE_NONNUMERIC)
        out.writerow(header)
        cells = [[row.get(key) for key in header] for row in rows]
        out.writerows([[json.dumps(one) if isinstance(one, list) else one for one in row] for row in cells])
    return folder / "table.csv"


def write_dialogues(case: Case, folder: Path) -> Path:
    """Label Studio's JSON where each text is a dialogue of one paragraph."""
    tasks = []
    for n, (data, spans) in enumerate(case.tasks, start=1):
        result = []
        for span in spans:
            said = {"startOffset": span.start, "endOffset": span.end, "start": "0", "end": "0"}
            value = {**value_of(span), **said, "paragraphlabels": [span.tag]}
            result.append({"from_name": "l", "to_name": span.tag, "type": "paragraphlabels", "value": value})
        talks = {key: [{"author": "A", "text": text}] for key, text in data.items()}
        tasks.append({"id": n, "data": talks, "annotations": [{"id": n, "completed_by": 1, "result": result}]})
    return _written(folder / "tasks.json", json.dumps(tasks))


def write_argilla(case: Case, folder: Path) -> Path:
    """Argilla's records, whose one question is that of the first tag."""
    tag, rows = next(iter(case.truth)), []
    for n, (data, spans) in enumerate(case.tasks, start=1):
        told = [
            {"start": one.start, "end": one.end, "label": one.tag, **({"text": one.words} if one.words else {})}
            for one in spans
            if one.tag == tag
        ]
        answer = {"value": told, "user_id": "u", "status": "submitted"}
        rows.append({"id": str(n), "fields": data, "metadata": {}, "suggestions": {}, "responses": {tag: [answer]}})
    return _written(folder / "records.json", json.dumps(rows))


def _written(path: Path, text: str) -> Path:
    path.write_text(text, encoding="utf8")
    return path
