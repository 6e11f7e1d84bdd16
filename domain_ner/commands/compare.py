"""Implements `compare`: compares two pipelines on the same test set, as a release gate."""

import json
from pathlib import Path

import typer

from domain_ner.commands.console import GPU_HELP, in_project, say, watched
from domain_ner.devices import use_gpu
from domain_ner.errors import DomainNerError
from domain_ner.files import together, write_text


def main(
    first: str = typer.Argument(..., help="The pipeline in use: a folder, a wheel, or the name of a package."),
    second: str = typer.Argument("training/model-calibrated", help="The pipeline to replace it: as above."),
    test: Path = typer.Argument(Path("corpus/test.spacy"), help="The test corpus (DocBin), new to both pipelines."),
    reports: Path = typer.Argument(
        Path("training/reports"), help="Folder for comparison.html, .md, .json and the JSON schema."
    ),
    guide: Path | None = in_project("assets/guide.yml", "The annotation guide, for the colours of the types."),
    margin: float = typer.Option(0.0, help="Accepted loss of F1 in points (0..100), overall and per type."),
    seed: int = typer.Option(0, help="Seed of the resampling."),
    gpu_id: str = typer.Option("-1", help=GPU_HELP),
) -> None:
    """Compare two pipelines on corpus/test.spacy; exit with 1 if the second is significantly worse, or the same."""
    from domain_ner.commands.printing.comparison import print_comparison
    from domain_ner.evaluation.comparison import Comparison, compare_pipelines, measure_both, require_margin
    from domain_ner.guide.schema import load_guide
    from domain_ner.reports.comparison_markdown import comparison_markdown, verdict
    from domain_ner.reports.comparison_page import comparison_page

    require_margin(margin)
    if not first:
        raise DomainNerError(
            "No pipeline to compare with: vars.baseline is empty.",
            "Set it to the pipeline in use: a folder, a wheel (kept from training/packages), or an installed package.",
        )
    colours = load_guide(guide).colours if guide else {}
    use_gpu(gpu_id)
    measured = measure_both(first, second, test, watched=watched)
    comparison = compare_pipelines(measured[0], measured[1], margin=margin / 100, seed=seed)
    print_comparison(comparison)
    with together():
        write_text(reports / "comparison.json", comparison.model_dump_json(indent=1) + "\n")
        write_text(reports / "comparison.schema.json", json.dumps(Comparison.model_json_schema(), indent=1) + "\n")
        write_text(reports / "comparison.md", comparison_markdown(comparison))
        write_text(reports / "comparison.html", comparison_page(comparison, colours))
    say(f"report: {reports / 'comparison.html'}, also as comparison.md and comparison.json")
    say(verdict(comparison).replace("**", ""))
    if not comparison.is_passed:
        raise typer.Exit(1)
