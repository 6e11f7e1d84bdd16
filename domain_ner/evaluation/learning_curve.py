"""Trains on growing parts of the training data, and predicts the gain of more data, by type."""

import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from math import sqrt
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field
from spacy.tokens import Doc

from domain_ner.corpus.docs import groups_of
from domain_ner.corpus.languages import blank
from domain_ner.errors import DomainNerError
from domain_ner.evaluation.predicting import TARGET_F1, evaluate_pipeline, load_pipeline
from domain_ner.metrics.learning_curve import MIN_SIZES, Curve, ExpectedScore, TrainingScore, fit
from domain_ner.metrics.scores import ALL_TYPES
from domain_ner.training.parts import train_part
from domain_ner.training.run import read_config

MORE = (100, 300, 1000)
# Nothing is predicted beyond this multiple of the available passages.
FARTHEST = 10
Share = Annotated[float, Field(ge=0, le=1)]


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class ExpectedF1(_Part):
    """An F1, or a gain of F1, with its 95 % interval."""

    f1: Share
    low: Share
    high: Share


class Size(_Part):
    """The scores of the trainings on `n_passages` passages, one for each seed."""

    n_passages: int
    f1: list[Share]


class Check(_Part):
    """The F1 that the smaller parts predict for the largest, and its measured F1 (the mean of its trainings)."""

    expected: ExpectedF1
    measured: Share
    is_within: bool


class TypeCurve(_Part):
    """The curve of a type. support: gold entities in the test set. now: expected F1 with all the training data.

    more: number of additional passages to the expected gain. target_at: passages at which the target is expected, with
    its interval; None: not within ten times the data. check: None if there are too few parts. All but support and sizes
    are empty if there are too few parts for a curve.
    """

    support: int
    sizes: list[Size]
    now: ExpectedF1 | None
    more: dict[int, ExpectedF1]
    target_at: int | None
    target_at_low: int | None
    target_at_high: int | None
    check: Check | None


class LearningCurve(_Part):
    """What `learning-curve` measured and expects. The key `all` of by_type is the micro average."""

    version: int = 1
    n_passages: int
    n_test_passages: int
    target_f1: Share = TARGET_F1
    by_type: dict[str, TypeCurve]


@dataclass(frozen=True)
class PartScores:
    """A training on a part of the data: its passages, and its test F1 (0..1) by type and for `all`.

    support: gold test entities by type. n_tested: test passages.
    """

    n_passages: int
    f1: dict[str, float]
    support: dict[str, int]
    n_tested: int


def parse_fractions(text: str) -> list[float]:
    """Parse `"0.25,0.5,1"`: parts of the training data, in 0..1.

    Raises DomainNerError unless they are at least three different values, and the largest is 1.
    """
    try:
        fractions = sorted({float(part) for part in text.split(",")})
    except ValueError:
        fractions = []
    if len(fractions) < MIN_SIZES or fractions[0] <= 0 or fractions[-1] != 1:
        raise DomainNerError(
            f"vars.fractions is {text!r}; expected three or more parts of the data, rising to 1: 0.25,0.5,1"
        )
    return fractions


def nested_order(docs: Sequence[Doc], *, group_by: str, seed: int) -> list[int]:
    """Order the documents' indices so that each part is a prefix. Passages of a group follow one another.

    group_by: a key of `meta`, or `document`; empty or missing: each passage is its own group.
    """
    groups: dict[str, list[int]] = {}
    for n, name in enumerate(groups_of(docs, group_by)):
        groups.setdefault(f"group {name}" if name else f"passage {n}", []).append(n)
    rng, shuffled = random.Random(seed), list(groups.values())
    rng.shuffle(shuffled)
    for group in shuffled:
        rng.shuffle(group)
    return [n for group in shuffled for n in group]


