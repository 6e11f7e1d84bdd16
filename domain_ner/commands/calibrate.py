"""`calibrate`: make the confidences of a pipeline honest, and choose how sure it must be."""

import json
from pathlib import Path
from typing import Any

import typer

from domain_ner.commands.console import GPU_HELP, say, writes
from domain_ner.devices import use_gpu
from domain_ner.files import together, write_text


@writes("output")
def main(
    model: Path = typer.Argument(Path("training/model-best"), help="The trained pipeline; it is left as it is."),
    dev: Path = typer.Argument(
        Path("corpus/dev.spacy"), help="The corpus to fit on (DocBin): one that the pipeline did not learn."
    ),
    output: Path = typer.Argument(Path("training/model-calibrated"), help="Folder for the calibrated pipeline."),
    report: Path = typer.Argument(
        Path("training/reports/calibration.json"), help="Where to write what was fitted (JSON)."
    ),
    threshold: str = typer.Option(
        "", help="Report only entities sure enough for this precision (0.95, say), or decode for F1 (f1); empty: all."
    ),
    group_by: str = typer.Option("", help="Key of `meta` (or `document`): passages with one value count together."),
    seed: int = typer.Option(0, help="Of the resampling that tells a better decoding from a lucky one."),
    gpu_id: str = typer.Option("-1", help=GPU_HELP),
) -> None:
    """Fit confidences and thresholds on corpus/dev.spacy, and write training/model-calibrated."""
    from domain_ner.commands.printing.calibration import print_fitted, tell_choice
    from domain_ner.evaluation.calibrating import NAME, fit_on, require_promise, require_threshold, to_figures
    from domain_ner.evaluation.predicting import load_pipeline
    from domain_ner.training.saving import save, save_copy

    require_threshold(threshold)
    use_gpu(gpu_id)
    nlp = load_pipeline(model)
    with together():
        if NAME in nlp.pipe_names:
            fitted = fit_on(nlp, dev, threshold, group_by=group_by, seed=seed)
            print_fitted(fitted)
            require_promise(fitted, threshold)
            for line in tell_choice(fitted):
                say(line)
            figures: dict[str, Any] = {"calibrated": True} | to_figures(fitted)
            save(nlp, output)
        else:
            say(f"{model} has no {NAME}, so that there are no confidences to calibrate: it is copied as it is")
            figures = {"calibrated": False}
            save_copy(model, output)
        write_text(report, json.dumps(figures, indent=1) + "\n")
    say(f"calibrated pipeline: {output}")
