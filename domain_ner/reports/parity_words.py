"""The sentences of the parity sheet: the verdict, what is gained, and what the limits are."""

from domain_ner.evaluation.parity import (
    LONG,
    MAX_ALONE,
    MAX_ALONE_TEXTS,
    MAX_BATCH,
    MAX_CALIBRATION_LOSS,
    MAX_F1_LOSS,
    PASSAGES_PER_ENTITY,
    most_different,
)
from domain_ner.evaluation.parity_schema import Parity
from domain_ner.evaluation.timing import MAX_SINGLE
from domain_ner.onnx_encoder.encoder_file import INT8
from domain_ner.reports.parity_rows import IN_BATCH_SPEED, SINGLE_SPEED, SIZE, difference_in_points, gains

PROMISED_IS = (
    "Precision on the development data, in per cent, of the reported entities: at least this high with 90 % "
    "probability."
)


def compared(parity: Parity) -> str:
    """Say what is compared."""
    return (
        f"The optimised pipeline ({parity.precision}), which runs without PyTorch, against the trained one, on "
        f"{parity.difference.n_texts:,} test passages."
    )


def verdict(parity: Parity) -> str:
    """Say whether the optimised pipeline may replace the trained one; the failures if there are several follow it."""
    if not parity.failures:
        return f"Passed: the {parity.precision} pipeline stays within all limits."
    if len(parity.failures) > 1:
        return f"Not passed: {len(parity.failures)} limits are exceeded."
    return f"Not passed: {parity.failures[0]}."


def failure_list(parity: Parity) -> list[str]:
    """Return the failures as sentences, if the verdict does not name them."""
    several = parity.failures if len(parity.failures) > 1 else []
    return [f"{failure[:1].upper()}{failure[1:]}." for failure in several]


def summary(parity: Parity) -> str:
    """Say in one sentence what becomes of F1, speed and size."""
    parts = [_f1_change(parity.optimized.quality.f1 - parity.trained.quality.f1)]
    places = {IN_BATCH_SPEED: "in batches", SINGLE_SPEED: "one text at a time", SIZE: "on disk"}
    parts += [f"{gain.in_words} {places[gain.name]}" for gain in gains(parity) if gain.name in places and gain.in_words]
    return f"Against the trained pipeline: {', '.join(parts)}."


def _f1_change(difference: float) -> str:
    by = difference_in_points(difference)
    return f"F1 {'falls' if difference < 0 else 'rises'} by {by[1:]} points" if by != "0.00" else "F1 is the same"


def about_f1(parity: Parity) -> str:
    """Explain the tables of F1, and state how much may be lost unless the entities themselves are limited."""
    trained, optimized = parity.trained, parity.optimized
    pairs = ((trained.quality, optimized.quality), (trained.long, optimized.long))
    text = "F1 of exact matches of boundaries and type, in per cent; the difference in points."
    if any(before.f1_by_type.keys() ^ after.f1_by_type.keys() for before, after in pairs):
        text += " Empty: the type is neither in gold nor predicted."
    if parity.precision == INT8:
        text += f" F1 of all types together may fall by at most {100 * MAX_F1_LOSS:g} points."
    return text


def about_calibration(parity: Parity) -> str:
    """Explain the calibration error, and state by how much it may rise unless the entities themselves are limited."""
    limit = f" It may rise by at most {100 * MAX_CALIBRATION_LOSS:.1f} points."
    return (
        "Expected calibration error: the mean distance between confidence and precision, in points. Less is better."
        f"{limit if parity.precision == INT8 else ''}"
    )


def about_speed(parity: Parity) -> str:
    """Say how the pipelines were timed, and what the figures mean."""
    if not (parity.trained.timing and parity.optimized.timing):
        return "The pipelines were not timed (--rounds 0)."
    return (
        "Each pipeline ran in a process of its own, in turn with the other, on the same texts and the same machine; "
        f"the best of all rounds counts. Latency: of one text, among the first {MAX_SINGLE}. Start: import spaCy, load "
        "the pipeline, and predict the first text. Memory: resident, at its peak."
    )


def long_documents(parity: Parity) -> str:
    """Describe the long documents."""
    n = parity.long.n_texts
    if not n:
        return "There are none: the spacing of the passages is not known, so that they cannot be joined."
    documents = f"{n:,} documents" if n > 1 else "One document"
    return f"{documents} of up to {LONG} joined passages of the test set, which take several windows of the encoder."


def what_differs(parity: Parity) -> list[tuple[str, str]]:
    """Explain each comparison: its name, and what is compared and what may differ."""
    allowed = most_different(parity.difference.n_texts)
    between = "The trained pipeline against the optimised one, on the same texts. "
    if parity.precision == INT8:
        between += (
            "Weights rounded to 8 bits change single entities; what is limited is the loss in F1 and calibration."
        )
    else:
        between += (
            f"At most {allowed:,} {'entity' if allowed == 1 else 'entities'} may differ on the test set (1 in "
            f"{PASSAGES_PER_ENTITY} passages): float32 sums in another order, which can tip a tie."
        )
    alone = (
        f"The optimised pipeline on up to {MAX_ALONE_TEXTS} texts, each alone and then in random batches of 2 to "
        f"{MAX_BATCH}. No entity may depend on a text's neighbours, and no confidence may move by more than "
        f"{MAX_ALONE}: a batch only saves time."
    )
    return [("Test set and long documents", between), ("In batches", alone)]
