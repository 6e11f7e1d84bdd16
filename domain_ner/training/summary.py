"""Summarises a training before it starts: sizes, steps, and the estimated time on this machine."""

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import islice
from timeit import default_timer
from typing import Any

from spacy.language import Language
from spacy.training import Example
from spacy.util import registry, resolve_dot_names

from domain_ner.annotations.doc_keys import WEIGHT_KEY

N_TIMED_BATCHES = 4
# A forward pass costs about a third of a step; used to estimate evaluations.
PREDICT_SHARE = 1 / 3


@dataclass(frozen=True)
class TrainingSummary:
    """The work ahead. `n_silver` of the passages are silver; `n_windows` is 0 without a transformer;
    `estimated_s` ignores early stopping.
    """

    n_parameters: int
    n_passages: int
    n_silver: int
    n_mentions: int
    n_tokens: int
    n_windows: int
    n_dev_passages: int
    n_steps: int
    n_epochs: int
    estimated_s: float


def summarise(nlp: Language) -> TrainingSummary:
    """Count the work of training `nlp`, and time a few steps to estimate the duration.

    nlp: initialised from a complete config. It is trained for a few steps: discard it afterwards.
    """
    config = nlp.config.interpolate()
    training = registry.resolve(config["training"], validate=False)
    train_corpus, dev_corpus = resolve_dot_names(config, [training["train_corpus"], training["dev_corpus"]])
    examples, dev_examples = list(train_corpus(nlp)), list(dev_corpus(nlp))
    n_tokens, n_dev_tokens = (sum(len(eg.predicted) for eg in egs) for egs in (examples, dev_examples))
    batches = list(training["batcher"](examples))
    n_evaluations = training["max_steps"] // training["eval_frequency"] + 1
    n_trained_tokens = training["max_steps"] * n_tokens / len(batches)
    second_per_token = _seconds_per_token(nlp, batches)
    return TrainingSummary(
        n_parameters=count_parameters(nlp),
        n_passages=len(examples),
        n_silver=sum(WEIGHT_KEY in eg.reference.user_data for eg in examples),
        n_mentions=sum(len(eg.reference.ents) for eg in examples),
        n_tokens=n_tokens,
        n_windows=_count_windows(nlp, examples),
        n_dev_passages=len(dev_examples),
        n_steps=training["max_steps"],
        n_epochs=training["max_epochs"],
        estimated_s=second_per_token * (n_trained_tokens + PREDICT_SHARE * n_evaluations * n_dev_tokens),
    )


def count_parameters(nlp: Language) -> int:
    """Count the numbers that training can change, over all components."""
    total = 0
    for _, pipe in nlp.pipeline:
        model: Any = getattr(pipe, "model", None)
        for node in model.walk() if model else ():
            total += sum(node.get_param(name).size for name in node.param_names if node.has_param(name))
            total += sum(_count_shim(shim) for shim in node.shims)
    return total


def _count_shim(shim: Any) -> int:
    module = getattr(shim, "_model", None)
    return sum(parameter.numel() for parameter in module.parameters()) if module is not None else 0


def _count_windows(nlp: Language, examples: Iterable[Example]) -> int:
    if "transformer" not in nlp.pipe_names:
        return 0
    model: Any = nlp.get_pipe("transformer").model  # type: ignore[attr-defined]
    return int(model.count_windows([eg.predicted for eg in examples]))


def _seconds_per_token(nlp: Language, batches: list[list[Example]]) -> float:
    """Time a few training steps, after one that allocates the buffers."""
    optimizer = nlp.create_optimizer()
    timed = list(islice((batch for batch in batches if any(len(eg.predicted) for eg in batch)), N_TIMED_BATCHES))
    nlp.update(timed[0], sgd=optimizer)
    start = default_timer()
    for batch in timed:
        nlp.update(batch, sgd=optimizer)
    return (default_timer() - start) / sum(len(eg.predicted) for batch in timed for eg in batch)
