"""Fits the temperatures and thresholds of a trained recogniser on documents that it did not learn."""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from math import log

import numpy as np
from numpy.typing import NDArray
from spacy.language import Language
from spacy.training import Example
from thinc.types import Floats2d

from domain_ner.crf_ner.decoding import Decoded
from domain_ner.crf_ner.loss import KnownTags, negative_log_likelihood, span_tags
from domain_ner.crf_ner.model import TRANSITIONS
from domain_ner.crf_ner.pipe import CRFRecognizer
from domain_ner.crf_ner.probing import score
from domain_ner.crf_ner.settings import MARGINAL, VITERBI, Settings, log_odds, to_config
from domain_ner.crf_ner.targets import known_tags
from domain_ner.crf_ner.tensor_groups import tensor_groups
from domain_ner.errors import DomainNerError
from domain_ner.metrics.best_candidate import Choice, sum_by_group
from domain_ner.metrics.best_candidate import choose as choose_best
from domain_ner.metrics.calibration import (
    MIN_SCORED,
    ScoredSpan,
    Threshold,
    f1_score,
    fit_temperature,
    fit_type_temperatures,
    measure,
)

# Minimum confidences to try for the best F1.
CUTOFFS = [n / 50 for n in range(2, 48)]
Choose = Callable[[Sequence[ScoredSpan], int], Threshold]


@dataclass(frozen=True)
class Fitted:
    """The result of a fit. before, after: the scored entities of the best paths, without and with calibration.

    thresholds: by type. n_gold: entities by type. f1: micro F1 of the best path, and of the entities that `settings`
    report; 0..1. choice: single spans above the best of CUTOFFS against the best path; None if not requested.
    """

    settings: Settings
    before: list[ScoredSpan]
    after: list[ScoredSpan]
    thresholds: dict[str, Threshold]
    n_gold: dict[str, int]
    f1: tuple[float, float]
    choice: Choice | None = None


def fit(  # noqa: PLR0913
    nlp: Language,
    examples: Sequence[Example],
    name: str,
    choose: Choose | None = None,
    *,
    for_f1: bool = False,
    groups: Sequence[str] = (),
    seed: int = 0,
) -> Fitted:
    """Fit temperatures and, with `choose`, thresholds; set them in the pipeline and its config.

    examples: gold documents, each with an unprocessed one of the same text. name: of the `crf_ner` in the pipeline.
    choose: chooses the threshold of a type from its scored predictions and the number of its gold entities.
    for_f1: choose the decoding by micro F1 instead: the best path, unless single spans above one confidence are
        significantly better. groups: of each example, its group, or empty; a group counts as one unit.
        seed: of resampling.
    """
    pipe = _recogniser(nlp, name)
    kept = [n for n, example in enumerate(examples) if len(example.predicted)]
    groups = [groups[n] if groups else "" for n in kept]
    examples = [examples[n] for n in kept]
    scores = list(score(nlp, pipe, [example.predicted for example in examples]))
    gold_tags = [known_tags(example, pipe.labels) for example in examples]
    plain = replace(pipe.settings, min_confidence={}, temperature=1.0, type_temperatures={}, decoding=VITERBI)
    before = _score_spans(pipe, plain, scores, gold_tags)
    temperature = 1.0
    if len(before) >= MIN_SCORED:
        temperature = fit_temperature(lambda t: _mean_loss(pipe, gold_tags, scores, t))
    overall = replace(plain, temperature=temperature)
    scaled = _score_spans(pipe, overall, scores, gold_tags)
    odds = [log_odds(log(span.confidence)) for span in scaled]
    settings = replace(overall, type_temperatures=fit_type_temperatures(odds, scaled))
    after = _score_spans(pipe, settings, scores, gold_tags)
    n_gold = Counter(ent.label_ for example in examples for ent in example.reference.ents)
    thresholds, choice = {}, None
    if for_f1 and examples:
        n_of_each = [len(example.reference.ents) for example in examples]
        counts = sum_by_group(_count_cutoffs(pipe, settings, scores, gold_tags, n_of_each), groups)
        choice = choose_best(counts[0], counts[1:], seed=seed)
        if choice.is_better:
            settings = _above(pipe, settings, CUTOFFS[choice.best])
    elif choose is not None:
        for label in pipe.labels:
            thresholds[label] = choose([span for span in after if span.label == label], n_gold[label])
        settings = replace(settings, min_confidence={label: limit.confidence for label, limit in thresholds.items()})
    set_settings(nlp, name, settings)
    reported = _score_spans(pipe, settings, scores, gold_tags)
    if settings.is_marginal:
        thresholds = {
            label: measure([span for span in reported if span.label == label], n_gold[label], settings.threshold(label))
            for label in pipe.labels
        }
    f1 = _f1(after, n_gold.total()), _f1(reported, n_gold.total())
    return Fitted(settings, before, after, thresholds, dict(n_gold), f1, choice)


