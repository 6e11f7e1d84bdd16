"""Measures a pipeline on the test corpus, and on all else that the report of an evaluation is made of."""

import json
import shlex
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
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
    count_fates,
    count_meant,
    evaluate_pipeline,
    least_confidences,
    nests,
    read_ledger,
    to_metrics,
    uncalibrated,
)
from domain_ner.evaluation.report import TEST_SET, Measured, mentions
from domain_ner.evaluation.robustness import Robustness, n_predictions, other_names, sample, try_worse
from domain_ner.metrics.calibration import ScoredSpan

# Of the splits that it learned from or was chosen by.
MAX_SAMPLE = 200
# What spaCy calls a pipeline that nobody has named.
UNNAMED = "pipeline"


@dataclass(frozen=True)
class Scored:
    """evaluated: on the test corpus. uncalibrated: the predictions before calibration, where there is one.

    fates: how many annotations in the exports had which fate. figures: the shape of `training/metrics.json`.
    """

    evaluated: Evaluated
    uncalibrated: list[ScoredSpan]
    fates: dict[str, int]
    figures: dict[str, Any]


@dataclass(frozen=True)
class Asked:
    """What an evaluation is to cover besides the test corpus.

    others: split to documents that it learned or was chosen by. test_sets: name to documents of other test sets.
    group_by: the key of `meta` that names the group of a passage, or empty. robustness: passages to predict in worse
    shape; 0 for none. seed: of the samples. log: training.jsonl of train. test_set: what the test corpus is called.
    """

    others: Mapping[str, Sequence[Doc]]
    test_sets: Mapping[str, Sequence[Doc]]
    group_by: str = ""
    robustness: int = 0
    seed: int = 0
    log: Path | None = None
    test_set: str = TEST_SET


def score(nlp: Language, gold: Sequence[Doc], ledger: Path | None, *, watched: Watched) -> Scored:
    """Score on the test corpus, and against the exports. ledger: ledger.jsonl of convert."""
    evaluated = _predict(nlp, gold, "predicting", watched)
    figures, before, fates = to_metrics(evaluated.scores), list[ScoredSpan](), dict[str, int]()
    if evaluated.judged:
        with uncalibrated(nlp):
            before = _predict(nlp, gold, "predicting without calibration", watched).judged
    if before:
        figures["calibration"] = compare_calibration(before, evaluated.judged)
    if ledger is not None:
        fates = count_fates(read_ledger(ledger), gold)
        n_source = count_meant(fates)
        recall = evaluated.scores.micro.n_correct / n_source if n_source else 0.0
        figures["source"] = {"annotations": n_source, "recall": recall}
    return Scored(evaluated, before, fates, figures)


def measure(  # noqa: PLR0913
    nlp: Language, gold: Sequence[Doc], scored: Scored, asked: Asked, *, watched: Watched, say: Callable[[str], None]
) -> Measured:
    """Everything that a report is made of. gold, scored: of the test corpus. say: told what cannot be measured.

    The pipeline has no name yet: `name_of` gives one.
    """
    samples = {split: sample(docs, MAX_SAMPLE, seed=asked.seed) for split, docs in asked.others.items()}
    groups, docs = groups_of(gold, asked.group_by), scored.evaluated.docs
    train = asked.others.get("train", [])
    return Measured(
        pipeline="",
        docs=docs,
        judged=scored.evaluated.judged,
        uncalibrated=scored.uncalibrated,
        least=least_confidences(nlp) if scored.uncalibrated else {},
        train=train,
        can_nest=nests(nlp),
        group_by=asked.group_by if any(groups) else "",
        groups=[group or doc.source for group, doc in zip(groups, docs, strict=True)],
        mentions={
            split: mentions(some, can_nest=nests(nlp)) for split, some in {**asked.others, TEST_SET: gold}.items()
        },
        others={
            split: _predict(nlp, some, f"predicting on {split}", watched).docs
            for split, some in samples.items() if some
        },
        test_sets={
            name: _predict(nlp, some, f"predicting on {name}", watched).docs for name, some in asked.test_sets.items()
        },
        fates=scored.fates,
        robustness=_worse(nlp, gold, train or gold, asked, watched, say) if asked.robustness else None,
        log=read_log(asked.log) if asked.log else [],
        test_set=asked.test_set,
    )  # fmt: skip


def name_of(nlp: Language, model: Path, name: str = "", version: str = "") -> str:
    """The name and version of a pipeline: as given, or as packaged; the folder of one that has neither."""
    name, version = name or nlp.meta["name"], version or nlp.meta["version"]
    return (
        str(model) if name == UNNAMED else f"{nlp.meta['lang']}_{name.removeprefix(nlp.meta['lang'] + '_')} {version}"
    )


def read_test_sets(also: str, nlp: Language, rules: GoldRules) -> dict[str, list[Doc]]:
    """Name to documents of the other test sets; the name is the whole path where another has the same.

    also: their paths, apart by spaces. rules: for exports. Raises DomainNerError for what cannot be read.
    """
    paths = [Path(name) for name in shlex.split(also)]
    names = [TEST_SET, *(path.stem for path in paths)]
    return {
        name if names.count(name) == 1 else str(path): read_gold(path, nlp, rules)
        for name, path in zip(names[1:], paths, strict=True)
    }


def read_log(path: Path) -> list[dict[str, Any]]:
    """The rows of training.jsonl; none where it is missing. Raises DomainNerError where it is no such file."""
    if not path.is_file():
        return []
    try:
        return [json.loads(line) for line in path.read_text(encoding="utf8").split("\n") if line]
    except ValueError as err:
        raise DomainNerError(f"{path} is not a log of train: {err}.", "Run train again.") from err


def _predict(nlp: Language, docs: Sequence[Doc], name: str, watched: Watched) -> Evaluated:
    with watched(name, len(docs)) as on_doc:
        return evaluate_pipeline(nlp, docs, on_doc=on_doc)


def _worse(  # noqa: PLR0913, PLR0917
    nlp: Language,
    gold: Sequence[Doc],
    train: Sequence[Doc],
    asked: Asked,
    watched: Watched,
    say: Callable[[str], None],
) -> Robustness | None:
    """Predict on a sample of the test set in worse shape; None where no passage is fully known."""
    docs = sample(gold, asked.robustness, seed=asked.seed)
    if not docs:
        say("no robustness: in every test passage there are tokens of which the annotators said nothing")
        return None
    with watched("predicting on texts in worse shape", n_predictions(docs)) as on_doc:
        names = other_names(train, gold, can_nest=nests(nlp))
        return try_worse(nlp, docs, names, seed=asked.seed, on_doc=on_doc)
