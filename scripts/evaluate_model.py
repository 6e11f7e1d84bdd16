"""`evaluate`: score a pipeline on the held-out test corpus."""

import json
import shlex
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import typer
from _console import LABELS_HELP, READING_HELP, check_choices, out, progress, run, say, split_names, table
from spacy.language import Language
from spacy.tokens import Doc
from thinc.api import require_gpu

from domain_ner.conversion.spans import OVERLAPS
from domain_ner.corpus.docs import MISALIGNED, groups_of
from domain_ner.devices import CPU, choose_gpu
from domain_ner.errors import DomainNerError
from domain_ner.evaluation.gold import GoldRules, read_gold
from domain_ner.evaluation.predicting import (
    FLOOR_F1,
    TARGET_F1,
    Evaluated,
    EvaluatedDoc,
    compare_calibration,
    count_fates,
    count_meant,
    evaluate_pipeline,
    least_confidences,
    load_pipeline,
    nests,
    read_docs,
    read_ledger,
    to_metrics,
    uncalibrated,
)
from domain_ner.evaluation.report import QUEUES, TEST_SET, Measured, make_report, mentions, queue_names, queue_tasks
from domain_ner.evaluation.robustness import Robustness, n_predictions, other_names, sample, try_worse
from domain_ner.evaluation.schema import Headline, MacroScore, Report, TypeScore
from domain_ner.evaluation.sections import headline
from domain_ner.files import atomic_path, sha256_of_folder, together, write_text
from domain_ner.guide.schema import load_guide
from domain_ner.metrics.calibration import ScoredSpan
from domain_ner.reports.evaluation_markdown import evaluation_markdown
from domain_ner.reports.evaluation_page import evaluation_page
from domain_ner.reports.numbers import elsewhere
from domain_ner.writers.queues import write_queue

# Of the splits that it learned from or was chosen by.
MAX_SAMPLE = 200
# What spaCy calls a pipeline that nobody has named.
UNNAMED = "pipeline"
MARKS = {"target": "✔ target", "floor": "~ floor", "below": "✘ below", "no gold": "– no gold"}


def main(
    model: Path = typer.Argument(..., help="The pipeline to score."),
    test: Path = typer.Argument(..., help="The test corpus (DocBin)."),
    metrics: Path = typer.Argument(..., help="Where to write the figures (JSON)."),
    ledger: Path | None = typer.Option(None, help="ledger.jsonl of convert, to score against the exports too."),
    train: Path | None = typer.Option(None, help="What it was trained on (DocBin): which names are seen, which not."),
    dev: Path | None = typer.Option(None, help="The development corpus (DocBin), to tell how varied it is."),
    log: Path | None = typer.Option(None, help="training.jsonl of train, for the curves of the training."),
    guide: Path | None = typer.Option(None, help="The annotation guide, for the colours of the types."),
    reports: Path | None = typer.Option(None, help="Folder for evaluation.html, .md and .json, and its schema."),
    also: str = typer.Option(
        "", help="Other test sets, apart by spaces: corpora (.spacy), or exports; for the report."
    ),
    reading: str = typer.Option("", help=READING_HELP),
    label_names: str = typer.Option("", "--labels", help=LABELS_HELP),
    prefer: str = typer.Option("", help="Of exports: annotators to trust where annotations differ, by commas."),
    conflicts: str = typer.Option("stop", help="Of exports: where none of these annotated: stop, majority or unknown."),
    overlaps: str = typer.Option(
        "longest", help=f"Of exports: what doc.ents keeps of overlapping spans: {', '.join(OVERLAPS)}."
    ),
    misaligned: str = typer.Option("split", help=f"Of exports: of edges inside a token: {', '.join(MISALIGNED)}."),
    group_by: str = typer.Option("", help="Key of meta (or `document`) that names the group, as in convert."),
    robustness: int = typer.Option(0, help="Test passages to predict in eight kinds of worse shape, for the report."),
    seed: int = typer.Option(0, help="Of the samples."),
    gpu_id: str = typer.Option("-1", help="-1: CPU, 0 or higher: that GPU, auto: the first GPU if there is one."),
) -> None:
    """Score training/model-calibrated on corpus/test.spacy; write training/metrics.json and a report."""
    gpu = choose_gpu(gpu_id)
    if gpu != CPU:
        require_gpu(gpu)
    nlp = load_pipeline(model)
    gold = read_docs(test, nlp.vocab)
    check_choices(overlaps=(overlaps, OVERLAPS), misaligned=(misaligned, MISALIGNED))
    colours = load_guide(guide).colours if guide else {}
    rules = GoldRules(reading, label_names, split_names(prefer), conflicts, overlaps, misaligned, list(colours))
    test_sets = read_test_sets(also, nlp, rules)
    others = {name: read_docs(path, nlp.vocab) for name, path in (("train", train), ("dev", dev)) if path is not None}
    with together():
        evaluated, before, fates = score(nlp, gold, ledger, metrics)
        if reports is None:
            return
        samples = {split: sample(docs, MAX_SAMPLE, seed=seed) for split, docs in others.items()}
        groups = groups_of(gold, group_by)
        measured = Measured(
            pipeline=name_of(nlp, model),
            docs=evaluated.docs,
            judged=evaluated.judged,
            uncalibrated=before,
            least=least_confidences(nlp) if before else {},
            train=others.get("train", []),
            can_nest=nests(nlp),
            group_by=group_by if any(groups) else "",
            groups=[group or doc.source for group, doc in zip(groups, evaluated.docs, strict=True)],
            mentions={
                split: mentions(docs, can_nest=nests(nlp)) for split, docs in (others | {TEST_SET: gold}).items()
            },
            others={
                split: predict(nlp, docs, f"predicting on {split}").docs for split, docs in samples.items() if docs
            },
            test_sets={name: predict(nlp, docs, f"predicting on {name}").docs for name, docs in test_sets.items()},
            fates=fates,
            robustness=worse(nlp, gold, others.get("train", gold), robustness, seed) if robustness else None,
            log=read_log(log) if log else [],
        )
        report = queue_names(make_report(measured)).model_copy(update={"model_sha256": sha256_of_folder(model)})
        write_report(report, reports, colours)
        write_queues(report, gold, evaluated.docs, reports, lang=nlp.meta["lang"])


