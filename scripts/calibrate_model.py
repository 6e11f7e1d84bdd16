"""`calibrate`: make the confidences of a pipeline honest, and choose how sure it must be."""

import json
import shutil
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any

import typer
from _console import out, run, say, table
from spacy.language import Language
from spacy.training import Example
from thinc.api import require_gpu

from domain_ner.corpus.docs import groups_of
from domain_ner.crf_ner.fitting import CUTOFFS, Choose, Fitted, fit
from domain_ner.devices import CPU, choose_gpu
from domain_ner.errors import DomainNerError
from domain_ner.evaluation.predicting import compare_calibration, input_doc, load_pipeline, read_docs
from domain_ner.files import atomic_path, together, write_text
from domain_ner.metrics.calibration import (
    ScoredSpan,
    Threshold,
    calibration_error,
    chance_error,
    highest_guaranteed_precision,
    needed_entities,
    threshold_for_precision,
)
from domain_ner.training.saving import forget_texts, save

NAME = "crf_ner"
F1 = "f1"


def main(
    model: Path = typer.Argument(..., help="The trained pipeline; it is left as it is."),
    dev: Path = typer.Argument(..., help="The corpus to fit on (DocBin): one that the pipeline did not learn."),
    output: Path = typer.Argument(..., help="Folder for the calibrated pipeline."),
    report: Path = typer.Argument(..., help="Where to write what was fitted (JSON)."),
    threshold: str = typer.Option(
        "", help="Report only entities sure enough for this precision (0.95, say), or decode for F1 (f1); empty: all."
    ),
    group_by: str = typer.Option("", help="Key of `meta` (or `document`): passages with one value count together."),
    seed: int = typer.Option(0, help="Of the resampling that tells a better decoding from a lucky one."),
    gpu_id: str = typer.Option("-1", help="-1: CPU, 0 or higher: that GPU, auto: the first GPU if there is one."),
) -> None:
    """Fit confidences and thresholds on corpus/dev.spacy, and write training/model-calibrated."""
    choose = choose_by(threshold)
    gpu = choose_gpu(gpu_id)
    if gpu != CPU:
        require_gpu(gpu)
    nlp = load_pipeline(model)
    with together():
        if NAME not in nlp.pipe_names:
            say(f"{model} has no {NAME}, so that there are no confidences to calibrate: it is copied as it is")
            figures: dict[str, Any] = {"calibrated": False}
            with atomic_path(output) as new:
                shutil.copytree(model, new)
                forget_texts(new)
        else:
            fitted = fit_on(nlp, dev, choose, for_f1=threshold == F1, group_by=group_by, seed=seed)
            print_fitted(fitted)
            if fitted.thresholds and not any(one.is_reached for one in fitted.thresholds.values()):
                raise nothing_promised(fitted, float(threshold))
            for line in tell_choice(fitted):
                say(line)
            figures = {"calibrated": True} | to_figures(fitted)
            save(nlp, output)
        write_text(report, json.dumps(figures, indent=1) + "\n")
    say(f"calibrated pipeline: {output}")


def choose_by(threshold: str) -> Choose | None:
    """What chooses thresholds by type. Raises DomainNerError when the option is no precision."""
    if threshold in ("", F1):
        return None
    try:
        precision = float(threshold)
    except ValueError:
        precision = -1.0
    if not 0 < precision < 1:
        raise DomainNerError(
            f"vars.threshold is {threshold!r}; expected a precision between 0 and 1 (0.95, say), f1, or nothing."
        )
    return partial(threshold_for_precision, precision=precision)


def fit_on(nlp: Language, dev: Path, choose: Choose | None, *, for_f1: bool, group_by: str, seed: int) -> Fitted:
    """Fit on the documents of a corpus."""
    docs = read_docs(dev, nlp.vocab)
    examples = [Example(input_doc(nlp, gold), gold) for gold in docs]
    groups = groups_of(docs, group_by) if group_by else [""] * len(docs)
    return fit(nlp, examples, NAME, choose, for_f1=for_f1, groups=groups, seed=seed)


