"""Writes the passages of each piece of advice as review tasks for annotation tools."""

from collections.abc import Sequence
from pathlib import Path

from spacy.tokens import Doc

from domain_ner.evaluation.predicting import EvaluatedDoc
from domain_ner.evaluation.report import QUEUES, queue_tasks
from domain_ner.evaluation.schema import Report
from domain_ner.files import atomic_path
from domain_ner.writers.queues import write_queue

README = "README.md"
ABOUT = """# Review tasks of evaluate

These are **test passages** on which the pipeline makes mistakes. Read them to see what to say in the guide.

- Do not correct one-sidedly. Whoever corrects only what favours the model raises its test score too much.
  If you correct a passage, correct every annotation in it, in both directions.
- Do not add them to the training data: the test set would no longer be new to the pipeline.
- To annotate more, let `next-batch` choose raw passages.
"""


def write_queues(report: Report, gold: Sequence[Doc], docs: Sequence[EvaluatedDoc], folder: Path, *, lang: str) -> int:
    """Write the tasks of each piece of advice, and what they are for, replacing an earlier run's.

    Returns the number of pieces with tasks.

    report: with the names of the queues. gold, docs: in the same order. folder: of the report. lang: spaCy's code.
    """
    by_source = {doc.source: (gold_doc, doc) for gold_doc, doc in zip(gold, docs, strict=True)}
    tips = [tip for tip in report.advice if tip.queue]
    with atomic_path(folder / QUEUES) as new:
        new.mkdir()
        (new / README).write_text(ABOUT, encoding="utf8", newline="\n")
        for tip in tips:
            write_queue(queue_tasks(tip, by_source), new / Path(tip.queue).name, lang=lang)
    return len(tips)
