"""Compares an optimised pipeline with the trained one: entities, confidences, calibration; alone and in batches."""

import random
from collections.abc import Iterable, Iterator, Mapping, Sequence

from spacy.language import Language
from spacy.tokens import Doc
from spacy.util import minibatch

from domain_ner.evaluation.parity_schema import Difference, Promise, Quality, Side
from domain_ner.evaluation.predicting import (
    Evaluated,
    EvaluatedDoc,
    Watched,
    evaluate_pipeline,
    input_doc,
    minimum_confidences,
)
from domain_ner.metrics.calibration import ScoredSpan, calibration_error, chance_error, measure
from domain_ner.metrics.resampling import compare, count
from domain_ner.onnx_encoder.encoder_file import INT8

# The most that is lost: float32, one entity in so many passages; int8, F1 and calibration error, in 0..1.
PASSAGES_PER_ENTITY = 500
MAX_F1_LOSS, MAX_CALIBRATION_LOSS = 0.005, 0.01
# A loss with a larger probability by chance is none.
ALPHA = 0.05
# Of a text's confidences, by what its neighbours in the batch are.
MAX_ALONE = 0.005
# Passages of a long document, and how many such documents are made at most.
LONG, MAX_LONG = 40, 20
# Texts to predict alone, and the largest batch they are then put in.
MAX_ALONE_TEXTS, MAX_BATCH = 60, 32

Spans = Mapping[tuple[int, int, str], float]


def quality(evaluated: Evaluated) -> Quality:
    """The scores of `evaluate_pipeline`."""
    by_type = {label: score.f1 for label, score in evaluated.scores.by_type.items()}
    return Quality(
        f1=evaluated.scores.micro.f1,
        f1_by_type=by_type,
        calibration_error=calibration_error(evaluated.judged),
        by_chance=chance_error(evaluated.judged),
    )


def spans_of(evaluated: Evaluated) -> list[Spans]:
    """The predicted entities of each document with their confidences; 1 for one that has none."""
    return [{entity: doc.confidences.get(entity, 1.0) for entity in doc.predicted} for doc in evaluated.docs]


def difference(before: Sequence[Spans], after: Sequence[Spans]) -> Difference:
    """Compare two predictions of the same texts."""
    pairs = list(zip(before, after, strict=True))
    moved = [abs(first[span] - second[span]) for first, second in pairs for span in first.keys() & second.keys()]
    return Difference(
        n_texts=len(pairs),
        n_entities=sum(len(first.keys() | second.keys()) for first, second in pairs),
        n_different=sum(len(first.keys() ^ second.keys()) for first, second in pairs),
        confidence_largest=max(moved, default=0.0),
        confidence_mean=sum(moved) / len(moved) if moved else 0.0,
    )


def evaluate(nlp: Language, gold: Sequence[Doc], name: str, watched: Watched) -> Evaluated:
    """Predict, and show progress."""
    with watched(name, len(gold)) as on_doc:
        return evaluate_pipeline(nlp, gold, on_doc=on_doc)


def long_documents(gold: Sequence[Doc]) -> list[Doc]:
    """Join passages to documents of several windows. Only passages whose spacing is known."""
    known = [doc for doc in gold if not doc.has_unknown_spaces and len(doc)]
    parts = list(minibatch(known, LONG))[:MAX_LONG]
    # The source and meta of a passage are not those of the whole; spaCy would warn of each. Its stub lacks `exclude`.
    return [Doc.from_docs(part, exclude=["user_data"]) for part in parts]  # type: ignore[call-arg]


def alone_and_in_batches(nlp: Language, gold: Sequence[Doc], *, n_batches: int, seed: int) -> Difference:
    """Predict texts alone, then each in `n_batches` random batches of 2 to 32 texts; compare each time."""
    generator = random.Random(seed)
    docs = [doc for doc in gold if len(doc)]
    chosen = generator.sample(docs, min(MAX_ALONE_TEXTS, len(docs)))
    alone = [_spans(nlp(input_doc(nlp, doc))) for doc in chosen]
    before, after = list[Spans](), list[Spans]()
    for _ in range(n_batches):
        order = generator.sample(range(len(chosen)), len(chosen))
        for numbers in _parts(order, generator):
            batch = [input_doc(nlp, chosen[number]) for number in numbers]
            for number, doc in zip(numbers, nlp.pipe(batch, batch_size=len(batch)), strict=True):
                before.append(alone[number])
                after.append(_spans(doc))
    return difference(before, after)


def _parts(order: Sequence[int], generator: random.Random) -> Iterator[Sequence[int]]:
    begin = 0
    while begin < len(order):
        end = begin + generator.randint(2, MAX_BATCH)
        yield order[begin:end]
        begin = end


def _spans(doc: Doc) -> dict[tuple[int, int, str], float]:
    return {
        (ent.start_char, ent.end_char, ent.label_): 1.0 if ent._.confidence is None else ent._.confidence
        for ent in doc.ents
    }