def nothing_promised(fitted: Fitted, precision: float) -> DomainNerError:
    """The error where no type can be promised the precision: what each can be, and what it would take."""
    lines, promises = [], []
    for label in fitted.thresholds:
        judged, n_gold = of_type(fitted.after, label), fitted.n_gold.get(label, 0)
        promises.append(highest_guaranteed_precision(judged, n_gold))
        needed = needed_entities(judged, n_gold, precision)
        most = f"at most {promises[-1]:.2f}" if promises[-1] else "no precision at all"
        takes = f"{precision:g} takes some {needed:,}" if needed else "its surest predictions are wrong too often"
        lines.append(f"  {label}: {most}, of {n_gold:,} entities on dev; {takes}")
    ask = f", or ask for at most {max(promises):.2f}" if max(promises) else ""
    return DomainNerError(
        f"This dev set can promise a precision of {precision:g} (vars.threshold) of no type: nothing would be found.\n"
        + "\n".join(lines),
        f"Annotate more passages{ask}, or set vars.threshold to f1. Nothing was written.",
    )


def tell_choice(fitted: Fitted) -> list[str]:
    """Which decoding was chosen, and why; nothing where none was to be chosen."""
    choice = fitted.choice
    if choice is None:
        return []
    share = choice.interval
    between = f" ({100 * share.low:+.1f} to {100 * share.high:+.1f})" if share else ""
    gain = f"gain on passages that did not choose it: {100 * choice.gain:+.1f}{between}, p = {choice.p:.4f}"
    taken = "more than luck, so that these are reported" if choice.is_better else "may be luck: the best path stays"
    return [
        f"micro F1 on dev: {100 * fitted.f1[0]:.1f} with the best path, {100 * choice.value:.1f} with single spans "
        f"above a confidence of {CUTOFFS[choice.best]:.2f}",
        f"{gain}; {taken}",
    ]


def print_fitted(fitted: Fitted) -> None:
    """Print the calibration error by type before and after, and the thresholds."""
    printed = table(
        "type", "predicted", "ECE before", "ECE after", "by chance", "temperature", title="confidences on dev"
    )
    for label in ["", *sorted({one.label for one in fitted.before})]:
        before, after = of_type(fitted.before, label), of_type(fitted.after, label)
        temperature = fitted.settings.type_temperatures.get(label, 1.0) if label else fitted.settings.temperature
        shares = calibration_error(before), calibration_error(after), chance_error(after)
        errors = (f"{100 * share:.1f}" for share in shares)
        printed.add_row(label or "all", str(len(after)), *errors, f"{temperature:.2f}")
    out.print(printed)
    if fitted.thresholds:
        print_thresholds(fitted.thresholds)


def print_thresholds(thresholds: Mapping[str, Threshold]) -> None:
    """Print the least confidence by type, and at most what precision can be promised of a type that is not reported."""
    printed = table("type", "min. confidence", "precision", "at least", "recall", title="what is reported, on dev")
    for label, one in thresholds.items():
        precision, bound, recall = (f"{100 * share:.1f}" for share in (one.precision, one.precision_bound, one.recall))
        row = (f"{one.confidence:.3f}", precision, bound, recall) if one.is_reached else ("none", "", bound, "")
        printed.add_row(label, *row)
    out.print(printed)
    if not all(one.is_reached for one in thresholds.values()):
        say('none: this dev set cannot promise that precision, at most what is under "at least"; it is not reported.')
        say("  Annotate more passages, ask for less, or set min_confidence yourself when you load the pipeline.")


def to_figures(fitted: Fitted) -> dict[str, Any]:
    """What was fitted, as `training/reports/calibration.json` has it; errors and shares in 0..1."""
    return {
        "temperature": fitted.settings.temperature,
        "type_temperatures": fitted.settings.type_temperatures,
        "decoding": fitted.settings.decoding,
        "choice": None if fitted.choice is None else choice_figures(fitted),
        "thresholds": {label: asdict(one) for label, one in fitted.thresholds.items()},
        "predicted": Counter(one.label for one in fitted.after),
        "gold": fitted.n_gold,
        "calibration": compare_calibration(fitted.before, fitted.after),
    }


def choice_figures(fitted: Fitted) -> dict[str, Any]:
    """What decoding was chosen by: F1 with the best path and with single spans, the gain out of fold, and its p."""
    assert fitted.choice is not None
    return {"f1_best_path": fitted.f1[0], "cutoff": CUTOFFS[fitted.choice.best]} | asdict(fitted.choice)


def of_type(judged: Sequence[ScoredSpan], label: str) -> list[ScoredSpan]:
    """The predictions of a type; all for an empty one."""
    return [one for one in judged if label in ("", one.label)]


if __name__ == "__main__":
    run(main, writes=["output"])
