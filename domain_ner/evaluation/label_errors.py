"""Finds annotations that are likely wrong, by the predictions of models that were not trained on the passage.

Out-of-sample predictions as in confident learning (Northcutt, Jiang & Chuang 2021), but for spans instead of tokens:
the exact probability of a whole entity tells how likely an annotation is wrong.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from spacy.language import Language
from spacy.tokens import Doc, Span

from domain_ner.annotations.passages import Passage
from domain_ner.corpus.docs import entities
from domain_ner.corpus.near_duplicates import group_near_duplicates
from domain_ner.corpus.splits import ALIKE, NGRAM
from domain_ner.crf_ner.fitting import fit
from domain_ner.crf_ner.pipe import CANDIDATES_KEY, CRFRecognizer
from domain_ner.crf_ner.probing import score, span_confidences
from domain_ner.errors import DomainNerError
from domain_ner.evaluation.confidence import share
from domain_ner.evaluation.predicting import EvaluatedDoc, evaluate_doc, input_doc, load_pipeline, make_example
from domain_ner.evaluation.review import review_task
from domain_ner.evaluation.schema import Marked
from domain_ner.evaluation.sections import context
from domain_ner.evaluation.suspect_schema import HeldOut, LabelErrors, ShownSuspect
from domain_ner.metrics.scores import Entity, Score, Scores, score_entities
from domain_ner.metrics.slices import normalize_surface
from domain_ner.metrics.suspects import Suspect, Usage, find_suspects, max_plausible_score, smooth_probability
from domain_ner.training.parts import train_part
from domain_ner.training.run import read_config

NAME = "crf_ner"
DEV_SHARE = 0.1
# Longer surfaces are counted only where they are annotated.
MAX_TOKENS = 8
# Candidates over a token: more than a recogniser ever has.
ALL = 10_000
# Below this F1 on annotations that they were not trained on, the models' doubts are not evidence.
MIN_F1 = 0.4


@dataclass(frozen=True)
class OutOfSample:
    """A document with the predictions of a model that was not trained on it.

    probabilities: of each span that is annotated or that the model considers possible, 0..1.
    """

    doc: EvaluatedDoc
    probabilities: dict[Entity, float]


def make_folds(texts: Sequence[str], n_folds: int, *, seed: int) -> list[list[int]]:
    """Divide the indices of texts at random into even folds. Near-duplicates stay together, because a model trained on
    one knows the other. Raises DomainNerError if there are too few texts.
    """
    groups: dict[int, list[int]] = {}
    for number, first in enumerate(group_near_duplicates(texts, n=NGRAM, threshold=ALIKE)):
        groups.setdefault(first, []).append(number)
    if not 2 <= n_folds <= len(groups) // 2:
        raise DomainNerError(
            f"{len(groups)} different passages in {n_folds} folds: expected at least 2 folds, and 2 passages in each; "
            "near-duplicates count as one.",
            "Annotate more passages, or set vars.folds.",
        )
    units = list(groups.values())
    order = np.random.default_rng(seed).permutation(len(units)).tolist()
    return [sorted(number for unit in order[fold::n_folds] for number in units[unit]) for fold in range(n_folds)]


def predict_out_of_sample(  # noqa: PLR0913
    config: Path,
    docs: Sequence[Doc],
    work: Path,
    *,
    n_folds: int,
    gpu: int,
    seed: int,
    epochs: int = 0,
    on_fold: Callable[[int], None] = lambda _: None,
    say: Callable[[str], None] = lambda _: None,
) -> list[OutOfSample]:
    """Train on all folds but one and predict that one, for each fold; results in the order of `docs`.

    config: written by create-config. work: folder for the trainings; completed ones are not repeated.
    gpu: -1 for the CPU. epochs: at most; 0 for those of the config. on_fold: called before each training. say: called
    with messages on resumed or restarted trainings.
    Raises DomainNerError if the recogniser gives no probabilities.
    """
    if NAME not in read_config(config, {})["nlp"]["pipeline"]:
        raise DomainNerError(f"{config} has no {NAME}, which computes confidences.", "Set vars.head to crf.")
    by_index: dict[int, OutOfSample] = {}
    for number, held in enumerate(make_folds([doc.text for doc in docs], n_folds, seed=seed)):
        on_fold(number)
        others = np.random.default_rng(seed).permutation(sorted(set(range(len(docs))) - set(held))).tolist()
        n_dev = max(1, round(DEV_SHARE * len(others)))
        dev, train = ([docs[n] for n in sorted(indices)] for indices in (others[:n_dev], others[n_dev:]))
        place = work / f"fold-{number + 1}"
        best, _ = train_part(config, train, dev, place, gpu=gpu, seed=seed, epochs=epochs, say=say)
        nlp = load_pipeline(best)
        fit(nlp, [make_example(nlp, gold) for gold in dev], NAME)
        by_index |= dict(zip(held, predict(nlp, [docs[n] for n in held]), strict=True))
    return [by_index[n] for n in range(len(docs))]


def predict(nlp: Language, gold: Sequence[Doc]) -> Iterator[OutOfSample]:
    """Predict documents that the pipeline was not trained on, with all spans that it considers possible."""
    pipe = nlp.get_pipe(NAME)
    assert isinstance(pipe, CRFRecognizer)
    pipe.settings = replace(pipe.settings, n_candidates=ALL)
    docs = [input_doc(nlp, doc) for doc in gold]
    scores = list(score(nlp, pipe, docs))
    pipe.set_annotations(docs, pipe.decode(scores))
    spans = [
        [span for entity in entities(gold_doc) if (span := _span(doc, entity))]
        for gold_doc, doc in zip(gold, docs, strict=True)
    ]
    keys = [[(span.start, span.end, span.label_) for span in of_doc] for of_doc in spans]
    of_annotations = span_confidences(pipe, scores, keys)
    for gold_doc, predicted, own, confidences in zip(gold, docs, spans, of_annotations, strict=True):
        evaluated = evaluate_doc(gold_doc, predicted)
        group = predicted.spans[CANDIDATES_KEY]
        probabilities = {_entity(span): prob for span, prob in zip(group, group.attrs["scores"], strict=True)}
        annotated = {_entity(span): prob for span, prob in zip(own, confidences, strict=True)}
        yield OutOfSample(evaluated, probabilities | annotated | dict(evaluated.confidences))


def _span(doc: Doc, entity: Entity) -> Span | None:
    """Return the span of an annotation; None if it starts or ends inside a token of the pipeline."""
    return doc.char_span(entity[0], entity[1], label=entity[2])


def _entity(span: Span) -> Entity:
    return span.start_char, span.end_char, span.label_


def rank(predictions: Sequence[OutOfSample]) -> list[tuple[int, Suspect]]:
    """Return (index of the document, suspect) for all suspects, the strongest evidence first.

    The evidence combines the models' probabilities with how the same words are annotated elsewhere.
    """
    usages = Usages(predictions)
    pairs = [
        (n, suspect)
        for n, predicted in enumerate(predictions)
        for suspect in find_suspects(predicted.doc.gold, predicted.doc.predicted, usages.smoothed(predicted))
    ]
    return sorted(pairs, key=lambda pair: (-pair[1].score, pair[0], pair[1].start))


class Usages:
    """Counts how often each surface of an entity occurs in the texts, and its labels; case-insensitive."""

    def __init__(self, predictions: Sequence[OutOfSample]) -> None:
        self._labels: dict[str, Counter[str]] = {}
        for predicted in predictions:
            for start, end, label in predicted.doc.gold:
                self._labels.setdefault(normalize_surface(predicted.doc.text[start:end]), Counter())[label] += 1
        wanted = set(self._labels) | {
            normalize_surface(predicted.doc.text[start:end])
            for predicted in predictions
            for start, end, _ in predicted.probabilities
        }
        self._counts = Counter[str]()
        for predicted in predictions:
            tokens = predicted.doc.tokens
            for first, (start, _) in enumerate(tokens):
                for _, end in tokens[first : first + MAX_TOKENS]:
                    surface = normalize_surface(predicted.doc.text[start:end])
                    if surface in wanted:
                        self._counts[surface] += 1

    def smoothed(self, predicted: OutOfSample) -> dict[Entity, float]:
        """Return the probabilities of a document, each smoothed with the annotations of its surface elsewhere."""
        gold = {entity[:2]: entity[2] for entity in predicted.doc.gold}
        probabilities = {**dict.fromkeys(predicted.doc.gold, 0.0), **predicted.probabilities}
        return {
            entity: smooth_probability(prob, entity[2], self._elsewhere(predicted, entity, gold))
            for entity, prob in probabilities.items()
        }

    def _elsewhere(self, predicted: OutOfSample, entity: Entity, gold: Mapping[tuple[int, int], str]) -> Usage:
        surface = normalize_surface(predicted.doc.text[entity[0] : entity[1]])
        labels = Counter(self._labels.get(surface, ()))
        if entity[:2] in gold:
            labels[gold[entity[0], entity[1]]] -= 1
        return Usage(max(self._counts[surface] - 1, labels.total()), labels)


def agreement(predictions: Iterable[OutOfSample]) -> Scores:
    """Score the models against the annotations."""
    return score_entities((predicted.doc.gold, predicted.doc.predicted) for predicted in predictions)


def require_agreement(predictions: Iterable[OutOfSample]) -> None:
    """Raise DomainNerError if the models agree too little with the annotations for their doubts to be evidence."""
    scores = agreement(predictions)
    if scores.micro.f1 >= MIN_F1:
        return
    by_type = ", ".join(f"{label} {100 * score.f1:.1f}" for label, score in scores.by_type.items())
    raise DomainNerError(
        f"The models reach an F1 of {100 * scores.micro.f1:.1f} on annotations that they were not trained on "
        f"({by_type}); expected at least {100 * MIN_F1:.0f}: below it, their doubts are not evidence.",
        "Train longer (--vars.epochs), annotate more passages, or use a better encoder. Nothing was written.",
    )


def report(docs: Sequence[Doc], predictions: Sequence[OutOfSample], *, n_folds: int) -> LabelErrors:
    """Collect the suspects and the models' agreement in the shape of `label_errors.json`."""
    scores = agreement(predictions)
    return LabelErrors(
        n_passages=len(docs),
        n_annotations=sum(len(predicted.doc.gold) for predicted in predictions),
        n_folds=n_folds,
        held_out={label: _held_out(score) for label, score in {"": scores.micro, **scores.by_type}.items()},
        suspects=[_shown_suspect(docs[n], predictions[n], suspect, scores) for n, suspect in rank(predictions)],
    )


