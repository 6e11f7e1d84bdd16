"""Implements `calibrate`: fits the confidences of a pipeline, and its decoding or its thresholds."""

import json
from pathlib import Path
from typing import Any

import typer

from domain_ner.commands.console import GPU_HELP, say, writes
from domain_ner.devices import use_gpu
from domain_ner.files import together, write_text


@writes("output")
def main(
    model: Path = typer.Argument(Path("training/model-best"), help="The trained pipeline; it is not changed."),
    dev: Path = typer.Argument(
        Path("corpus/dev.spacy"), help="The corpus to fit on (DocBin); not the training corpus."
    ),
    output: Path = typer.Argument(Path("training/model-calibrated"), help="Folder for the calibrated pipeline."),
    report: Path = typer.Argument(Path("training/reports/calibration.json"), help="File for the fitted values (JSON)."),
    threshold: str = typer.Option(
        "", help="f1: decode for the best F1; 0.95: report only entities sure enough for that precision; empty: all."
    ),
    group_by: str = typer.Option("", help="Key of `meta`, or `document`: passages with the same value form a group."),
    seed: int = typer.Option(0, help="Seed of the resampling that tests whether a decoding is better by chance."),
    gpu_id: str = typer.Option("-1", help=GPU_HELP),
) -> None:
    """Fit confidences and thresholds on corpus/dev.spacy, and write training/model-calibrated."""
    from domain_ner.commands.printing.calibration import print_choice, print_fitted
    from domain_ner.evaluation.calibrating import NAME, fit_on, require_guarantee, require_threshold, to_json
    from domain_ner.evaluation.predicting import load_pipeline
    from domain_ner.training.saving import save, save_copy

    require_threshold(threshold)
    use_gpu(gpu_id)
    nlp = load_pipeline(model)
    with together():
        if NAME in nlp.pipe_names:
            fitted = fit_on(nlp, dev, threshold, group_by=group_by, seed=seed)
            print_fitted(fitted)
            require_guarantee(fitted, threshold)
            print_choice(fitted)
            calibration: dict[str, Any] = {"calibrated": True} | to_json(fitted)
            save(nlp, output)
        else:
            say(f"{model} has no {NAME}, so there are no confidences to calibrate; copying it unchanged")
            calibration = {"calibrated": False}
            save_copy(model, output)
        write_text(report, json.dumps(calibration, indent=1) + "\n")
    say(f"calibrated pipeline: {output}")
