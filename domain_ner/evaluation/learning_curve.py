"""Trains on growing parts of the training data, and says what more of it would bring; by type."""

import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from math import sqrt
from pathlib import Path
from typing import Annotated

import spacy
from pydantic import BaseModel, ConfigDict, Field
from spacy.tokens import Doc

from domain_ner.corpus.docs import groups_of
from domain_ner.errors import DomainNerError
from domain_ner.evaluation.predicting import TARGET_F1, evaluate_pipeline, load_pipeline
from domain_ner.metrics.learning_curve import MIN_SIZES, Curve, ExpectedScore, TrainingScore, fit
from domain_ner.metrics.scores import ALL_TYPES
from domain_ner.training.parts import train_part
from domain_ner.training.run import read_config

MORE = (100, 300, 1000)
# Passages, in those there are, beyond which nothing is said.
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
    """The scores of the trainings on so many passages; one for each seed."""

    n_passages: int
    f1: list[Share]


class Check(_Part):
    """What the smaller parts say of the largest, and what it was: the mean of its trainings."""

    expected: ExpectedF1
    measured: Share
    is_within: bool


class TypeCurve(_Part):
    """support: gold entities in the test set. now: expected of all the training data. more: of so many passages more.

    target_at: passages at which the target is expected, with its interval; None: not within ten times the data.
    check: None where there are too few parts. All but sizes are empty where the parts are too few for a curve.
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
    """A training on a part of the data: its passages, its test F1 (0..1) by type and for `all`, and what it was tested
    on: gold entities by type, and passages.
    """

    n_passages: int
    f1: dict[str, float]
    support: dict[str, int]
    n_tested: int


def parse_fractions(text: str) -> list[float]:
    """Read `"0.25,0.5,1"`: parts of the training data, in 0..1.

    Raises DomainNerError unless they are at least three different ones, and the largest 1.
    """
    try:
        found = sorted({float(part) for part in text.split(",")})
    except ValueError:
        found = []
    if len(found) < MIN_SIZES or found[0] <= 0 or found[-1] != 1:
        raise DomainNerError(
            f"vars.fractions is {text!r}; expected three or more parts of the data, rising to 1: 0.25,0.5,1"
        )
    return found


def nested(docs: Sequence[Doc], *, group_by: str, seed: int) -> list[int]:
    """An order of the documents' numbers; its beginnings are the parts. Passages of a group follow one another.

    group_by: a key of `meta`, or `document`; empty or missing: each passage for itself.
    """
    groups: dict[str, list[int]] = {}
    for n, name in enumerate(groups_of(docs, group_by)):
        groups.setdefault(f"group {name}" if name else f"passage {n}", []).append(n)
    rng, found = random.Random(seed), list(groups.values())
    rng.shuffle(found)
    for group in found:
        rng.shuffle(group)
    return [n for group in found for n in group]


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

    config: as create-config writes it; its seed is the first. work: folder for the trainings; those that ended are not
    run again. epochs: at most, over all of the data; 0 for those of the config. A part takes more, by the root of how
    much smaller it is, for it has fewer steps in each. on_part: called before each, with fraction and seed. say: told
    what became of an interrupted training.
    Raises DomainNerError where the test documents hold no entity.
    """
    if not any(doc.ents for doc in test):
        raise DomainNerError(
            "The test set holds no entity: there is nothing to measure.", "Annotate more, and convert."
        )
    read = read_config(config, {}).interpolate()
    given, lang = read["training"], read["nlp"]["lang"]
    first, whole = given["seed"] or 0, epochs or given["max_epochs"]
    for seed in range(first, first + seeds):
        order = nested(docs, group_by=group_by, seed=seed)
        for fraction in fractions:
            on_part(fraction, seed)
            part = [docs[n] for n in order[: max(1, round(fraction * len(docs)))]]
            place, n_epochs = work / f"{fraction:g}", round(whole / sqrt(fraction))
            nlp = spacy.blank(lang)
            # Without an entity there is nothing to learn, and nothing is found.
            if any(doc.ents or doc.spans.get("sc") for doc in part):
                best, _ = train_part(config, part, dev, place / str(seed), gpu=gpu, seed=seed, epochs=n_epochs, say=say)
                nlp = load_pipeline(best)
            scores = evaluate_pipeline(nlp, test).scores
            rows = dict(sorted(scores.by_type.items())) | {ALL_TYPES: scores.micro}
            f1 = {label: score.f1 for label, score in rows.items()}
            support = {label: score.support for label, score in rows.items() if score.support}
            yield PartScores(len(part), f1, support, len(test))


def expect(parts: Sequence[PartScores]) -> LearningCurve:
    """What follows from the trainings, for all types of the test documents. parts: at least one."""
    largest = max(parts, key=lambda part: part.n_passages)
    return LearningCurve(
        n_passages=largest.n_passages,
        n_test_passages=largest.n_tested,
        by_type={label: _curve(parts, label, n) for label, n in largest.support.items()},
    )


def _curve(parts: Sequence[PartScores], label: str, support: int) -> TypeCurve:
    trained = [TrainingScore(part.n_passages, part.f1.get(label, 0.0)) for part in parts]
    sizes: dict[int, list[float]] = {}
    for one in trained:
        sizes.setdefault(one.n_passages, []).append(one.f1)
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
        check=_check(fit([one for one in trained if one.n_passages < largest]), largest, sizes[largest]),
    )


def _check(curve: Curve | None, largest: int, f1: Sequence[float]) -> Check | None:
    if curve is None:
        return None
    expected, measured = curve.expect_measured(largest, len(f1)), sum(f1) / len(f1)
    is_within = expected.low <= measured <= expected.high
    return Check(expected=_expected(expected), measured=measured, is_within=is_within)


def _expected(one: ExpectedScore) -> ExpectedF1:
    return ExpectedF1(f1=one.f1, low=one.low, high=one.high)