def train_parts(  # noqa: PLR0913
    config: Path,
    docs: Sequence[Doc],
    dev: Sequence[Doc],
    test: Sequence[Doc],
    work: Path,
    *,
    fractions: Sequence[float],
    seeds: int,
    gpu: int,
    group_by: str = "",
    epochs: int = 0,
    on_part: Callable[[float, int], None] = lambda *_: None,
    say: Callable[[str], None] = lambda _: None,
) -> Iterator[PartScores]:
    """Train on each part from each seed, and score on the test documents.

    config: written by create-config; its seed is the first. work: folder for the trainings; completed ones are not
    repeated. epochs: at most, for all the data; 0 for those of the config. A smaller part takes more epochs, by the
    square root of the ratio, because its epochs have fewer steps. on_part: called before each training, with fraction
    and seed. say: called with messages on resumed or restarted trainings.
    Raises DomainNerError if the test documents hold no entity.
    """
    if not any(doc.ents for doc in test):
        raise DomainNerError(
            "The test set holds no entity: there is nothing to measure.", "Annotate more, and run convert again."
        )
    full = read_config(config, {}).interpolate()
    training, lang = full["training"], full["nlp"]["lang"]
    first, whole = training["seed"] or 0, epochs or training["max_epochs"]
    for seed in range(first, first + seeds):
        order = nested_order(docs, group_by=group_by, seed=seed)
        for fraction in fractions:
            on_part(fraction, seed)
            part = [docs[n] for n in order[: max(1, round(fraction * len(docs)))]]
            place, n_epochs = work / f"{fraction:g}", round(whole / sqrt(fraction))
            nlp = blank(lang)
            # A part without entities has nothing to train on; a blank pipeline stands for it.
            if any(doc.ents or doc.spans.get("sc") for doc in part):
                best, _ = train_part(config, part, dev, place / str(seed), gpu=gpu, seed=seed, epochs=n_epochs, say=say)
                nlp = load_pipeline(best)
            scores = evaluate_pipeline(nlp, test).scores
            rows = dict(sorted(scores.by_type.items())) | {ALL_TYPES: scores.micro}
            f1 = {label: score.f1 for label, score in rows.items()}
            support = {label: score.support for label, score in rows.items() if score.support}
            yield PartScores(len(part), f1, support, len(test))


def expect(parts: Sequence[PartScores]) -> LearningCurve:
    """Fit the learning curves to the trainings, for all types of the test documents. parts: at least one."""
    largest = max(parts, key=lambda part: part.n_passages)
    return LearningCurve(
        n_passages=largest.n_passages,
        n_test_passages=largest.n_tested,
        by_type={label: _curve(parts, label, n) for label, n in largest.support.items()},
    )


def _curve(parts: Sequence[PartScores], label: str, support: int) -> TypeCurve:
    trained = [TrainingScore(part.n_passages, part.f1.get(label, 0.0)) for part in parts]
    sizes: dict[int, list[float]] = {}
    for training in trained:
        sizes.setdefault(training.n_passages, []).append(training.f1)
    curve = fit(trained)
    largest = max(sizes)
    when = curve.reaches(TARGET_F1, at_most=FARTHEST * largest) if curve else None
    return TypeCurve(
        support=support,
        sizes=[Size(n_passages=n, f1=f1) for n, f1 in sorted(sizes.items())],
        now=_expected(curve.expect(largest)) if curve else None,
        more={n: _expected(curve.gain(n)) for n in MORE} if curve else {},
        target_at=when.n_passages if when else None,
        target_at_low=when.low if when else None,
        target_at_high=when.high if when else None,
        check=_check(fit([training for training in trained if training.n_passages < largest]), largest, sizes[largest]),
    )


def _check(curve: Curve | None, largest: int, f1: Sequence[float]) -> Check | None:
    if curve is None:
        return None
    expected, measured = curve.expect_measured(largest, len(f1)), sum(f1) / len(f1)
    is_within = expected.low <= measured <= expected.high
    return Check(expected=_expected(expected), measured=measured, is_within=is_within)


def _expected(score: ExpectedScore) -> ExpectedF1:
    return ExpectedF1(f1=score.f1, low=score.low, high=score.high)
