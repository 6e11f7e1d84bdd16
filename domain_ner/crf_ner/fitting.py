"""Fits what a trained recogniser says of its certainty, and how certain it must be, on documents it did not learn."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from math import log

from spacy.language import Language
from spacy.training import Example
from spacy.util import minibatch
from thinc.types import Floats2d

from domain_ner.calibration import Judged, Threshold, fit_temperature, fit_type_temperatures
from domain_ner.crf_ner.loss import Known, span_tags
from domain_ner.crf_ner.pipe import CRFRecognizer
from domain_ner.crf_ner.settings import Settings, log_odds
from domain_ner.crf_ner.targets import known
from domain_ner.errors import DomainNerError

BATCH = 64
Choose = Callable[[Sequence[Judged], int], Threshold]


@dataclass(frozen=True)
class Fitted:
    """before, after: the predictions, judged, without any calibration and with it. n_gold: entities by type."""

    settings: Settings
    before: list[Judged]
    after: list[Judged]
    thresholds: dict[str, Threshold]
    n_gold: dict[str, int]


def fit(nlp: Language, examples: Sequence[Example], name: str, choose: Choose | None = None) -> Fitted:
    """Fit temperatures, and thresholds where `choose` is given, and set them in the pipeline and its config.

    examples: gold documents, each with an unprocessed one of the same text. name: of the `crf_ner` in the pipeline.
    choose: the threshold of a type from its judged predictions and the number of its entities in gold.
    """
    pipe = _recogniser(nlp, name)
    examples = [example for example in examples if len(example.predicted)]
    scores = [array for part in minibatch(examples, BATCH) for array in _score(nlp, pipe, part)]
    taught = [known(example, pipe.labels) for example in examples]
    plain = replace(pipe.settings, min_confidence={}, temperature=1.0, type_temperatures={})
    before = _judge(pipe, plain, scores, taught)
    overall = replace(plain, temperature=fit_temperature(lambda t: pipe.mean_loss(taught, scores, t)))
    warm = _judge(pipe, overall, scores, taught)
    odds = [log_odds(log(one.confidence)) for one in warm]
    settings = replace(overall, type_temperatures=fit_type_temperatures(odds, warm))
    after = _judge(pipe, settings, scores, taught)
    n_gold = Counter(ent.label_ for example in examples for ent in example.reference.ents)
    thresholds = {}
    if choose is not None:
        for label in pipe.labels:
            thresholds[label] = choose([one for one in after if one.label == label], n_gold[label])
        settings = replace(settings, min_confidence={label: one.confidence for label, one in thresholds.items()})
    set_settings(nlp, name, settings)
    return Fitted(settings, before, after, thresholds, dict(n_gold))


def set_settings(nlp: Language, name: str, settings: Settings) -> None:
    """Give a recogniser other settings, in the config that is saved with the pipeline too."""
    pipe = _recogniser(nlp, name)
    settings.check(name, pipe.labels)
    pipe.settings = settings
    thresholds = settings.min_confidence
    nlp.get_pipe_config(name).update(
        {
            "min_confidence": dict(thresholds) if isinstance(thresholds, Mapping) else thresholds,
            "temperature": settings.temperature,
            "type_temperatures": dict(settings.type_temperatures),
            "candidates": settings.n_candidates,
        }
    )


def _recogniser(nlp: Language, name: str) -> CRFRecognizer:
    pipe = nlp.get_pipe(name)
    if not isinstance(pipe, CRFRecognizer):
        raise DomainNerError(f"{name} has no confidences to calibrate: it is no crf_ner.", "Train with vars.head crf.")
    return pipe


def _score(nlp: Language, pipe: CRFRecognizer, examples: Sequence[Example]) -> list[Floats2d]:
    """Scores of documents that all components before the recogniser have seen."""
    docs = [example.predicted for example in examples]
    for _, before in nlp.pipeline[: nlp.pipe_names.index(pipe.name)]:
        docs = list(before.pipe(docs)) if hasattr(before, "pipe") else [before(doc) for doc in docs]
    return pipe.tag_scores(docs)


def _judge(
    pipe: CRFRecognizer, settings: Settings, scores: Sequence[Floats2d], taught: Sequence[Known]
) -> list[Judged]:
    """The predictions under these settings; where gold does not know, there is nothing to judge by."""
    pipe.settings = settings
    judged = []
    for decoded, gold in zip(pipe.decode(scores), taught, strict=True):
        for one in decoded.entities:
            tags = list(gold.tags[one.start : one.end])
            if None not in tags:
                label = pipe.labels[one.label]
                is_correct = tags == span_tags(one.end - one.start, one.label, len(pipe.labels))
                judged.append(Judged(label, settings.confidence(one.log_prob, label), is_correct))
    return judged
