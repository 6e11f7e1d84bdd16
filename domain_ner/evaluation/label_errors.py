"""Finds annotations that are likely wrong: models that did not learn a passage say what they would annotate in it.

Out-of-sample predictions as in confident learning (Northcutt, Jiang & Chuang 2021), judged by spans and not by tokens:
the exact probability of a whole entity is what says how sure a model is that an annotation is wrong.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Any

import numpy as np
from pydantic import BaseModel, ConfigDict, Field
from spacy.language import Language
from spacy.tokens import Doc
from spacy.training import Example

from domain_ner.crf_ner.fitting import fit
from domain_ner.crf_ner.pipe import CANDIDATES_KEY, CRFRecognizer
from domain_ner.docs import SPANS_KEY
from domain_ner.errors import DomainNerError
from domain_ner.evaluation.predicting import EvaluatedDoc, evaluate_doc, input_doc, load_pipeline
from domain_ner.evaluation.schema import Marked
from domain_ner.evaluation.sections import context, share
from domain_ner.metrics.suspects import Suspect, find_suspects
from domain_ner.passages import Passage
from domain_ner.scores import Entity, Scores, score_entities
from domain_ner.training.parts import train_part
from domain_ner.writers.passages import to_passage

NAME = "crf_ner"
DEV_SHARE = 0.1
# Candidates over a token: more than a recogniser ever has.
ALL = 10_000
Share = Annotated[float, Field(ge=0, le=1)]


class ShownSuspect(BaseModel):
    """A suspicious annotation with the text around it.

    kind: missing annotation, needless annotation, wrong type or wrong boundary. score: the probability, by a model that
    did not learn the passage, of what it suggests. start, end: in the passage, in characters; offset: where the shown
    text begins there.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: str
    score: Share
    source: str
    annotator: str
    start: int
    end: int
    offset: int
    text: str
    annotated: list[Marked]
    suggested: list[Marked]


