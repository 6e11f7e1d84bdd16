"""A rule pipeline, raw documents, and reviews of the tasks of its samples."""

import json
import random
from pathlib import Path

import spacy

from domain_ner.annotations.passages import LabelledSpan

SERVICES = ("Redis", "Kafka", "Postgres")
# The rule takes these for services; they are teams.
TEAMS = ("Atlas", "Orion")


def save_pipeline(folder: Path, *, version="1.0.0") -> Path:
    """A pipeline that finds services by name, and takes some teams for services."""
    nlp = spacy.blank("en", meta={"name": "rules", "version": version})
    nlp.add_pipe("entity_ruler").add_patterns([{"label": "SERVICE", "pattern": name} for name in (*SERVICES, *TEAMS)])
    nlp.to_disk(folder)
    return folder


def write_documents(path: Path, n: int = 300, *, seed: int = 0) -> Path:
    """Documents with services, wrong services, missed ones (Mongo), and none."""
    rng = random.Random(seed)
    rows = []
    for number in range(n):
        names = rng.sample([*SERVICES, *TEAMS, "Mongo", "nothing", "nothing", "nothing"], 2)
        rows.append({"id": f"d{number}", "text": f"Case {number}: {names[0]} and {names[1]} failed."})
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf8")
    return path


def true_spans(text: str) -> tuple[LabelledSpan, ...]:
    """What a reviewer marks."""
    labels = dict.fromkeys((*SERVICES, "Mongo"), "SERVICE") | dict.fromkeys(TEAMS, "TEAM")
    found = [(text.find(name), name, label) for name, label in labels.items()]
    return tuple(sorted(LabelledSpan(at, at + len(name), label) for at, name, label in found if at >= 0))


def review_tasks(tasks: Path, export: Path, *, last: int | None = None, changed=lambda text: text) -> Path:
    """Review the first tasks of a Prodigy file, as Prodigy exports them."""
    rows = [json.loads(line) for line in tasks.read_text("utf8").splitlines()][:last]
    with export.open("w", encoding="utf8") as stream:
        for row in rows:
            text = changed(row["text"])
            spans = [{"start": span.start, "end": span.end, "label": span.label} for span in true_spans(text)]
            reviewed = {"text": text, "spans": spans, "answer": "accept", "_view_id": "ner_manual"}
            stream.write(json.dumps(reviewed) + "\n")
    return export


def true_scores(documents: Path) -> dict[str, float]:
    """Precision and recall of SERVICE on all documents."""
    correct = predicted = gold = 0
    for line in documents.read_text("utf8").splitlines():
        text = json.loads(line)["text"]
        services = sum(name in text for name in SERVICES)
        correct += services
        predicted += services + sum(name in text for name in TEAMS)
        gold += services + ("Mongo" in text)
    return {"precision": correct / predicted, "recall": correct / gold}