def _held_out(score: Score) -> HeldOut:
    return HeldOut(precision=score.precision, recall=score.recall, f1=score.f1, support=score.support)


def review_tasks(docs: Sequence[Doc], predictions: Sequence[OutOfSample], *, n: int) -> list[Passage]:
    """Make review tasks of the first `n` suspects, the worst first: the annotated passages, with the suspicions in
    `meta` and the model's suggestions.
    """
    scores = agreement(predictions)
    chosen: dict[int, list[Suspect]] = {}
    for number, suspect in rank(predictions)[:n]:
        claimed = replace(suspect, score=min(suspect.score, max_plausible_score(suspect, scores)))
        chosen.setdefault(number, []).append(claimed)
    return [_task(docs[number], predictions[number], suspects) for number, suspects in chosen.items()]


def _task(gold: Doc, predicted: OutOfSample, suspects: Sequence[Suspect]) -> Passage:
    removed = {entity for suspect in suspects for entity in suspect.annotated}
    added = {entity for suspect in suspects for entity in suspect.suggested}
    reasons = [describe(suspect, predicted.doc.text) for suspect in suspects]
    return review_task(gold, {*predicted.doc.gold, *added} - removed, reasons, score=suspects[0].score)


def describe(suspect: Suspect, text: str) -> str:
    """Describe a suspect in one line: the annotation, the model's suggestion, and the probability."""

    def words(marked: Iterable[Entity]) -> str:
        return ", ".join(f"{text[start:end]!r} {label}" for start, end, label in marked) or "nothing"

    return f"{suspect.kind}: {words(suspect.annotated)} -> {words(suspect.suggested)} ({suspect.score:.2f})"


def _shown_suspect(gold: Doc, predicted: OutOfSample, suspect: Suspect, scores: Scores) -> ShownSuspect:
    text = predicted.doc.text
    offset, end = context(text, suspect.start, suspect.end)

    def marked(members: Iterable[Entity]) -> list[Marked]:
        probs = predicted.probabilities
        return [
            Marked(
                start=start - offset, end=end - offset, label=label, confidence=share(probs.get((start, end, label)))
            )
            for start, end, label in members
        ]

    data: dict[Any, Any] = gold.user_data
    return ShownSuspect(
        kind=suspect.kind,
        score=share(min(suspect.score, max_plausible_score(suspect, scores))) or 0.0,
        evidence=share(suspect.score) or 0.0,
        source=predicted.doc.source,
        annotator=str(data.get("annotator") or ""),
        start=suspect.start,
        end=suspect.end,
        offset=offset,
        text=text[offset:end],
        annotated=marked(suspect.annotated),
        suggested=marked(suspect.suggested),
    )
