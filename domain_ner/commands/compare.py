"""`compare`: two pipelines on the same test set; the release gate."""

import json
from contextlib import ExitStack
from functools import partial
from pathlib import Path

import typer
from thinc.api import require_gpu

from domain_ner.commands.console import out, progress, say, table
from domain_ner.devices import CPU, choose_gpu
from domain_ner.errors import DomainNerError
from domain_ner.evaluation.comparison import EQUAL, Compared, Comparison, compare_pipelines, measure, opened
from domain_ner.evaluation.predicting import nests, read_docs
from domain_ner.files import together, write_text
from domain_ner.guide.schema import load_guide
from domain_ner.reports.comparison_markdown import comparison_markdown, difference, interval, p_value, verdict
from domain_ner.reports.comparison_page import comparison_page
from domain_ner.reports.numbers import percent


def main(
    first: str = typer.Argument(..., help="The pipeline in use: a folder, a wheel, or the name of a package."),
    second: str = typer.Argument(..., help="The pipeline to take its place: the same."),
    test: Path = typer.Argument(..., help="The test corpus (DocBin): one that neither has learned."),
    reports: Path = typer.Argument(..., help="Folder for comparison.html, .md, .json and its schema."),
    guide: Path | None = typer.Option(None, help="The annotation guide, for the colours of the types."),
    margin: float = typer.Option(0.0, help="F1 that may be lost, in points (0..100), in all and in each type."),
    seed: int = typer.Option(0, help="Of the resampling."),
    gpu_id: str = typer.Option("-1", help="-1: CPU, 0 or higher: that GPU, auto: the first GPU if there is one."),
) -> None:
    """Compare two pipelines on corpus/test.spacy; exit with 1 where the second is significantly worse, or the same."""
    if not 0 <= margin <= 100:
        raise DomainNerError(f"vars.margin is {margin}; expected points of F1, 0 to 100.")
    if not first:
        raise DomainNerError(
            "There is nothing to compare with: vars.baseline is empty.",
            "Set it to the pipeline in use: a folder, a wheel (kept from training/packages), or an installed package.",
        )
    colours = load_guide(guide).colours if guide else {}
    gpu = choose_gpu(gpu_id)
    if gpu != CPU:
        require_gpu(gpu)
    measured = []
    with ExitStack() as stack:
        both = [(pipeline, *stack.enter_context(opened(pipeline))) for pipeline in (first, second)]
        can_nest = any(nests(nlp) for _, nlp, _ in both)
        for pipeline, nlp, folder in both:
            gold = read_docs(test, nlp.vocab)
            with progress() as bar:
                task = bar.add_task(f"predicting with {nlp.meta['name']} {nlp.meta['version']}", total=len(gold))
                on_doc = partial(bar.advance, task)
                measured.append(measure(pipeline, nlp, folder, gold, can_nest=can_nest, on_doc=on_doc))
    comparison = compare_pipelines(measured[0], measured[1], margin=margin / 100, seed=seed)
    print_comparison(comparison)
    with together():
        write_text(reports / "comparison.json", comparison.model_dump_json(indent=1) + "\n")
        write_text(reports / "comparison.schema.json", json.dumps(Comparison.model_json_schema(), indent=1) + "\n")
        write_text(reports / "comparison.md", comparison_markdown(comparison))
        write_text(reports / "comparison.html", comparison_page(comparison, colours))
    say(f"report: {reports / 'comparison.html'}, also as comparison.md; for machines {reports / 'comparison.json'}")
    say(verdict(comparison).replace("**", ""))
    if not comparison.is_passed:
        raise typer.Exit(1)


def print_comparison(comparison: Comparison) -> None:
    """Print both scores by type, and whether they differ by more than luck."""
    first, second = comparison.first, comparison.second
    title = f"{second.source} (now) against {first.source} (before)"
    printed = table("type", "before", "now", "difference", "95 %", "p (Holm)", "", title=title)
    for label, one in comparison.by_type.items():
        printed.add_row(label, *_figures(one))
    printed.add_section()
    printed.add_row("micro", *_figures(comparison.overall))
    out.print(printed)
    for name, system in (("before", first), ("now", second)):
        say(f"{name}: {system.words_s:,.0f} words a second, {system.size_mb:.1f} MB")


def _figures(one: Compared) -> list[str]:
    shares = [percent(one.first), percent(one.second), difference(one.difference), interval(one)]
    return [*shares, p_value(one.p_holm), "" if one.verdict == EQUAL else one.verdict]