class LabelErrors(BaseModel):
    """What `find-label-errors` found, the most likely errors first. f1: of the models with the annotations."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    version: int = 1
    n_passages: int
    n_annotations: int
    n_folds: int
    f1: Share
    suspects: list[ShownSuspect]


@dataclass(frozen=True)
class OutOfSample:
    """A document, and what a model that did not learn it says. probable: of each span that it holds for possible, its
    probability; 0..1.
    """

    doc: EvaluatedDoc
    probable: dict[Entity, float]

    @property
    def suspects(self) -> list[Suspect]:
        """Where annotation and model disagree, in the order of the text."""
        return find_suspects(self.doc.gold, self.doc.predicted, self.probable)


def make_folds(n_docs: int, n_folds: int, *, seed: int) -> list[list[int]]:
    """Divide the numbers of documents at random, evenly. Raises DomainNerError where they are too few."""
    if not 2 <= n_folds <= n_docs // 2:
        raise DomainNerError(
            f"{n_docs} passages in {n_folds} folds: expected at least 2 folds, and 2 passages in each.",
            "Annotate more passages, or set vars.folds.",
        )
    order = np.random.default_rng(seed).permutation(n_docs).tolist()
    return [sorted(order[fold::n_folds]) for fold in range(n_folds)]


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
) -> list[OutOfSample]:
    """Train on all folds but one, and predict the one; in the order of `docs`.

    config: as create-config writes it. work: folder for the trainings, of which those that ended are not run again.
    gpu: -1 for the CPU. epochs: at most; 0 for those of the config. on_fold: called before each training.
    Raises DomainNerError where the recogniser gives no probabilities.
    """
    found: dict[int, OutOfSample] = {}
    for number, held in enumerate(make_folds(len(docs), n_folds, seed=seed)):
        on_fold(number)
        others = np.random.default_rng(seed).permutation(sorted(set(range(len(docs))) - set(held))).tolist()
        n_dev = max(1, round(DEV_SHARE * len(others)))
        dev, learned = ([docs[n] for n in sorted(some)] for some in (others[:n_dev], others[n_dev:]))
        best, _ = train_part(config, learned, dev, work / f"fold-{number + 1}", gpu=gpu, seed=seed, epochs=epochs)
        nlp = load_pipeline(best)
        if NAME not in nlp.pipe_names:
            raise DomainNerError(f"The pipeline has no {NAME}, which says how sure it is.", "Set vars.head to crf.")
        fit(nlp, [Example(input_doc(nlp, gold), gold) for gold in dev], NAME)
        found |= dict(zip(held, predict(nlp, [docs[n] for n in held]), strict=True))
    return [found[n] for n in range(len(docs))]


def predict(nlp: Language, gold: Sequence[Doc]) -> Iterator[OutOfSample]:
    """What a pipeline says of documents that it did not learn, with all spans that it holds for possible."""
    pipe = nlp.get_pipe(NAME)
    assert isinstance(pipe, CRFRecognizer)
    pipe.settings = replace(pipe.settings, n_candidates=ALL)
    for gold_doc, predicted in zip(gold, nlp.pipe(input_doc(nlp, doc) for doc in gold), strict=True):
        evaluated = evaluate_doc(gold_doc, predicted)
        group = predicted.spans[CANDIDATES_KEY]
        others = zip(group, group.attrs["scores"], strict=True)
        probable = {(span.start_char, span.end_char, span.label_): score for span, score in others}
        yield OutOfSample(evaluated, probable | dict(evaluated.confidences))


def rank(found: Sequence[OutOfSample]) -> list[tuple[int, Suspect]]:
    """The number of the document and the suspect, of all of them, the most likely errors first."""
    pairs = [(n, suspect) for n, one in enumerate(found) for suspect in one.suspects]
    return sorted(pairs, key=lambda pair: (-pair[1].score, pair[0], pair[1].start))


def agreement(found: Iterable[OutOfSample]) -> Scores:
    """The scores of the models against the annotations."""
    return score_entities((one.doc.gold, one.doc.predicted) for one in found)


def report(docs: Sequence[Doc], found: Sequence[OutOfSample], *, n_folds: int) -> LabelErrors:
    """What was found, as `label_errors.json` has it."""
    return LabelErrors(
        n_passages=len(docs),
        n_annotations=sum(len(one.doc.gold) for one in found),
        n_folds=n_folds,
        f1=agreement(found).micro.f1,
        suspects=[_shown(docs[n], found[n], suspect) for n, suspect in rank(found)],
    )


def review_tasks(docs: Sequence[Doc], found: Sequence[OutOfSample], *, n: int) -> list[Passage]:
    """The passages of the first `n` suspects as they are annotated, the worst first; each with what is suspicious in
    its `meta`, and with what the model suggests instead.
    """
    chosen: dict[int, list[Suspect]] = {}
    for number, suspect in rank(found)[:n]:
        chosen.setdefault(number, []).append(suspect)
    return [_task(docs[number], found[number], suspects) for number, suspects in chosen.items()]


def _task(gold: Doc, found: OutOfSample, suspects: Sequence[Suspect]) -> Passage:
    passage = to_passage(gold, found.doc.source)
    removed = {entity for one in suspects for entity in one.annotated}
    added = {entity for one in suspects for entity in one.suggested}
    changed = gold.copy()
    kept = sorted({*found.doc.gold, *added} - removed)
    spans = (gold.char_span(start, end, label=label, alignment_mode="expand") for start, end, label in kept)
    changed.set_ents([span for span in spans if span is not None])
    changed.spans.pop(SPANS_KEY, None)
    told = [describe(one, found.doc.text) for one in suspects]
    return replace(
        passage,
        annotator="",
        meta={**passage.meta, "suspicious": told, "score": round(suspects[0].score, 4)},
        suggested=to_passage(changed, passage.source).spans,
    )


def describe(suspect: Suspect, text: str) -> str:
    """A suspect in one line: what is annotated, what the model suggests, and how sure it is."""

    def words(some: Iterable[Entity]) -> str:
        return ", ".join(f"{text[start:end]!r} {label}" for start, end, label in some) or "nothing"

    return f"{suspect.kind}: {words(suspect.annotated)} -> {words(suspect.suggested)} ({suspect.score:.2f})"


def _shown(gold: Doc, found: OutOfSample, suspect: Suspect) -> ShownSuspect:
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
        score=share(suspect.score) or 0.0,
        source=found.doc.source,
        annotator=str(data.get("annotator") or ""),
        start=suspect.start,
        end=suspect.end,
        offset=offset,
        text=text[offset:end],
        annotated=marked(suspect.annotated),
        suggested=marked(suspect.suggested),
    )
