"""The gate of a release: compares the candidate with the pipeline in use, on passages that are new to both."""

from collections import Counter
from collections.abc import Collection, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

from spacy.language import Language
from spacy.tokens import Doc

from domain_ner.corpus.assignments import digest
from domain_ner.evaluation.comparison import Comparison, compare_pipelines, measure, open_pipeline
from domain_ner.evaluation.gold import GoldRules, read_gold
from domain_ner.evaluation.predicting import Watched, nests
from domain_ner.evaluation.schema_base import Part
from domain_ner.releasing.records import Gate, Judged
from domain_ner.reports.comparison_markdown import verdict

TEST, REVIEWED = "test", "reviewed"


@dataclass(frozen=True)
class GoldSet:
    """Passages to compare on. name: test or reviewed. path: a corpus, or exports, which are read by the rules."""

    name: str
    path: Path
    rules: GoldRules = field(default_factory=GoldRules)


class Outcome(Part):
    """A comparison on one set. n_learned: passages that were left out. comparison: null if none is left."""

    test_set: str
    n_learned: int
    comparison: Comparison | None

    @property
    def is_passed(self) -> bool:
        """Whether the candidate may replace the pipeline in use. Without passages, the test set cannot tell."""
        return self.comparison.is_passed if self.comparison else self.test_set != TEST


@dataclass(frozen=True)
class System:
    """A pipeline to compare. name: as reports call it. place: its folder or its wheel."""

    name: str
    place: Path


def compare_on(  # noqa: PLR0913
    sets: Sequence[GoldSet],
    baseline: System,
    candidate: System,
    learned: Collection[str],
    *,
    margin: float,
    seed: int,
    watched: Watched,
) -> list[Outcome]:
    """Compare two pipelines on each set. learned: digests of passages that one of them was trained on; left out.

    margin: F1 that the candidate may lose, 0..1.
    """
    with ExitStack() as stack:
        both = [(one.name, *stack.enter_context(open_pipeline(str(one.place)))) for one in (baseline, candidate)]
        outcomes = []
        for gold in sets:
            n_learned, measured = 0, []
            for name, nlp, folder in both:
                docs, n_learned = _read(gold, nlp, learned)
                if docs:
                    can_nest = any(nests(one) for _, one, _ in both)
                    with watched(f"predicting {gold.name} with {name}", len(docs)) as on_doc:
                        measured.append(measure(name, nlp, folder, docs, can_nest=can_nest, on_doc=on_doc))
            comparison = compare_pipelines(*measured, margin=margin, seed=seed) if measured else None
            outcomes.append(Outcome(test_set=gold.name, n_learned=n_learned, comparison=comparison))
    return outcomes


def to_gate(outcomes: Sequence[Outcome], *, baseline: str, is_same: bool, margin: float, forced: str) -> Gate:
    """Summarise comparisons without their texts. forced: recorded only if the gate failed."""
    is_passed = all(one.is_passed for one in outcomes)
    return Gate(
        baseline=baseline,
        is_same=is_same,
        margin=margin,
        results=[_judged(one) for one in outcomes],
        is_passed=is_passed,
        forced="" if is_passed else forced,
    )


def _read(gold: GoldSet, nlp: Language, learned: Collection[str]) -> tuple[list[Doc], int]:
    docs = read_gold(gold.path, nlp, gold.rules)
    new = [doc for doc in docs if digest(doc.text) not in learned]
    return new, len(docs) - len(new)


def _judged(outcome: Outcome) -> Judged:
    comparison = outcome.comparison
    return Judged(
        test_set=outcome.test_set,
        n_passages=comparison.n_passages if comparison else 0,
        n_learned=outcome.n_learned,
        overall=comparison.overall if comparison else None,
        by_type=comparison.by_type if comparison else {},
        changes=dict(Counter(change.kind for change in comparison.changes)) if comparison else {},
        is_passed=outcome.is_passed,
        verdict=verdict(comparison).replace("**", "") if comparison else "Not judged: no passage is new to both.",
    )
