"""Replays annotation on passages that are annotated already: what each way of choosing them reaches, and how soon."""

import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice, pairwise
from pathlib import Path
from statistics import fmean

from spacy.tokens import Doc

from domain_ner.crf_ner.fitting import fit
from domain_ner.crf_ner.probing import NAME
from domain_ner.errors import DomainNerError
from domain_ner.evaluation.predicting import evaluate_pipeline, load_pipeline, make_example
from domain_ner.selecting.choosing import choose
from domain_ner.selecting.measuring import measure_texts
from domain_ner.selecting.schema import Curve, Needed, Round, Simulation
from domain_ner.selecting.strategies import RANDOM, STRATEGIES, find_strategy
from domain_ner.training.parts import train_part
from domain_ner.training.run import read_config

# F1 in points that may be lacking to that of the whole pool.
TOLERANCES = (0.0, 1.0)
# A strategy that ends so chooses by score alone, or chooses half of the passages and takes the other half at random.
PLAIN, HALF = ":plain", ":half"


@dataclass(frozen=True)
class Setting:
    """What each training of a simulation is made of.

    config: of create-config. pool: annotated passages, each taken once its turn comes. dev: for early stopping and
    calibration. test: for the scores. work: folder for the trainings; completed ones are not repeated.
    sizes: shares of the pool, rising to 1. epochs: for the whole pool, at most; a smaller part takes as many steps.
    gpu: -1 for the CPU.
    """

    config: Path
    pool: Sequence[Doc]
    dev: Sequence[Doc]
    test: Sequence[Doc]
    work: Path
    sizes: Sequence[float]
    epochs: int = 0
    gpu: int = -1


@dataclass(frozen=True)
class Training:
    """A training on some of the pool. f1: micro, on test, 0..1."""

    strategy: str
    seed: int
    n_passages: int
    n_tokens: int
    n_entities: int
    f1: float


def require_strategies(names: Sequence[str]) -> None:
    """Raise DomainNerError for an unknown strategy."""
    for name in names:
        if name != RANDOM:
            find_strategy(_base_name(name))


def simulate(
    setting: Setting,
    strategies: Sequence[str],
    seeds: Sequence[int],
    *,
    on_training: Callable[[str, int, int], None] = lambda *_: None,
    say: Callable[[str], None] = lambda _: None,
) -> Iterator[Training]:
    """Train on growing parts of the pool that each strategy chooses, from each seed, and score on test.

    strategies: names of STRATEGIES, `random` among them; with `:plain`, without spreading; with `:half`, the second
    half of what comes next at random. All begin with the same random part, the first of the sizes; then the last
    pipeline chooses what comes next.
    on_training: called before each training, with strategy, seed and number of passages.
    Raises DomainNerError if the test documents hold no entity.
    """
    require_strategies(strategies)
    if not any(doc.ents for doc in setting.test):
        raise DomainNerError(
            "The test set holds no entity: there is nothing to measure.", "Annotate more, and convert."
        )
    for seed in seeds:
        order = list(range(len(setting.pool)))
        random.Random(seed).shuffle(order)
        for strategy in strategies:
            yield from _Replay(setting, strategy, seed, order).train(on_training, say)


