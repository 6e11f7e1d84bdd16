"""Finds annotations that are likely wrong: models that did not learn a passage say what they would annotate in it.

Out-of-sample predictions as in confident learning (Northcutt, Jiang & Chuang 2021), judged by spans and not by tokens:
the exact probability of a whole entity is what says how sure a model is that an annotation is wrong.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from spacy.language import Language
from spacy.tokens import Doc, Span
from spacy.training import Example

from domain_ner.annotations.passages import Passage
from domain_ner.corpus.docs import entities
from domain_ner.corpus.near_duplicates import group_near_duplicates
from domain_ner.corpus.splits import ALIKE, NGRAM
from domain_ner.crf_ner.fitting import fit
from domain_ner.crf_ner.pipe import CANDIDATES_KEY, CRFRecognizer
from domain_ner.crf_ner.probing import score, span_confidences
from domain_ner.errors import DomainNerError
from domain_ner.evaluation.confidence import share
from domain_ner.evaluation.predicting import EvaluatedDoc, evaluate_doc, input_doc, load_pipeline
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
# A surface of more tokens is counted where it is annotated alone.
MAX_TOKENS = 8
# Candidates over a token: more than a recogniser ever has.
ALL = 10_000
# Of models that agree less with annotations that they did not learn, doubt says nothing of the annotations.
MIN_F1 = 0.4


@dataclass(frozen=True)
class OutOfSample:
    """A document, and what a model that did not learn it says. probable: the probability of each span that is annotated
    or that the model holds for possible; 0..1.
    """

    doc: EvaluatedDoc
    probable: dict[Entity, float]


def make_folds(texts: Sequence[str], n_folds: int, *, seed: int) -> list[list[int]]:
    """Divide the numbers of texts at random, evenly; those that are nearly the same stay together, for a model that
    learned one knows the other. Raises DomainNerError where they are too few.
    """
    groups: dict[int, list[int]] = {}
    for number, first in enumerate(group_near_duplicates(texts, n=NGRAM, threshold=ALIKE)):
        groups.setdefault(first, []).append(number)
    if not 2 <= n_folds <= len(groups) // 2:
        raise DomainNerError(
            f"{len(groups)} different passages in {n_folds} folds: expected at least 2 folds, and 2 passages in each; "
            "what is nearly the same counts as one.",
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
    """Train on all folds but one, and predict the one; in the order of `docs`.

    config: as create-config writes it. work: folder for the trainings, of which those that ended are not run again.
    gpu: -1 for the CPU. epochs: at most; 0 for those of the config. on_fold: called before each training. say: told
    what became of an interrupted one.
    Raises DomainNerError where the recogniser gives no probabilities.
    """
    if NAME not in read_config(config, {})["nlp"]["pipeline"]:
        raise DomainNerError(f"{config} has no {NAME}, which says how sure it is.", "Set vars.head to crf.")
    found: dict[int, OutOfSample] = {}
    for number, held in enumerate(make_folds([doc.text for doc in docs], n_folds, seed=seed)):
        on_fold(number)
        others = np.random.default_rng(seed).permutation(sorted(set(range(len(docs))) - set(held))).tolist()
        n_dev = max(1, round(DEV_SHARE * len(others)))
        dev, learned = ([docs[n] for n in sorted(some)] for some in (others[:n_dev], others[n_dev:]))
        place = work / f"fold-{number + 1}"
        best, _ = train_part(config, learned, dev, place, gpu=gpu, seed=seed, epochs=epochs, say=say)
        nlp = load_pipeline(best)
        fit(nlp, [Example(input_doc(nlp, gold), gold) for gold in dev], NAME)
        found |= dict(zip(held, predict(nlp, [docs[n] for n in held]), strict=True))
    return [found[n] for n in range(len(docs))]


def predict(nlp: Language, gold: Sequence[Doc]) -> Iterator[OutOfSample]:
    """What a pipeline says of documents that it did not learn, with all spans that it holds for possible."""
    pipe = nlp.get_pipe(NAME)
    assert isinstance(pipe, CRFRecognizer)
    pipe.settings = replace(pipe.settings, n_candidates=ALL)
    docs = [input_doc(nlp, doc) for doc in gold]
    scores = list(score(nlp, pipe, docs))
    pipe.set_annotations(docs, pipe.decode(scores))
    spans = [
        [span for one in entities(gold_doc) if (span := _span(doc, one))]
        for gold_doc, doc in zip(gold, docs, strict=True)
    ]
    known = span_confidences(pipe, scores, [[(one.start, one.end, one.label_) for one in some] for some in spans])
    for gold_doc, predicted, own, sure in zip(gold, docs, spans, known, strict=True):
        evaluated = evaluate_doc(gold_doc, predicted)
        group = predicted.spans[CANDIDATES_KEY]
        probable = {_entity(span): one for span, one in zip(group, group.attrs["scores"], strict=True)}
        annotated = {_entity(span): one for span, one in zip(own, sure, strict=True)}
        yield OutOfSample(evaluated, probable | annotated | dict(evaluated.confidences))


def _span(doc: Doc, one: Entity) -> Span | None:
    """None for an annotation that begins or ends within a token of the pipeline."""
    return doc.char_span(one[0], one[1], label=one[2])


def _entity(span: Span) -> Entity:
    return span.start_char, span.end_char, span.label_


def rank(found: Sequence[OutOfSample]) -> list[tuple[int, Suspect]]:
    """The number of the document and the suspect, of all of them, the strongest evidence first.

    Beside what the models say it counts how the same words are annotated elsewhere.
    """
    usage = Usages(found)
    pairs = [
        (n, suspect)
        for n, one in enumerate(found)
        for suspect in find_suspects(one.doc.gold, one.doc.predicted, usage.weighed(one))
    ]
    return sorted(pairs, key=lambda pair: (-pair[1].score, pair[0], pair[1].start))


class Usages:
    """How often each surface of an entity comes in the texts, and as what it is annotated; without case."""

    def __init__(self, found: Sequence[OutOfSample]) -> None:
        self._labels: dict[str, Counter[str]] = {}
        for one in found:
            for start, end, label in one.doc.gold:
                self._labels.setdefault(normalize_surface(one.doc.text[start:end]), Counter())[label] += 1
        wanted = set(self._labels) | {normalize_surface(one.doc.text[s:e]) for one in found for s, e, _ in one.probable}
        self._counts = Counter[str]()
        for one in found:
            tokens = one.doc.tokens
            for first, (start, _) in enumerate(tokens):
                for _, end in tokens[first : first + MAX_TOKENS]:
                    surface = normalize_surface(one.doc.text[start:end])
                    if surface in wanted:
                        self._counts[surface] += 1

    def weighed(self, one: OutOfSample) -> dict[Entity, float]:
        """The probabilities of a document, each weighed with what other places say of its surface."""
        gold = {entity[:2]: entity[2] for entity in one.doc.gold}
        probable = {**dict.fromkeys(one.doc.gold, 0.0), **one.probable}
        return {
            entity: smooth_probability(p, entity[2], self._elsewhere(one, entity, gold))
            for entity, p in probable.items()
        }

    def _elsewhere(self, one: OutOfSample, entity: Entity, gold: Mapping[tuple[int, int], str]) -> Usage:
        surface = normalize_surface(one.doc.text[entity[0] : entity[1]])
        labels = Counter(self._labels.get(surface, ()))
        if entity[:2] in gold:
            labels[gold[entity[0], entity[1]]] -= 1
        return Usage(max(self._counts[surface] - 1, labels.total()), labels)


def agreement(found: Iterable[OutOfSample]) -> Scores:
    """The scores of the models against the annotations."""
    return score_entities((one.doc.gold, one.doc.predicted) for one in found)


def require_agreement(found: Iterable[OutOfSample]) -> None:
    """Raise DomainNerError where the models agree too little with the annotations for their doubts to mean anything."""
    scores = agreement(found)
    if scores.micro.f1 >= MIN_F1:
        return
    by_type = ", ".join(f"{label} {100 * one.f1:.1f}" for label, one in scores.by_type.items())
    raise DomainNerError(
        f"The models agree with annotations that they did not learn to an F1 of {100 * scores.micro.f1:.1f} "
        f"({by_type}); expected {100 * MIN_F1:.0f} at least: below it they doubt for want of knowledge.",
        "Train for longer (--vars.epochs), annotate more passages, or take a better encoder. Nothing was written.",
    )


def report(docs: Sequence[Doc], found: Sequence[OutOfSample], *, n_folds: int) -> LabelErrors:
    """What was found, as `label_errors.json` has it."""
    scores = agreement(found)
    return LabelErrors(
        n_passages=len(docs),
        n_annotations=sum(len(one.doc.gold) for one in found),
        n_folds=n_folds,
        held_out={label: _held_out(one) for label, one in {"": scores.micro, **scores.by_type}.items()},
        suspects=[_shown(docs[n], found[n], suspect, scores) for n, suspect in rank(found)],
    )


def _held_out(one: Score) -> HeldOut:
    return HeldOut(precision=one.precision, recall=one.recall, f1=one.f1, support=one.support)


def review_tasks(docs: Sequence[Doc], found: Sequence[OutOfSample], *, n: int) -> list[Passage]:
    """The passages of the first `n` suspects as they are annotated, the worst first; each with what is suspicious in
    its `meta`, and with what the model suggests instead.
    """
    scores = agreement(found)
    chosen: dict[int, list[Suspect]] = {}
    for number, suspect in rank(found)[:n]:
        claimed = replace(suspect, score=min(suspect.score, max_plausible_score(suspect, scores)))
        chosen.setdefault(number, []).append(claimed)
    return [_task(docs[number], found[number], suspects) for number, suspects in chosen.items()]


def _task(gold: Doc, found: OutOfSample, suspects: Sequence[Suspect]) -> Passage:
    removed = {entity for one in suspects for entity in one.annotated}
    added = {entity for one in suspects for entity in one.suggested}
    told = [describe(one, found.doc.text) for one in suspects]
    return review_task(gold, {*found.doc.gold, *added} - removed, told, score=suspects[0].score)


def describe(suspect: Suspect, text: str) -> str:
    """A suspect in one line: what is annotated, what the model suggests, and how sure it is."""

    def words(some: Iterable[Entity]) -> str:
        return ", ".join(f"{text[start:end]!r} {label}" for start, end, label in some) or "nothing"

    return f"{suspect.kind}: {words(suspect.annotated)} -> {words(suspect.suggested)} ({suspect.score:.2f})"


def _shown(gold: Doc, found: OutOfSample, suspect: Suspect, scores: Scores) -> ShownSuspect:
    text = found.doc.text
    offset, end = context(text, suspect.start, suspect.end)

    def marked(some: Iterable[Entity]) -> list[Marked]:
        return [
            Marked(start=one[0] - offset, end=one[1] - offset, label=one[2], confidence=share(found.probable.get(one)))
            for one in some
        ]

    data: dict[Any, Any] = gold.user_data
    return ShownSuspect(
        kind=suspect.kind,
        score=share(min(suspect.score, max_plausible_score(suspect, scores))) or 0.0,
        evidence=share(suspect.score) or 0.0,
        source=found.doc.source,
        annotator=str(data.get("annotator") or ""),
        start=suspect.start,
        end=suspect.end,
        offset=offset,
        text=text[offset:end],
        annotated=marked(suspect.annotated),
        suggested=marked(suspect.suggested),
    )
