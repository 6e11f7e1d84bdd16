"""Draws a stratified random sample without replacement, and extends it later by passages of the same population.

Each passage has a random number of its own, from the seed and the digest of its text (Ohlsson 1995, "Coordination of
samples using permanent random numbers"). The sample has those with the lowest numbers of each stratum. So the order of
the documents changes nothing, and a larger sample holds the smaller one.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from domain_ner.errors import DomainNerError, did_you_mean
from domain_ner.metrics.stratified import Ints, Population
from domain_ner.reviewing.population import Passage, Scanned
from domain_ner.reviewing.sample_schema import Predicted, Sample, Stratum, Task, Totals
from domain_ner.reviewing.strata import Frame, population_of, sizes_of, strata_of


@dataclass(frozen=True)
class Drawn:
    """A sample, and the passages that were drawn now, in the order of their tasks."""

    sample: Sample
    passages: list[Passage]


def draw_sample(  # noqa: PLR0913
    scanned: Scanned, pipeline: Mapping[str, str], *, n: int, types: Sequence[str] = (), seed: int = 0, is_blind: bool
) -> Drawn:
    """Draw `n` passages. pipeline: its identity. types: those that strata and their shares are made for; empty: all.

    Raises DomainNerError for an unknown type, or if `n` is too small.
    """
    _require_types(types, scanned.labels)
    frame = scanned.frame(scanned.labels)
    focused = _focused(frame, scanned.labels, types)
    strata, names = strata_of(focused, n)
    if n < min(2 * len(names), len(strata)):
        raise DomainNerError(f"--n is {n}; expected at least {2 * len(names)}: two for each stratum.")
    sizes = sizes_of(focused, strata, n)
    chosen = _in_random_order(scanned.passages, strata, [0] * len(names), sizes, seed)
    sample = Sample(
        pipeline=dict(pipeline),
        seed=seed,
        is_blind=is_blind,
        n_documents=scanned.n_documents,
        n_repeated=scanned.n_repeated,
        n_wordless=scanned.n_wordless,
        n_failed=scanned.n_failed,
        labels=scanned.labels,
        types=list(types),
        strata=_strata(frame, strata, names, sizes, scanned.labels),
        batches=[len(chosen)],
        tasks=[_task(scanned.passages[row], int(strata[row])) for row in chosen],
    )
    return Drawn(sample, [scanned.passages[row] for row in chosen])


def extend_sample(sample: Sample, scanned: Scanned, n_more: int) -> Drawn:
    """Draw `n_more` further passages; those drawn before stay. scanned: the same documents, by the same pipeline.

    Raises DomainNerError if the population differs from that of the sample.
    """
    frame = scanned.frame(scanned.labels)
    focused = _focused(frame, scanned.labels, sample.types)
    strata, names = strata_of(focused, sample.batches[0])
    drawn = [stratum.n_drawn for stratum in sample.strata]
    if _strata(frame, strata, names, drawn, scanned.labels) != sample.strata:
        raise DomainNerError(
            "The documents differ from those that the sample was drawn from, or the pipeline finds other entities.",
            "Give the same documents, or draw a new sample into another folder.",
        )
    sizes = sizes_of(focused, strata, sum(drawn) + n_more, drawn)
    chosen = _in_random_order(scanned.passages, strata, drawn, sizes, sample.seed)
    if not chosen:
        raise DomainNerError(f"All {sample.n_passages:,} passages are in the sample already.")
    changed = {
        "strata": _strata(frame, strata, names, sizes, scanned.labels),
        "batches": [*sample.batches, len(chosen)],
        "tasks": [*sample.tasks, *(_task(scanned.passages[row], int(strata[row])) for row in chosen)],
    }
    return Drawn(sample.model_copy(update=changed), [scanned.passages[row] for row in chosen])


def random_number(seed: int, digest: str, purpose: str = "") -> float:
    """The number of a passage, 0..1, which depends on nothing else."""
    hashed = hashlib.sha256(f"{seed} {purpose} {digest}".encode()).digest()
    return int.from_bytes(hashed[:8], "big") / 2**64


def _in_random_order(
    passages: Sequence[Passage], strata: Ints, first: Sequence[int], last: Sequence[int] | Ints, seed: int
) -> list[int]:
    """List the rows of those with the ranks first..last in their stratum.

    They are interleaved, so that each beginning of the list is nearly a sample of the same shares.
    """
    by_stratum: list[list[int]] = [[] for _ in first]
    for row in sorted(range(len(passages)), key=lambda row: random_number(seed, passages[row].digest)):
        by_stratum[int(strata[row])].append(row)
    keyed = []
    for members, start, end in zip(by_stratum, first, last, strict=True):
        chosen = members[start : int(end)]
        for rank, row in enumerate(chosen):
            within = random_number(seed, passages[row].digest, "order")
            keyed.append(((rank + within) / len(chosen), row))
    return [row for _, row in sorted(keyed)]


def _focused(frame: Frame, labels: Sequence[str], types: Sequence[str]) -> Frame:
    return frame.of_types([labels.index(label) for label in types]) if types else frame


def _require_types(types: Sequence[str], labels: Sequence[str]) -> None:
    for label in types:
        if label not in labels:
            raise DomainNerError(
                f"--types names {label!r}, which is no type of this pipeline: {', '.join(labels)}.",
                did_you_mean(label, labels),
            )


def _strata(
    frame: Frame, strata: Ints, names: Sequence[str], sizes: Sequence[int] | Ints, labels: Sequence[str]
) -> list[Stratum]:
    every = population_of(frame, strata, range(len(labels)))
    of_types = [population_of(frame, strata, [column]) for column in range(len(labels))]
    return [
        Stratum(
            name=name,
            n_passages=int(every.n_passages[number]),
            n_drawn=int(sizes[number]),
            all=_totals(every, number),
            by_type={label: _totals(one, number) for label, one in zip(labels, of_types, strict=True)},
        )
        for number, name in enumerate(names)
    ]


def _totals(population: Population, stratum: int) -> Totals:
    return Totals(n_passages_with=int(population.n_with[stratum]), n_predicted=int(population.n_predicted[stratum]))


def _task(passage: Passage, stratum: int) -> Task:
    predicted = [
        Predicted(start=start, end=end, label=label, confidence=confidence, place_start=place[0], place_end=place[1])
        for ((start, end, label), confidence), place in zip(passage.found, passage.places, strict=True)
    ]
    return Task(id=passage.id, digest=passage.digest, stratum=stratum, predicted=predicted)