def _mean_loss(
    pipe: CRFRecognizer, gold_tags: Sequence[KnownTags], scores: Sequence[Floats2d], temperature: float
) -> float:
    """Compute the mean negative log-likelihood of documents at a temperature. gold_tags: of each document."""
    total = 0.0
    for group in tensor_groups(scores, pipe.model.get_param(TRANSITIONS), temperature):
        of_group = [gold_tags[n] for n in group.numbers]
        total += float(negative_log_likelihood(group.scores, group.transitions, of_group).losses.sum())
    return total / max(1, len(gold_tags))


def _f1(scored: Sequence[ScoredSpan], n_gold: int) -> float:
    return f1_score(sum(span.is_correct for span in scored), len(scored), n_gold)


def _above(pipe: CRFRecognizer, settings: Settings, cutoff: float) -> Settings:
    """Settings for single spans above one confidence, given by type so that each can be changed at load."""
    return replace(settings, decoding=MARGINAL, min_confidence=dict.fromkeys(pipe.labels, cutoff))


def _count_cutoffs(
    pipe: CRFRecognizer,
    settings: Settings,
    scores: Sequence[Floats2d],
    gold_tags: Sequence[KnownTags],
    n_gold: Sequence[int],
) -> NDArray[np.float64]:
    """Count correct, predicted and gold entities with the best path, then above each of CUTOFFS.

    n_gold: of each document. Returns (1 + n_cutoffs, n_docs, 3).
    """
    tried = [settings, *(_above(pipe, settings, cutoff) for cutoff in CUTOFFS)]
    pipe.settings = tried[-1]
    decoded = pipe.decode(scores)
    counts = np.zeros((len(tried), len(scores), 3))
    for row, attempt in zip(counts, tried, strict=True):
        for n, scored in enumerate(_score_each(pipe, attempt, decoded, gold_tags)):
            row[n] = sum(span.is_correct for span in scored), len(scored), n_gold[n]
    return counts


def set_settings(nlp: Language, name: str, settings: Settings) -> None:
    """Change the settings of a recogniser, also in the config that is saved with the pipeline."""
    pipe = _recogniser(nlp, name)
    settings.check(name, pipe.labels)
    pipe.settings = settings
    thresholds = settings.min_confidence
    nlp.get_pipe_config(name).update(
        {
            "min_confidence": to_config(thresholds) if isinstance(thresholds, Mapping) else thresholds,
            "temperature": settings.temperature,
            "type_temperatures": to_config(settings.type_temperatures),
            "candidates": settings.n_candidates,
            "decoding": settings.decoding,
        }
    )


def _recogniser(nlp: Language, name: str) -> CRFRecognizer:
    pipe = nlp.get_pipe(name)
    if not isinstance(pipe, CRFRecognizer):
        raise DomainNerError(
            f"{name} has no confidences to calibrate: it is not a crf_ner.", "Train with vars.head crf."
        )
    return pipe


def _score_spans(
    pipe: CRFRecognizer, settings: Settings, scores: Sequence[Floats2d], gold_tags: Sequence[KnownTags]
) -> list[ScoredSpan]:
    """Score the predictions under these settings, except where gold is unknown."""
    pipe.settings = settings
    each = _score_each(pipe, settings, pipe.decode(scores), gold_tags)
    return [span for scored in each for span in scored]


def _score_each(
    pipe: CRFRecognizer, settings: Settings, decoded: Sequence[Decoded], gold_tags: Sequence[KnownTags]
) -> Iterator[list[ScoredSpan]]:
    """Score the predictions of each document."""
    pipe.settings = settings
    for spans, gold in zip(decoded, gold_tags, strict=True):
        scored = []
        for span in pipe.choose(spans):
            tags = list(gold.tags[span.start : span.end])
            if None not in tags or span[:3] in gold.rejected:
                is_correct = tags == span_tags(span.end - span.start, span.label, len(pipe.labels))
                scored.append(ScoredSpan(pipe.labels[span.label], pipe.confidence(span), is_correct))
        yield scored