def check_promises(nlp: Language, dev: Sequence[Doc], promised: float, watched: Watched) -> list[Promise]:
    """Measure on dev whether each type that has a threshold is still as precise as was promised.

    promised: the precision that the thresholds were fitted for. Types that report nothing are left out.
    """
    evaluated = evaluate(nlp, dev, "checking the thresholds on dev", watched)
    kept = []
    for label, threshold in minimum_confidences(nlp).items():
        if threshold < 1:
            reported = [span for span in evaluated.judged if span.label == label and span.confidence >= threshold]
            score = evaluated.scores.by_type.get(label)
            measured = measure(reported, score.support if score else 0, threshold)
            kept.append(Promise(label=label, promised=promised, bound=measured.precision_bound, refitted=False))
    return kept


def f1_by_chance(before: Evaluated, after: Evaluated) -> float:
    """The probability of such a difference in micro F1 by chance: a permutation test over documents."""
    labels = sorted({label for evaluated in (before, after) for label in evaluated.scores.by_type})
    counts = [count(((doc.gold, doc.predicted) for doc in evaluated.docs), labels) for evaluated in (before, after)]
    return compare(*counts)[""].p


def calibration_by_chance(before: Evaluated, after: Evaluated, *, n_swaps: int = 199, seed: int = 0) -> float:
    """The probability of such a rise of the calibration error by chance: a permutation test over documents.

    A calibration error is a sum over bins: confidences that move by little may change bins, and the error by more.
    """
    judged = [[_judged(doc) for doc in evaluated.docs] for evaluated in (before, after)]
    pairs, rng = list(zip(*judged, strict=True)), random.Random(seed)
    observed = _rise(pairs)
    swapped = (_rise([pair[::-1] if rng.random() < 0.5 else pair for pair in pairs]) for _ in range(n_swaps))
    return (1 + sum(rise >= observed for rise in swapped)) / (1 + n_swaps)


def _judged(doc: EvaluatedDoc) -> list[ScoredSpan]:
    return [ScoredSpan(entity[2], confidence, entity in doc.gold) for entity, confidence in doc.confidences.items()]


def _rise(pairs: Sequence[tuple[list[ScoredSpan], list[ScoredSpan]]]) -> float:
    before, after = (calibration_error([span for pair in pairs for span in pair[side]]) for side in (0, 1))
    return after - before


def failures(  # noqa: PLR0913
    precision: str,
    sides: tuple[Side, Side],
    different: Difference,
    alone: Difference,
    promises: Iterable[Promise],
    *,
    f1_p: float,
    calibration_p: tuple[float, float] = (0.0, 0.0),
) -> list[str]:
    """List the limits that the optimised pipeline passes, in words.

    sides: the trained and the optimised pipeline. f1_p: of `f1_by_chance`. calibration_p: of `calibration_by_chance`,
    on the test set and on long documents. On a small test set one entity is more than the limit: a loss by chance does
    not count.
    """
    return [
        *(_int8_failures(*sides, f1_p, calibration_p) if precision == INT8 else _float32_failures(different)),
        *_alone_failures(alone),
        *(
            f"{promise.label} has a precision of {promise.bound:.3f} on dev; {promise.promised:g} was promised"
            for promise in promises
            if promise.bound < promise.promised
        ),
    ]


def most_different(n_texts: int) -> int:
    """Return how many entities may differ in so many texts, in float32."""
    return max(1, n_texts // PASSAGES_PER_ENTITY)


def _float32_failures(different: Difference) -> Iterator[str]:
    allowed = most_different(different.n_texts)
    if different.n_different > allowed:
        yield (
            f"{different.n_different} entities differ in {different.n_texts} passages; at most {allowed}"
            f" (1 in {PASSAGES_PER_ENTITY} passages)"
        )


def _int8_failures(trained: Side, optimized: Side, f1_p: float, calibration_p: tuple[float, float]) -> Iterator[str]:
    for name, before, after, risen_p in (
        ("the test set", trained.quality, optimized.quality, calibration_p[0]),
        ("long documents", trained.long, optimized.long, calibration_p[1]),
    ):
        lost = before.f1 - after.f1
        if lost > MAX_F1_LOSS and f1_p < ALPHA:
            yield f"F1 on {name} falls by {100 * lost:.2f} points; at most {100 * MAX_F1_LOSS}"
        risen = after.calibration_error - before.calibration_error
        if risen > MAX_CALIBRATION_LOSS and after.calibration_error > after.by_chance and risen_p < ALPHA:
            yield f"the calibration error on {name} rises by {risen:.3f}; at most {MAX_CALIBRATION_LOSS}"


def _alone_failures(alone: Difference) -> Iterable[str]:
    if alone.n_different:
        yield f"{alone.n_different} entities depend on a text's neighbours in the batch; none may"
    if alone.confidence_largest > MAX_ALONE:
        yield (
            f"a confidence moves by {alone.confidence_largest:.4f} with a text's neighbours in the batch; at most"
            f" {MAX_ALONE}"
        )
