"""Recommends next steps for each type by named rules, with the scores behind them. Knows no pipeline and no files.

spaCy's `debug data` and Prodigy's documentation recommend 200 mentions; the other limits are this project's own,
defined here by name.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from domain_ner.metrics.mistakes import BOUNDARY, KINDS, MISSING, SPURIOUS, WRONG_TYPE
from domain_ner.metrics.scores import Score, reaches

FEW_MENTIONS, ENOUGH_MENTIONS = 200, 500
# Recall of unseen names must be this much below that of seen ones.
UNSEEN_GAP = 0.15
# Minimum share of a type's mistakes, or of its gold entities, to count as a pattern.
BOUNDARY_SHARE, CONFUSED_SHARE, SPURIOUS_SHARE = 0.3, 0.05, 0.3
MIN_MISTAKES, MIN_SUPPORT = 5, 10

# Points of F1, 0..1, that a language model must bring to be recommended.
LEAST_GAIN = 0.01

MORE, VARIED, GUIDE, BOUNDARIES, RELABEL, HYBRID, FALLBACK, LOOK, TEST_MORE = (
    "more examples",
    "more varied names",
    "clearer guide",
    "rule for boundaries",
    "annotations to check",
    "hybrid",
    "another method",
    "mistakes to look at",
    "more test data",
)
# Advice that its own passages cannot carry out: it asks for new ones, or for something else than annotations.
NOT_BY_ANNOTATIONS = (MORE, VARIED, TEST_MORE, HYBRID, FALLBACK)


@dataclass(frozen=True)
class Hybrid:
    """What a language model brings to a type, as `add-fallback` measured it on the same test set.

    f1: of pipeline and model together, 0..1. asked: share of the passages that the model is asked for, 0..1.
    cost: for 1,000 passages; None if unknown.
    """

    model: str
    f1: float
    asked: float
    cost: float | None


@dataclass(frozen=True)
class TypeFacts:
    """Statistics of a type.

    score: on the test set. seen, unseen: of entities whose surface has this type in training, and of those whose
    surface is not in training.
    n_trained, n_surfaces: mentions and distinct surfaces in training; None if the training data is unknown.
    mistakes: kind to count. confused: other type to the number of entities confused with it, in both directions.
    hybrid: what a language model brings; None if nobody measured it.
    """

    label: str
    score: Score
    seen: Score
    unseen: Score
    n_trained: int | None
    n_surfaces: int | None
    mistakes: Mapping[str, int]
    confused: Mapping[str, int]
    hybrid: Hybrid | None = None


@dataclass(frozen=True)
class Advice:
    """A recommendation for a type. why: the scores behind it. kinds, other: of the mistakes that show it."""

    label: str
    rule: str
    what: str
    why: str
    kinds: tuple[str, ...]
    other: str = ""


def advise(facts: TypeFacts, *, target: float, floor: float) -> list[Advice]:
    """Recommend how to bring a type to the target, the most urgent first; empty if it reached the target.

    target, floor: F1, 0..1.
    """
    if facts.score.support < MIN_SUPPORT:
        what = f"Annotate more passages with {facts.label}, so that the test set has at least {MIN_SUPPORT}."
        why = f"{_times(facts.score.support, 'entity', 'entities')} in the test set: the score may be due to chance."
        return [Advice(facts.label, TEST_MORE, what, why, ())]
    if reaches(facts.score.f1, target):
        return []
    rules = (_few, _unseen, _confused, _boundaries, _spurious, _hybrid)
    recommended = [advice for rule in rules for advice in rule(facts, target)]
    is_well_trained = facts.n_trained is not None and facts.n_trained >= ENOUGH_MENTIONS
    if facts.score.f1 < floor and is_well_trained:
        recommended.append(_fallback(facts, floor))
    return recommended or _look(facts, target)


def _few(facts: TypeFacts, target: float) -> list[Advice]:
    if facts.n_trained is None or facts.n_trained >= FEW_MENTIONS or facts.score.recall >= target:
        return []
    n_more = FEW_MENTIONS - facts.n_trained
    what = f"Annotate about {n_more} more mentions, in new passages like those where it was missed; see next-batch."
    why = f"recall {_percent(facts.score.recall)}; only {_times(facts.n_trained, 'mention')} in training."
    return [Advice(facts.label, MORE, what, why, (MISSING,))]


def _unseen(facts: TypeFacts, target: float) -> list[Advice]:
    seen, unseen = facts.seen, facts.unseen
    enough = min(seen.support, unseen.support) >= MIN_SUPPORT
    if not enough or seen.recall - unseen.recall < UNSEEN_GAP or unseen.recall >= target:
        return []
    known = "" if facts.n_surfaces is None else f"; {facts.n_surfaces:,} different names in training"
    why = (
        f"recall {_percent(seen.recall)} of names seen in training, {_percent(unseen.recall)} of the "
        f"{unseen.support:,} unseen ones{known}."
    )
    what = "Annotate new passages with other names, which the model misses; next-batch chooses some to annotate."
    return [Advice(facts.label, VARIED, what, why, (MISSING, WRONG_TYPE))]


def _confused(facts: TypeFacts, target: float) -> list[Advice]:
    advice = []
    for other, n in sorted(facts.confused.items(), key=lambda item: -item[1]):
        if n >= MIN_MISTAKES and n / facts.score.support >= CONFUSED_SHARE:
            what = f"Say in the guide how to tell {facts.label} from {other}, and check the annotations of both."
            why = f"{_times(n, 'entity', 'entities')} of {facts.label} and {other} were confused."
            advice.append(Advice(facts.label, GUIDE, what, why, (WRONG_TYPE,), other))
    return advice


def _boundaries(facts: TypeFacts, target: float) -> list[Advice]:
    of_kind = {kind: facts.mistakes.get(kind, 0) for kind in BOUNDARY}
    n, n_all = sum(of_kind.values()), sum(facts.mistakes.values())
    if n < MIN_MISTAKES or n / n_all < BOUNDARY_SHARE:
        return []
    listed = ", ".join(f"{kind} {count}" for kind, count in of_kind.items() if count)
    what = (
        "Say in the guide where an entity begins and ends (articles, versions, punctuation), and check the annotations."
    )
    why = f"{n} of {_times(n_all, 'mistake')} are boundary errors: {listed}."
    return [Advice(facts.label, BOUNDARIES, what, why, tuple(kind for kind in BOUNDARY if of_kind[kind]))]


def _spurious(facts: TypeFacts, target: float) -> list[Advice]:
    n, n_all = facts.mistakes.get(SPURIOUS, 0), sum(facts.mistakes.values())
    if n < MIN_MISTAKES or n / n_all < SPURIOUS_SHARE or facts.score.precision >= target:
        return []
    what = f"Look at the confident ones: either annotators missed {facts.label}, or the guide must exclude these cases."
    why = f"precision {_percent(facts.score.precision)}; {n} of {_times(n_all, 'mistake')} are spurious."
    return [Advice(facts.label, RELABEL, what, why, (SPURIOUS,))]


def _hybrid(facts: TypeFacts, target: float) -> list[Advice]:
    hybrid = facts.hybrid
    if hybrid is None or hybrid.f1 - facts.score.f1 < LEAST_GAIN:
        return []
    what = f"Ask the model {hybrid.model} where the pipeline is unsure: switch on llm_fallback for this type."
    cost = "" if hybrid.cost is None else f", at {hybrid.cost:.2f} for 1,000 passages"
    why = (
        f"F1 {_percent(facts.score.f1)} alone, {_percent(hybrid.f1)} together;"
        f" {_percent(hybrid.asked)} % of the passages are asked for{cost}."
    )
    return [Advice(facts.label, HYBRID, what, why, tuple(KINDS))]


def _fallback(facts: TypeFacts, floor: float) -> Advice:
    others = "a larger encoder, rules, or a language model (add-fallback measures what that brings)"
    if facts.hybrid is not None:  # that was measured: the advice says so where it pays
        others = "a larger encoder, or rules"
    what = f"If clearer annotations do not help, leave this type to another method: {others}."
    f1 = f"F1 {_percent(facts.score.f1)}, below the floor of {_percent(floor)}"
    why = f"{f1}, with {facts.n_trained:,} mentions in training."
    return Advice(facts.label, FALLBACK, what, why, tuple(KINDS))


def _look(facts: TypeFacts, target: float) -> list[Advice]:
    """Advice for a type that no rule applies to although it is below the target."""
    kinds = sorted((-n, kind) for kind, n in facts.mistakes.items() if n)
    if not kinds:
        return []
    what = "Read the mistakes: no single pattern stands out. learning-curve estimates what more annotation would bring."
    listed = ", ".join(f"{kind} {-n:,}" for n, kind in kinds)
    known = "" if facts.n_trained is None else f"; {_times(facts.n_trained, 'mention')} in training"
    why = f"F1 {_percent(facts.score.f1)}, target {_percent(target)}; {listed}{known}."
    return [Advice(facts.label, LOOK, what, why, tuple(kind for _, kind in kinds))]


def _times(n: int, singular: str, plural: str = "") -> str:
    return f"{n:,} {singular if n == 1 else plural or singular + 's'}"


def _percent(share: float) -> str:
    return f"{100 * share:.1f}"
