"""Writes the passages of each piece of advice as review tasks for annotation tools."""

from collections.abc import Sequence
from pathlib import Path

from spacy.tokens import Doc

from domain_ner.evaluation.predicting import EvaluatedDoc
from domain_ner.evaluation.report import QUEUES, queue_tasks
from domain_ner.evaluation.schema import Report
from domain_ner.files import atomic_path
from domain_ner.writers.queues import write_queue


def write_queues(report: Report, gold: Sequence[Doc], docs: Sequence[EvaluatedDoc], folder: Path, *, lang: str) -> int:
    """Write the tasks of each piece of advice, replacing an earlier run's; returns the number of pieces with tasks.

    report: with the names of the queues. gold, docs: in the same order. folder: of the report. lang: spaCy's code.
    """
    by_source = {doc.source: (gold_doc, doc) for gold_doc, doc in zip(gold, docs, strict=True)}
    tips = [tip for tip in report.advice if tip.queue]
    with atomic_path(folder / QUEUES) as new:
        new.mkdir()
        for tip in tips:
            write_queue(queue_tasks(tip, by_source), new / Path(tip.queue).name, lang=lang)
    return len(tips)