def score(
    nlp: Language, gold: Sequence[Doc], ledger: Path | None, metrics: Path
) -> tuple[Evaluated, list[ScoredSpan], dict[str, int]]:
    """Score on the test corpus, print the scores and write them to `metrics`.

    Also the predictions before calibration, where there is one, and how many annotations in the exports had which fate.
    """
    evaluated = predict(nlp, gold, "predicting")
    scores, figures = evaluated.scores, to_metrics(evaluated.scores)
    print_scores(headline(evaluated.docs, scores), n_passages=len(gold))
    before = judge_uncalibrated(nlp, gold) if evaluated.judged else []
    if before:
        figures["calibration"] = compare_calibration(before, evaluated.judged)
        tell_calibration(figures["calibration"])
    fates = count_fates(read_ledger(ledger), gold) if ledger is not None else {}
    if ledger is not None:
        figures["source"] = tell_exports(fates, scores.micro.n_correct)
    write_text(metrics, json.dumps(figures, indent=2) + "\n")
    say(f"written to {metrics}")
    return evaluated, before, fates


def judge_uncalibrated(nlp: Language, gold: Sequence[Doc]) -> list[ScoredSpan]:
    """The predictions, with their confidences as they were before calibration."""
    with uncalibrated(nlp):
        return predict(nlp, gold, "predicting without calibration").judged


def tell_calibration(compared: Mapping[str, Any]) -> None:
    """Print the calibration error. compared: of `compare_calibration`."""
    after, before = compared["after"], compared["before"]
    errors = (f"{100 * error:.1f}" for error in (after["ece"], before["ece"], after["ece_by_chance"]))
    say("expected calibration error of the confidences: {} (before calibration: {}; by chance: {})".format(*errors))


def tell_exports(fates: Mapping[str, int], n_correct: int) -> dict[str, float]:
    """Print how many of the annotations in the exports were found, and give both. n_correct: entities found."""
    n_source = count_meant(fates)
    recall = n_correct / n_source if n_source else 0.0
    say(f"recall of the {n_source} annotations in the exports, lost ones included: {100 * recall:.1f}")
    return {"annotations": n_source, "recall": recall}


def name_of(nlp: Language, model: Path) -> str:
    """The name and version of a packaged pipeline; the folder of one that has none yet."""
    name, version = nlp.meta["name"], nlp.meta["version"]
    return str(model) if name == UNNAMED else f"{nlp.meta['lang']}_{name} {version}"


