"""Makes an optimised pipeline with the thresholds that were promised, and measures it beside the trained one."""

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path

from spacy.language import Language

from domain_ner.evaluation.calibrating import NAME, fit_on, promised_precision
from domain_ner.evaluation.parity import (
    alone_and_in_batches,
    calibration_by_chance,
    check_promises,
    difference,
    evaluate,
    f1_by_chance,
    failures,
    long_documents,
    quality,
    spans_of,
)
from domain_ner.evaluation.parity_schema import Parity, Promise, Side, Timing
from domain_ner.evaluation.predicting import Evaluated, Watched, load_pipeline, read_docs
from domain_ner.evaluation.timing import time_in_turn
from domain_ner.files import sha256_of_folder
from domain_ner.onnx_encoder.encoder_file import RUNTIMES
from domain_ner.optimizing.pipeline import optimize

Say = Callable[[str], None]


@dataclass(frozen=True)
class Measurement:
    """What to measure. test: the corpus (DocBin). n_batches: random batches for each text. rounds: of the timings, 0
    for none. threads: of the timings; 0: as many as there are. seed: of the batches.
    """

    test: Path
    n_batches: int
    rounds: int
    threads: int = 0
    seed: int = 0


def make(model: Path, runtime: str, *, say: Say) -> Language:
    """Load a trained pipeline and optimise it. runtime: onnx or onnx-int8."""
    nlp = load_pipeline(model)
    say(f"exporting the encoder of {model} to ONNX, in {RUNTIMES[runtime]}")
    return optimize(nlp, runtime)


def keep_promises(  # noqa: PLR0913
    nlp: Language, dev: Path, threshold: str, *, group_by: str, seed: int, watched: Watched
) -> list[Promise]:
    """Check the thresholds on dev, if a precision was promised; where it does not hold, fit all of them anew.

    threshold: as given to calibrate. Returns the precision of each type with a threshold.
    """
    promised = promised_precision(threshold)
    if promised is None or NAME not in nlp.pipe_names:
        return []
    docs = read_docs(dev, nlp.vocab)
    promises = check_promises(nlp, docs, promised, watched)
    if all(promise.bound >= promised for promise in promises):
        return promises
    fit_on(nlp, dev, threshold, group_by=group_by, seed=seed)
    again = check_promises(nlp, docs, promised, watched)
    return [promise.model_copy(update={"refitted": True}) for promise in again]


def compare(  # noqa: PLR0913
    trained: Path, optimized: Path, runtime: str, measurement: Measurement, promises: Sequence[Promise], *,
    watched: Watched,
) -> Parity:  # fmt: skip
    """Predict with both pipelines, in two folders, and time them in turn."""
    before, after = load_pipeline(trained), load_pipeline(optimized)
    gold = [read_docs(measurement.test, nlp.vocab) for nlp in (before, after)]
    scored, long = list[Evaluated](), list[Evaluated]()
    for nlp, docs, name in zip((before, after), gold, ("trained", "optimised"), strict=True):
        scored.append(evaluate(nlp, docs, f"predicting, {name}", watched))
        long.append(evaluate(nlp, long_documents(docs), f"predicting long documents, {name}", watched))
    alone = alone_and_in_batches(after, gold[1], n_batches=measurement.n_batches, seed=measurement.seed)
    timings = _time(trained, optimized, [doc.text for doc in gold[0]], measurement, watched)
    sides = [
        Side(
            sha256=sha256_of_folder(folder),
            size_mb=sum(path.stat().st_size for path in folder.rglob("*") if path.is_file()) / 1e6,
            quality=quality(evaluated),
            long=quality(of_long),
            timing=timing,
        )
        for folder, evaluated, of_long, timing in zip((trained, optimized), scored, long, timings, strict=True)
    ]
    f1_p = f1_by_chance(*scored)
    calibration_p = calibration_by_chance(*scored), calibration_by_chance(*long)
    different = difference(*(spans_of(evaluated) for evaluated in scored))
    return Parity(
        runtime=runtime,
        corpus=str(measurement.test),
        trained=sides[0],
        optimized=sides[1],
        f1_p=f1_p,
        calibration_p=calibration_p[0],
        long_calibration_p=calibration_p[1],
        difference=different,
        long=difference(*(spans_of(evaluated) for evaluated in long)),
        alone=alone,
        promises=list(promises),
        failures=failures(
            RUNTIMES[runtime], (sides[0], sides[1]), different, alone, promises, f1_p=f1_p, calibration_p=calibration_p
        ),
    )


def _time(
    trained: Path, optimized: Path, texts: Sequence[str], measurement: Measurement, watched: Watched
) -> Sequence[Timing | None]:
    if not measurement.rounds:
        return [None, None]
    showing: AbstractContextManager[Callable[[], None]] = watched("timing in turn", 2 * measurement.rounds)
    with showing as on_run:
        return time_in_turn(
            [trained, optimized], texts, rounds=measurement.rounds, threads=measurement.threads, on_run=on_run
        )
