"""Builds the baseline of a pipeline: predicts the test set, and sketches the vocabulary of what it learned from."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from random import Random

import numpy as np
from spacy.attrs import LOWER
from spacy.language import Language
from spacy.tokens import Doc

from domain_ner.crf_ner.pipe import BELOW_KEY
from domain_ner.evaluation.predicting import evaluate_doc, input_doc, nests, read_docs
from domain_ner.files import sha256_of_folder
from domain_ner.metrics.scores import score_entities
from domain_ner.monitoring.baseline import Baseline, Identity, Summary, TypeRates
from domain_ner.monitoring.features import VECTORS, Columns, labels_of, measured
from domain_ner.monitoring.observations import LENGTHS, Observation, to_row
from domain_ner.monitoring.observing import Observer
from domain_ner.monitoring.vocabulary import Vocabulary

# Documents in a baseline: a test of a window cannot use many more.
MAX_DOCUMENTS = 5000
BATCH = 64
# Of a confidence, as `annotate` writes it.
DIGITS = 4


def vocabulary_of(docs: Iterable[Doc]) -> Vocabulary:
    """Sketch the words of documents, in lower case."""
    hashes = [doc.to_array([LOWER]).ravel() for doc in docs if len(doc)]
    return Vocabulary.of(np.concatenate([np.zeros(0, dtype=np.uint64), *hashes]))


def observe_gold(nlp: Language, gold: Sequence[Doc], vocabulary: Vocabulary | None) -> list[Observation]:
    """Predict on the texts of gold documents; returns their numbers, with correct and gold entities by type."""
    observer, can_nest, observations = Observer(nlp, vocabulary), nests(nlp), list[Observation]()
    for start in range(0, len(gold), BATCH):
        part = gold[start : start + BATCH]
        docs = list(nlp.pipe(input_doc(nlp, doc) for doc in part))
        pairs = [evaluate_doc(*pair, can_nest=can_nest) for pair in zip(part, docs, strict=True)]
        scored = [[(entity[2], _rounded(pair.confidences.get(entity))) for entity in pair.predicted] for pair in pairs]
        below = [[(span.label_, None) for span in doc.spans.get(BELOW_KEY, ())] for doc in docs]
        for counted, pair in zip(observer(docs, scored, below), pairs, strict=True):
            scores = score_entities([(pair.gold, pair.predicted)]).by_type
            correct = {label: score.n_correct for label, score in scores.items() if score.n_correct}
            in_gold = {label: score.n_gold for label, score in scores.items() if score.n_gold}
            observations.append(replace(counted, id=pair.source, correct=correct, gold=in_gold))
    return observations


def build_baseline(
    nlp: Language, identity: Identity, test: Path, learned: Sequence[Path], *, seed: int = 0
) -> Baseline:
    """Build the baseline of a pipeline.

    identity: of the pipeline. test: a DocBin that it did not learn from. learned: DocBins whose words it knows; empty:
    unseen words are not counted. seed: of the choice, if there are more documents than are kept.
    Raises DomainNerError when a corpus cannot be read.
    """
    vocabulary = vocabulary_of(doc for path in learned for doc in read_docs(path, nlp.vocab)) if learned else None
    gold = read_docs(test, nlp.vocab)
    kept = sorted(Random(seed).sample(range(len(gold)), min(len(gold), MAX_DOCUMENTS)))
    observations = observe_gold(nlp, [gold[n] for n in kept], vocabulary)
    return make_baseline(
        observations, identity, str(nlp.lang), test.name, vocabulary=vocabulary, n_left_out=len(gold) - len(kept)
    )


def package_baseline(nlp: Language, model: Path, test: Path, learned: Sequence[Path]) -> Baseline:
    """Build the baseline of a pipeline, `nlp`, in its folder, `model`. test, learned: as in `build_baseline`."""
    name = f"{nlp.meta['lang']}_{nlp.meta['name']}"
    identity = Identity(name=name, version=str(nlp.meta["version"]), sha256=sha256_of_folder(model))
    return build_baseline(nlp, identity, test, learned)


def make_baseline(  # noqa: PLR0913
    observations: Sequence[Observation],
    identity: Identity,
    lang: str,
    corpus: str,
    *,
    vocabulary: Vocabulary | None = None,
    n_left_out: int = 0,
) -> Baseline:
    """Make a baseline of the numbers of labelled documents. Their ids are left out."""
    return Baseline(
        pipeline=identity,
        lang=lang,
        corpus=corpus,
        n_left_out=n_left_out,
        labels=labels_of(observations),
        summary=summarise(observations),
        vocabulary=vocabulary.to_sketch() if vocabulary else None,
        documents=[to_row(replace(observation, id="")) for observation in observations],
    )


def summarise(observations: Sequence[Observation]) -> Summary:
    """Sum the numbers of documents up."""
    columns, known = Columns(labels_of(observations)), measured(observations)
    sums = columns.table(observations).sum(axis=0)

    def share(numerator: str, denominator: str) -> float | None:
        total = sums[columns.of(denominator)]
        return (
            round(float(sums[columns.of(numerator)] / total), 4)
            if {numerator, denominator} <= known and total
            else None
        )

    correct, in_gold, found = (
        {label: _total(observations, part, label) for label in columns.labels} for part in ("correct", "gold", "found")
    )
    n_tokens, n_vectors = float(sums[columns.of("tokens")]), float(sums[columns.of(VECTORS)])
    rates = {}
    for label in columns.labels:
        scored = float(sums[columns.of_type(label, "scored")])
        confidence = float(sums[columns.of_type(label, "confidence")])
        rates[label] = TypeRates(
            n_entities=found[label],
            n_gold=in_gold[label],
            per_1000_tokens=round(1000 * found[label] / max(n_tokens, 1), 3),
            mean_confidence=round(confidence / scored, 4) if scored else None,
            histogram=sums[list(columns.histogram(label))].astype(int).tolist(),
            f1=_f1(correct[label], found[label], in_gold[label]),
        )
    vector = sums[list(columns.vector)] / n_vectors if n_vectors else []
    return Summary(
        n_documents=len(observations),
        n_tokens=int(n_tokens),
        n_empty=int(sums[columns.of("empty")]),
        f1=_f1(*(sum(part.values()) for part in (correct, found, in_gold))),
        by_type=rates,
        length_edges=list(LENGTHS),
        lengths=sums[list(columns.lengths)].astype(int).tolist(),
        unseen_words=share("unseen", "words"),
        wordpieces_per_word=share("pieces", "words"),
        unknown_wordpieces=share("unknown_pieces", "pieces"),
        mean_vector=[round(float(number), 4) for number in vector],
    )


def _total(observations: Sequence[Observation], part: str, label: str) -> int:
    if part == "found":
        return sum(len(observation.confidences.get(label, ())) for observation in observations)
    return sum((getattr(observation, part) or {}).get(label, 0) for observation in observations)


def _f1(correct: int, found: int, in_gold: int) -> float:
    return round(2 * correct / (found + in_gold), 4) if found + in_gold else 0.0


def _rounded(confidence: float | None) -> float | None:
    return None if confidence is None else round(float(confidence), DIGITS)
