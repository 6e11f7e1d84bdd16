"""Measures a pipeline on the test corpus, and collects everything else for the report of an evaluation."""

import json
import shlex
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from spacy.language import Language
from spacy.tokens import Doc

from domain_ner.corpus.docs import groups_of
from domain_ner.errors import DomainNerError
from domain_ner.evaluation.gold import GoldRules, read_gold
from domain_ner.evaluation.predicting import (
    Evaluated,
    Watched,
    compare_calibration,
    count_intended,
    count_outcomes,
    evaluate_pipeline,
    minimum_confidences,
    nests,
    read_ledger,
    to_metrics,
    uncalibrated,
)
from domain_ner.evaluation.report import TEST_SET, Measured, mentions
from domain_ner.evaluation.robustness import Robustness, n_predictions, predict_perturbed, replacement_names, sample
from domain_ner.metrics.advice import Hybrid
from domain_ner.metrics.calibration import ScoredSpan

# The maximum number of passages to predict from train and from dev.
MAX_SAMPLE = 200
# spaCy's name of a pipeline without a name.
UNNAMED = "pipeline"


@dataclass(frozen=True)
class Scored:
    """evaluated: on the test corpus. uncalibrated: the predictions before calibration, if there is one.

    outcomes: number of annotations in the exports by outcome. metrics: in the shape of `training/metrics.json`.
    """

    evaluated: Evaluated
    uncalibrated: list[ScoredSpan]
    outcomes: dict[str, int]
    metrics: dict[str, Any]


@dataclass(frozen=True)
class MeasureSettings:
    """What to measure besides the scores on the test corpus.

    others: split to documents that the pipeline was trained or selected on. test_sets: name to documents of other test
    sets. group_by: the key of `meta` that names the group of a passage, or empty. robustness: number of passages to
    predict in changed form; 0 for none. seed: of the samples. log: training.jsonl, written by train.
    test_set: name of the test corpus. hybrids: type to what a language model brings, if that was measured.
    """

    others: Mapping[str, Sequence[Doc]]
    test_sets: Mapping[str, Sequence[Doc]]
    group_by: str = ""
    robustness: int = 0
    seed: int = 0
    log: Path | None = None
    test_set: str = TEST_SET
    hybrids: Mapping[str, Hybrid] = field(default_factory=dict)


def score(nlp: Language, gold: Sequence[Doc], ledger: Path | None, *, watched: Watched) -> Scored:
    """Score on the test corpus, and against the exports. ledger: ledger.jsonl, written by convert."""
    evaluated = _predict(nlp, gold, "predicting", watched)
    metrics, before, outcomes = to_metrics(evaluated.scores), list[ScoredSpan](), dict[str, int]()
    if evaluated.judged:
        with uncalibrated(nlp):
            before = _predict(nlp, gold, "predicting without calibration", watched).judged
    if before:
        metrics["calibration"] = compare_calibration(before, evaluated.judged)
    if ledger is not None:
        outcomes = count_outcomes(read_ledger(ledger), gold)
        n_source = count_intended(outcomes)
        recall = evaluated.scores.micro.n_correct / n_source if n_source else 0.0
        metrics["source"] = {"annotations": n_source, "recall": recall}
    return Scored(evaluated, before, outcomes, metrics)


def measure(  # noqa: PLR0913
    nlp: Language,
    gold: Sequence[Doc],
    scored: Scored,
    settings: MeasureSettings,
    *,
    watched: Watched,
    say: Callable[[str], None],
) -> Measured:
    """Measure everything for a report. gold, scored: of the test corpus. say: called if something cannot be measured.

    The pipeline has no name yet: `name_of` gives one.
    """
    samples = {split: sample(docs, MAX_SAMPLE, seed=settings.seed) for split, docs in settings.others.items()}
    groups, docs = groups_of(gold, settings.group_by), scored.evaluated.docs
    train = settings.others.get("train", [])
    return Measured(
        pipeline="",
        docs=docs,
        hybrids=settings.hybrids,
        judged=scored.evaluated.judged,
        uncalibrated=scored.uncalibrated,
        least=minimum_confidences(nlp) if scored.uncalibrated else {},
        train=train,
        can_nest=nests(nlp),
        group_by=settings.group_by if any(groups) else "",
        groups=[group or doc.source for group, doc in zip(groups, docs, strict=True)],
        mentions={
            split: mentions(members, can_nest=nests(nlp))
            for split, members in {**settings.others, TEST_SET: gold}.items()
        },
        others={
            split: _predict(nlp, sampled, f"predicting on {split}", watched).docs
            for split, sampled in samples.items() if sampled
        },
        test_sets={
            name: _predict(nlp, test_docs, f"predicting on {name}", watched).docs
            for name, test_docs in settings.test_sets.items()
        },
        outcomes=scored.outcomes,
        robustness=(
            _measure_robustness(nlp, gold, train or gold, settings, watched, say) if settings.robustness else None
        ),
        log=read_log(settings.log) if settings.log else [],
        test_set=settings.test_set,
    )  # fmt: skip


def name_of(nlp: Language, model: Path, name: str = "", version: str = "") -> str:
    """Return the name and version of a pipeline: as given, or as packaged; the folder of a pipeline without a name."""
    name, version = name or nlp.meta["name"], version or nlp.meta["version"]
    return (
        str(model) if name == UNNAMED else f"{nlp.meta['lang']}_{name.removeprefix(nlp.meta['lang'] + '_')} {version}"
    )


def read_test_sets(also: str, nlp: Language, rules: GoldRules) -> dict[str, list[Doc]]:
    """Map the names of other test sets to their documents; the name is the whole path if it would be ambiguous.

    also: their paths, separated by spaces. rules: for exports. Raises DomainNerError if one cannot be read.
    """
    paths = [Path(name) for name in shlex.split(also)]
    names = [TEST_SET, *(path.stem for path in paths)]
    return {
        name if names.count(name) == 1 else str(path): read_gold(path, nlp, rules)
        for name, path in zip(names[1:], paths, strict=True)
    }


def read_log(path: Path) -> list[dict[str, Any]]:
    """Read the rows of training.jsonl; none if it is missing. Raises DomainNerError for another kind of file."""
    if not path.is_file():
        return []
    try:
        return [json.loads(line) for line in path.read_text(encoding="utf8").split("\n") if line]
    except ValueError as err:
        raise DomainNerError(f"{path} is not a log of train: {err}.", "Run train again.") from err


def _predict(nlp: Language, docs: Sequence[Doc], name: str, watched: Watched) -> Evaluated:
    with watched(name, len(docs)) as on_doc:
        return evaluate_pipeline(nlp, docs, on_doc=on_doc)


def _measure_robustness(  # noqa: PLR0913, PLR0917
    nlp: Language,
    gold: Sequence[Doc],
    train: Sequence[Doc],
    settings: MeasureSettings,
    watched: Watched,
    say: Callable[[str], None],
) -> Robustness | None:
    """Predict on changed texts of a sample of the test set; None if every passage has unknown tokens."""
    docs = sample(gold, settings.robustness, seed=settings.seed)
    if not docs:
        say("robustness is not measured: every test passage has tokens that the annotators left unknown")
        return None
    with watched("predicting on changed texts", n_predictions(docs)) as on_doc:
        names = replacement_names(train, gold, can_nest=nests(nlp))
        return predict_perturbed(nlp, docs, names, seed=settings.seed, on_doc=on_doc)
