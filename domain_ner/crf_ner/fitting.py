"""Fits what a trained recogniser says of its certainty, and how certain it must be, on documents it did not learn."""

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
from domain_ner.crf_ner.loss import Known, negative_log_likelihood, span_tags
from domain_ner.crf_ner.model import TRANSITIONS
from domain_ner.crf_ner.padding import padded_groups
from domain_ner.crf_ner.pipe import CRFRecognizer
from domain_ner.crf_ner.probing import score
from domain_ner.crf_ner.settings import MARGINAL, VITERBI, Settings, log_odds, to_config
from domain_ner.crf_ner.targets import known
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

# Least confidences that are tried when the best F1 is wanted.
CUTOFFS = [n / 50 for n in range(2, 48)]
Choose = Callable[[Sequence[ScoredSpan], int], Threshold]


@dataclass(frozen=True)
class Fitted:
    """before, after: the entities of the best paths, judged, without any calibration and with it. thresholds: by type.
    n_gold: entities by type. f1: micro F1 with the best path, and of what is reported with `settings`; 0..1.
    choice: single spans above the best of CUTOFFS against the best path; None where that was not asked.
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
    """Fit temperatures, and thresholds where `choose` is given, and set them in the pipeline and its config.

    examples: gold documents, each with an unprocessed one of the same text. name: of the `crf_ner` in the pipeline.
    choose: the threshold of a type from its judged predictions and the number of its entities in gold.
    for_f1: choose how to decode instead, by micro F1: the best path, unless single spans above one confidence are
        better by more than luck. groups: of each example, its group, or empty: those of one count together.
        seed: of resampling.
    """
    pipe = _recogniser(nlp, name)
    kept = [n for n, example in enumerate(examples) if len(example.predicted)]
    groups = [groups[n] if groups else "" for n in kept]
    examples = [examples[n] for n in kept]
    scores = list(score(nlp, pipe, [example.predicted for example in examples]))
    taught = [known(example, pipe.labels) for example in examples]
    plain = replace(pipe.settings, min_confidence={}, temperature=1.0, type_temperatures={}, decoding=VITERBI)
    before = _judge(pipe, plain, scores, taught)
    temperature = 1.0
    if len(before) >= MIN_SCORED:
        temperature = fit_temperature(lambda t: _mean_loss(pipe, taught, scores, t))
    overall = replace(plain, temperature=temperature)
    warm = _judge(pipe, overall, scores, taught)
    odds = [log_odds(log(one.confidence)) for one in warm]
    settings = replace(overall, type_temperatures=fit_type_temperatures(odds, warm))
    after = _judge(pipe, settings, scores, taught)
    n_gold = Counter(ent.label_ for example in examples for ent in example.reference.ents)
    thresholds, choice = {}, None
    if for_f1 and examples:
        n_of_each = [len(example.reference.ents) for example in examples]
        counts = sum_by_group(_count_cutoffs(pipe, settings, scores, taught, n_of_each), groups)
        choice = choose_best(counts[0], counts[1:], seed=seed)
        if choice.is_better:
            settings = _above(pipe, settings, CUTOFFS[choice.best])
    elif choose is not None:
        for label in pipe.labels:
            thresholds[label] = choose([one for one in after if one.label == label], n_gold[label])
        settings = replace(settings, min_confidence={label: one.confidence for label, one in thresholds.items()})
    set_settings(nlp, name, settings)
    reported = _judge(pipe, settings, scores, taught)
    if settings.is_marginal:
        thresholds = {
            label: measure([one for one in reported if one.label == label], n_gold[label], settings.threshold(label))
            for label in pipe.labels
        }
    f1 = _f1(after, n_gold.total()), _f1(reported, n_gold.total())
    return Fitted(settings, before, after, thresholds, dict(n_gold), f1, choice)


def _mean_loss(pipe: CRFRecognizer, taught: Sequence[Known], scores: Sequence[Floats2d], temperature: float) -> float:
    """The mean negative log-likelihood of documents at a temperature. taught: of each, as `targets.known` gives."""
    total = 0.0
    for group in padded_groups(scores, pipe.model.get_param(TRANSITIONS), temperature):
        of_group = [taught[n] for n in group.numbers]
        total += float(negative_log_likelihood(group.scores, group.flat, of_group).losses.sum())
    return total / max(1, len(taught))


def _f1(judged: Sequence[ScoredSpan], n_gold: int) -> float:
    return f1_score(sum(one.is_correct for one in judged), len(judged), n_gold)


def _above(pipe: CRFRecognizer, settings: Settings, cutoff: float) -> Settings:
    """Single spans above one confidence; by type, so that each can be set at load."""
    return replace(settings, decoding=MARGINAL, min_confidence=dict.fromkeys(pipe.labels, cutoff))


def _count_cutoffs(
    pipe: CRFRecognizer,
    settings: Settings,
    scores: Sequence[Floats2d],
    taught: Sequence[Known],
    n_gold: Sequence[int],
) -> NDArray[np.float64]:
    """(1 + n_cutoffs, n_docs, 3) correct, predicted and gold entities with the best path, then above each of CUTOFFS.

    n_gold: of each document.
    """
    tried = [settings, *(_above(pipe, settings, cutoff) for cutoff in CUTOFFS)]
    pipe.settings = tried[-1]
    decoded = pipe.decode(scores)
    counts = np.zeros((len(tried), len(scores), 3))
    for row, one in zip(counts, tried, strict=True):
        for n, judged in enumerate(_judge_each(pipe, one, decoded, taught)):
            row[n] = sum(span.is_correct for span in judged), len(judged), n_gold[n]
    return counts


def set_settings(nlp: Language, name: str, settings: Settings) -> None:
    """Give a recogniser other settings, in the config that is saved with the pipeline too."""
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
        raise DomainNerError(f"{name} has no confidences to calibrate: it is no crf_ner.", "Train with vars.head crf.")
    return pipe


def _judge(
    pipe: CRFRecognizer, settings: Settings, scores: Sequence[Floats2d], taught: Sequence[Known]
) -> list[ScoredSpan]:
    """The predictions under these settings; where gold does not know, there is nothing to judge by."""
    pipe.settings = settings
    each = _judge_each(pipe, settings, pipe.decode(scores), taught)
    return [one for judged in each for one in judged]


def _judge_each(
    pipe: CRFRecognizer, settings: Settings, decoded: Sequence[Decoded], taught: Sequence[Known]
) -> Iterator[list[ScoredSpan]]:
    """The same for each document."""
    pipe.settings = settings
    for found, gold in zip(decoded, taught, strict=True):
        judged = []
        for one in pipe.choose(found):
            tags = list(gold.tags[one.start : one.end])
            if None not in tags or one[:3] in gold.rejected:
                is_correct = tags == span_tags(one.end - one.start, one.label, len(pipe.labels))
                judged.append(ScoredSpan(pipe.labels[one.label], pipe.confidence(one), is_correct))
        yield judged
