"""Implements `optimize`: makes a pipeline that needs no PyTorch, and measures what it keeps and what it gains."""

import json
from pathlib import Path

import typer

from domain_ner.commands.console import check_choices, in_project, say, warn, watched, writes
from domain_ner.errors import DomainNerError
from domain_ner.files import scratch_folder, together, write_text

TORCH = "torch"


@writes("output")
def main(
    model: Path = typer.Argument(Path("training/model-calibrated"), help="The pipeline; it is not changed."),
    output: Path = typer.Argument(Path("training/model-optimized"), help="Folder for the optimised pipeline."),
    runtime: str = typer.Option(
        "onnx-int8", help="onnx-int8, onnx (float32), or torch: the pipeline is copied as it is."
    ),
    test: Path | None = in_project("corpus/test.spacy", "The test corpus (DocBin) to compare on; none: no comparison."),
    dev: Path | None = in_project(
        "corpus/dev.spacy", "The corpus that calibrate fitted thresholds on; none: no check."
    ),
    reports: Path = typer.Option(Path("training/reports"), help="Folder for optimize.json, .html and the JSON schema."),
    threshold: str = typer.Option("", help="As given to calibrate: a promised precision is checked again on dev."),
    rounds: int = typer.Option(1, min=0, help="Timings of both pipelines, in turn; the best counts. 0: none."),
    batches: int = typer.Option(8, min=1, help="Random batches in which each text is compared with the text alone."),
    group_by: str = typer.Option("", help="Key of `meta`, or `document`: passages with the same value form a group."),
    seed: int = typer.Option(0, help="Seed of the batches, and of fitting thresholds again."),
    force: bool = typer.Option(False, "--force", help="Write the pipeline even if it loses more than is allowed."),
) -> None:
    """Make training/model-optimized, which runs without PyTorch, and compare it with the trained pipeline."""
    from domain_ner.commands.printing.parity import print_parity
    from domain_ner.evaluation.optimized import Measurement, compare, keep_promises, make
    from domain_ner.evaluation.parity_schema import Parity
    from domain_ner.onnx_encoder.encoder_file import RUNTIMES
    from domain_ner.reports.parity_page import parity_page
    from domain_ner.training.saving import save, save_copy

    check_choices(runtime=(runtime, [TORCH, *RUNTIMES]))
    if runtime == TORCH:
        save_copy(model, output)
        say(f"{output} is {model} as it is: vars.runtime is {TORCH}")
        return
    nlp = make(model, runtime, say=say)
    promises = keep_promises(nlp, dev, threshold, group_by=group_by, seed=seed, watched=watched) if dev else []
    with scratch_folder() as room:
        made = room / "optimized"
        save(nlp, made)
        if test is None:
            save_copy(made, output)
            say(f"optimised pipeline: {output}; not compared with {model}: no test corpus (--test)")
            return
        measurement = Measurement(test, n_batches=batches, rounds=rounds, seed=seed)
        parity = compare(model, made, runtime, measurement, promises, watched=watched)
        print_parity(parity)
        with together():
            write_text(reports / "optimize.json", parity.model_dump_json(indent=1) + "\n")
            write_text(reports / "optimize.schema.json", json.dumps(Parity.model_json_schema(), indent=1) + "\n")
            write_text(reports / "optimize.html", parity_page(parity))
            if force or not parity.failures:
                save_copy(made, output)
    say(f"report: {reports / 'optimize.html'}, also as optimize.json")
    if parity.failures and not force:
        raise DomainNerError(
            f"The optimised pipeline loses more than is allowed: {'; '.join(parity.failures)}.",
            "Set vars.runtime to onnx (float32) or torch, or use --force to write it all the same. No pipeline was"
            " written.",
        )
    for failure in parity.failures:
        warn(f"written all the same (--force): {failure}")
    say(f"optimised pipeline: {output}")
