"""Runs `transformers.pipeline("token-classification")` with each aggregation strategy, in one pass of the model."""

import warnings
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

from transformers import pipeline
from transformers.pipelines.token_classification import AggregationStrategy

from domain_ner.metrics.scores import Entity

STRATEGIES = ("simple", "first", "average", "max")
TASK = "token-classification"


def load_tagger(folder: Path, *, gpu: int) -> Any:
    """Load the model of a folder as transformers' pipeline. gpu: its number, or -1 for the CPU."""
    return pipeline(TASK, model=str(folder), tokenizer=str(folder), device=gpu)


def predict_all(
    tagger: Any, texts: Iterable[str], *, stride: int, on_text: Callable[[], None] = lambda: None
) -> Iterator[dict[str, list[Entity]]]:
    """Yield the entities of each text by strategy, as `tagger(text, aggregation_strategy=…, stride=…)` finds them.

    stride: wordpieces that two parts of a long text share. Offsets are in characters, without white space at the
    edges: some tokenizers count the space before a word as part of it.
    """
    prepare, _, _ = tagger._sanitize_parameters(stride=stride, aggregation_strategy=STRATEGIES[0])
    for text in texts:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", message="Tokenizer does not support real words")
            outputs = [tagger.forward(part) for part in tagger.preprocess(text, **prepare)] if text.strip() else []
            yield {name: _entities(tagger, outputs, text, name) if outputs else [] for name in STRATEGIES}
        on_text()


def _entities(tagger: Any, outputs: list[Any], text: str, strategy: str) -> list[Entity]:
    groups = tagger.postprocess(outputs, aggregation_strategy=AggregationStrategy[strategy.upper()])
    entities = []
    for group in groups:
        start, end = group["start"], group["end"]
        inner = text[start:end]
        start += len(inner) - len(inner.lstrip())
        end -= len(inner) - len(inner.rstrip())
        if start < end:
            entities.append((start, end, group["entity_group"]))
    return entities
