"""Writes the change log of a version, CHANGES.md: scores, data and settings beside those of the version before."""

from collections.abc import Iterable, Mapping

from domain_ner.evaluation.schema import TypeScore
from domain_ner.releasing.data import DataChanges, TypeChanges
from domain_ner.releasing.records import Judged, ReleaseRecord
from domain_ner.reports.comparison_markdown import difference, interval, p_value
from domain_ner.reports.markdown import ALL_ROW, code, table
from domain_ner.reports.numbers import percent, with_interval

# Settings to list; of the others, the number.
MAX_SETTINGS = 50
ABSENT = "–"


def changelog(record: ReleaseRecord, parent: ReleaseRecord | None, changes: DataChanges) -> str:
    """Render the change log. parent: the version in use before; None: there was none. changes: of the data."""
    follows = f"It follows {parent.version} of {parent.date[:10]}." if parent else "It is the first version."
    parts = [f"# {record.package} {record.version}", f"{record.date[:10]}. {follows} Number: {record.bump}."]
    parts += ["## Gate", *_gate(record)]
    parts += ["## Scores", *_scores(record, parent)]
    parts += ["## Data", *(_data(changes) if parent else _first_data(record))]
    parts += ["## Types and settings", *_settings(record, parent)]
    return "\n\n".join(parts) + "\n"


def _gate(record: ReleaseRecord) -> Iterable[str]:
    gate = record.gate
    if not gate.baseline:
        yield "There is no pipeline in use to compare with."
    elif gate.is_same:
        yield f"The same weights and settings as {gate.baseline}: nothing to compare."
    for result in gate.results:
        left_out = f" {result.n_learned:,} that a pipeline was trained on are left out." if result.n_learned else ""
        yield f"On {result.n_passages:,} {result.test_set} passages.{left_out} {result.verdict}"
    if gate.forced:
        yield f"**Released although the gate failed**: {gate.forced}"


def _scores(record: ReleaseRecord, parent: ReleaseRecord | None) -> Iterable[str]:
    if record.micro:
        yield "F1 as `evaluate` measured it, with 95 % intervals, in per cent:"
        scored = {**record.scores, ALL_ROW: record.micro}
        before = {**parent.scores, ALL_ROW: parent.micro} if parent else {}
        labels = [*record.scores, *(label for label in before if label not in scored), ALL_ROW]
        rows = [[label, _f1(before.get(label)), *_now(scored.get(label))] for label in labels]
        heads = ["type", "before", "now", "support"]
        yield table(heads, rows) if parent else table([heads[0], *heads[2:]], [[row[0], *row[2:]] for row in rows])
        if parent and parent.data.sha256["test"] != record.data.sha256["test"]:
            yield "The test set is another one: these two columns are not comparable; the next table is."
    for result in record.gate.results:
        if result.overall:
            yield f"Both pipelines on the same {result.n_passages:,} {result.test_set} passages:"
            yield _compared(result)


def _f1(score: TypeScore | None) -> str:
    return with_interval(score.f1) if score else ABSENT


def _now(score: TypeScore | None) -> list[str]:
    return [_f1(score), f"{score.support:,}" if score else ABSENT]


def _compared(result: Judged) -> str:
    rows = {**result.by_type, **({ALL_ROW: result.overall} if result.overall else {})}
    return table(
        ["type", "before", "now", "difference", "95 %", "p (Holm)", "verdict"],
        [
            [
                label,
                percent(row.first),
                percent(row.second),
                difference(row.difference),
                interval(row),
                p_value(row.p_holm),
                row.verdict,
            ]
            for label, row in rows.items()
        ],
    )


def _data(changes: DataChanges) -> Iterable[str]:
    if not changes:
        yield "No passage and no annotation changed."
    yield table(["passages", "before", "added", "removed", "now"], _rows(changes.by_split))
    if changes.n_moved:
        yield f"{changes.n_moved:,} passages moved to another split; they count as removed and added."
    yield table(["annotations", "before", "added", "removed", "now"], _rows(changes.by_type))
    if changes.n_boundaries or changes.n_types:
        yield (
            f"In passages that stayed, {changes.n_boundaries:,} annotations have other boundaries, and"
            f" {changes.n_types:,} another type; they count as removed and added."
        )


def _first_data(record: ReleaseRecord) -> Iterable[str]:
    yield table(["passages", "number"], [[split, f"{n:,}"] for split, n in record.data.passages.items()])
    rows = [[label, *(f"{n:,}" for n in by_split.values())] for label, by_split in record.data.annotations.items()]
    yield table(["annotations", *record.data.passages], rows)


def _rows(changes: Mapping[str, TypeChanges]) -> list[list[str]]:
    return [[name, *(f"{n:,}" for n in (row.before, row.added, row.removed, row.now))] for name, row in changes.items()]


def _settings(record: ReleaseRecord, parent: ReleaseRecord | None) -> Iterable[str]:
    encoder = record.encoder or "not stated"
    if parent is None:
        yield f"Types: {', '.join(record.labels)}. Encoder: {encoder}."
        return
    gone, new = set(parent.labels) - set(record.labels), set(record.labels) - set(parent.labels)
    yield f"Types removed: {', '.join(sorted(gone)) or 'none'}. Types added: {', '.join(sorted(new)) or 'none'}."
    changed = "as before" if parent.encoder == record.encoder else f"before: {parent.encoder or 'not stated'}"
    yield f"Encoder: {encoder} ({changed}). domain-ner {record.domain_ner} (before: {parent.domain_ner})."
    rows = [
        [name, _value(parent, name), _value(record, name)]
        for name in sorted(parent.settings.keys() | record.settings.keys())
        if parent.settings.get(name) != record.settings.get(name)
    ]
    if not rows:
        yield "No setting changed."
        return
    yield table(["setting", "before", "now"], rows[:MAX_SETTINGS])
    if len(rows) > MAX_SETTINGS:
        yield f"{len(rows) - MAX_SETTINGS:,} more settings changed; release.json has all of them."


def _value(record: ReleaseRecord, name: str) -> str:
    return code(record.settings[name]) if name in record.settings else ABSENT