def read_test_sets(also: str, nlp: Language, rules: GoldRules) -> dict[str, list[Doc]]:
    """Name to documents of the other test sets; the name is the whole path where another has the same."""
    paths = [Path(name) for name in shlex.split(also)]
    names = [TEST_SET, *(path.stem for path in paths)]
    return {
        name if names.count(name) == 1 else str(path): read_gold(path, nlp, rules)
        for name, path in zip(names[1:], paths, strict=True)
    }


def predict(nlp: Language, docs: Sequence[Doc], name: str) -> Evaluated:
    """Evaluate on documents, and show progress."""
    with progress() as bar:
        task = bar.add_task(name, total=len(docs))
        return evaluate_pipeline(nlp, docs, on_doc=partial(bar.advance, task))


def worse(nlp: Language, gold: Sequence[Doc], train: Sequence[Doc], n: int, seed: int) -> Robustness | None:
    """Predict on a sample of the test set in worse shape, and show progress; None where no passage is fully known."""
    docs = sample(gold, n, seed=seed)
    if not docs:
        say("no robustness: in every test passage there are tokens of which the annotators said nothing")
        return None
    with progress() as bar:
        task = bar.add_task("predicting on texts in worse shape", total=n_predictions(docs))
        return try_worse(
            nlp, docs, other_names(train, gold, can_nest=nests(nlp)), seed=seed, on_doc=partial(bar.advance, task)
        )


def read_log(path: Path) -> list[dict[str, Any]]:
    """The rows of training.jsonl; none where it is missing. Raises DomainNerError where it is no such file."""
    if not path.is_file():
        return []
    try:
        return [json.loads(line) for line in path.read_text(encoding="utf8").split("\n") if line]
    except ValueError as err:
        raise DomainNerError(f"{path} is not a log of train: {err}.", "Run train again.") from err


def write_report(report: Report, folder: Path, colours: Mapping[str, str]) -> None:
    """Write the report as a page, as Markdown and as JSON with its schema; tell where. colours: of types."""
    write_text(folder / "evaluation.html", evaluation_page(report, colours))
    write_text(folder / "evaluation.json", report.model_dump_json(indent=1) + "\n")
    write_text(folder / "evaluation.schema.json", json.dumps(Report.model_json_schema(), indent=1) + "\n")
    write_text(folder / "evaluation.md", evaluation_markdown(report))
    if report.grouped:
        say(f"micro F1: {elsewhere(report)}")
    say(f"report: {folder / 'evaluation.html'}, also as evaluation.md and evaluation.json")


def write_queues(report: Report, gold: Sequence[Doc], docs: Sequence[EvaluatedDoc], folder: Path, *, lang: str) -> None:
    """Write the passages that each advice names as review tasks, in the place of those of an earlier run."""
    by_source = {doc.source: (one, doc) for one, doc in zip(gold, docs, strict=True)}
    with atomic_path(folder / QUEUES) as new:
        new.mkdir()
        for tip in report.advice:
            if tip.queue:
                stem = new / Path(tip.queue).name
                write_queue(queue_tasks(tip, by_source), stem, lang=lang)
    n_tasks = sum(bool(tip.queue) for tip in report.advice)
    say(f"passages to review, for each of {n_tasks} pieces of advice: {folder / QUEUES}")


def print_scores(headline: Headline, *, n_passages: int) -> None:
    """Print the scores by type and overall."""
    printed = table("type", "precision", "recall", "F1", "95 %", "support", "", title=f"{n_passages} test passages")
    for label, score in headline.by_type.items():
        printed.add_row(label, *_figures(score), str(score.support), MARKS[score.verdict])
    printed.add_section()
    printed.add_row("micro", *_figures(headline.micro), str(headline.micro.support), "")
    printed.add_row("macro", *_figures(headline.macro), "", "")
    out.print(printed)
    say(f"production target: F1 of {100 * TARGET_F1:.0f} for every type, {100 * FLOOR_F1:.0f} at the least")


def _figures(score: TypeScore | MacroScore) -> list[str]:
    """Precision, recall, F1, and between what F1 lies."""
    f1 = score.f1
    interval = f"{100 * f1.low:.1f}–{100 * f1.high:.1f}" if f1.low is not None and f1.high is not None else ""
    return [*(f"{100 * one.value:.1f}" for one in (score.precision, score.recall, f1)), interval]


if __name__ == "__main__":
    run(main, writes=["metrics"])