@dataclass(frozen=True)
class _Replay:
    """One strategy from one seed. order: all indices of the pool, at random."""

    setting: Setting
    strategy: str
    seed: int
    order: Sequence[int]

    def train(self, on_training: Callable[[str, int, int], None], say: Callable[[str], None]) -> Iterator[Training]:
        """Train on each size."""
        setting = self.setting
        whole = setting.epochs or read_config(setting.config, {}).interpolate()["training"]["max_epochs"]
        taken: list[int] = []
        best: Path | None = None
        for share in setting.sizes:
            size = max(1, round(share * len(self.order)))
            taken += self.next(taken, size - len(taken), best)
            on_training(self.strategy, self.seed, size)
            docs = [setting.pool[n] for n in (sorted(taken) if share == 1 else taken)]
            best, _ = train_part(
                setting.config, docs, setting.dev, setting.work / self._place(share) / f"{share:g}",
                gpu=setting.gpu, seed=self.seed, epochs=round(whole / share), say=say,
            )  # fmt: skip
            f1 = evaluate_pipeline(load_pipeline(best), setting.test).scores.micro.f1
            n_tokens, n_entities = sum(map(len, docs)), sum(len(doc.ents) for doc in docs)
            yield Training(self.strategy, self.seed, len(docs), n_tokens, n_entities, f1)

    def next(self, taken: Sequence[int], n: int, best: Path | None) -> list[int]:
        """Choose the indices of the next `n` passages. best: the pipeline that learned those taken."""
        known = set(taken)
        left = [number for number in self.order if number not in known]
        if best is None or self.strategy == RANDOM or n >= len(left):
            return left[:n]
        nlp = load_pipeline(best)
        fit(nlp, [make_example(nlp, gold) for gold in self.setting.dev], NAME)
        score = STRATEGIES[_base_name(self.strategy)]
        measured = measure_texts(nlp, (self.setting.pool[number].text for number in left))
        wanted = n // 2 if self.strategy.endswith(HALF) else n
        chosen = choose(measured, wanted, score, is_diverse=not self.strategy.endswith(PLAIN))
        numbers = [left[choice.number] for choice in chosen.choices]
        # `left` is in random order. Near-duplicates are left out while there is anything else.
        rest = (number for number in left if number not in set(numbers))
        return [*numbers, *islice(rest, n - len(numbers))]

    def _place(self, share: float) -> str:
        """The first part and the whole are the same for all strategies."""
        return "all" if share in (self.setting.sizes[0], 1) else self.strategy.replace(":", "-")


def _base_name(strategy: str) -> str:
    return strategy.removesuffix(PLAIN).removesuffix(HALF)


def summarise(trainings: Sequence[Training], setting: Setting) -> Simulation:
    """Join the trainings of all seeds, and find out how many passages each strategy needs."""
    strategies = list(dict.fromkeys(one.strategy for one in trainings))
    rounds = {name: _rounds([one for one in trainings if one.strategy == name]) for name in strategies}
    full = rounds[strategies[0]][-1].f1
    random_needs = [_reached(rounds[RANDOM], fmean(full) - points / 100) for points in TOLERANCES]
    curves = {}
    for name in strategies:
        needed = []
        for points, by_chance in zip(TOLERANCES, random_needs, strict=True):
            n = _reached(rounds[name], fmean(full) - points / 100)
            share = None if n is None or by_chance is None else n / by_chance
            needed.append(Needed(points=points, n_passages=None if n is None else round(n), share=share))
        curves[name] = Curve(rounds=rounds[name], needed=needed)
    return Simulation(
        n_pool=len(setting.pool),
        n_test=len(setting.test),
        n_seeds=len({one.seed for one in trainings}),
        full=full,
        strategies=curves,
    )


def _rounds(trainings: Sequence[Training]) -> list[Round]:
    sizes = sorted({one.n_passages for one in trainings})
    of_size = [[one for one in trainings if one.n_passages == size] for size in sizes]
    return [
        Round(
            n_passages=size,
            n_tokens=fmean(one.n_tokens for one in some),
            n_entities=fmean(one.n_entities for one in some),
            f1=[one.f1 for one in some],
        )
        for size, some in zip(sizes, of_size, strict=True)
    ]


def _reached(rounds: Sequence[Round], f1: float) -> float | None:
    """Number of passages at which the mean F1 first reaches `f1`, on straight lines between the rounds."""
    means = [(one.n_passages, fmean(one.f1)) for one in rounds]
    if means[0][1] >= f1:
        return float(means[0][0])
    for (n, before), (more, after) in pairwise(means):
        if after >= f1:
            return n + (more - n) * (f1 - before) / (after - before)
    return None
