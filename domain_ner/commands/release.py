"""Implements `release`: adds what the workflow built to a registry as a new version, if the gate passes."""

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from domain_ner.commands.console import LABELS_HELP, READING_HELP, in_project, say, split_names, watched, writes
from domain_ner.commands.registries import REGISTRY, REGISTRY_HELP, now
from domain_ner.commands.stopping import resumable
from domain_ner.errors import DomainNerError
from domain_ner.files import together, write_text

if TYPE_CHECKING:
    from domain_ner.releasing.gate import Outcome


@writes("work")
def main(
    model: Path = typer.Argument(Path("training/model-optimized"), help="The pipeline to release."),
    corpus: Path = typer.Argument(Path("corpus"), help="Folder with train.spacy, dev.spacy and test.spacy."),
    registry: str = typer.Argument(REGISTRY, help=REGISTRY_HELP),
    name: str = typer.Option(..., help="Name of the package; the language is put before it unless it is there."),
    version: str = typer.Option(..., help="Version of the first release; later, taken if it is the highest: X.Y.Z."),
    bump: str = typer.Option("auto", help="Number to raise: auto, major, minor or patch."),
    reviewed: str = typer.Option("", help="Reviewed samples to compare on too: a corpus (.spacy) or exports."),
    reading: str = typer.Option("", help=f"For reviewed exports: {READING_HELP}"),
    labels: str = typer.Option("", help=f"For reviewed exports: {LABELS_HELP}"),
    prefer: str = typer.Option("*", help="For reviewed exports: annotators to trust; *: the first annotation."),
    margin: float = typer.Option(0.0, help="Accepted loss of F1 in points (0..100), overall and per type."),
    force: str = typer.Option("", help="Why to release although the gate fails; the release records it."),
    promote: bool = typer.Option(False, help="Also take the version into use."),
    check: bool = typer.Option(True, help="Install the wheels into a clean environment, and compare the predictions."),
    reports: Path | None = in_project("training/reports", "Folder with evaluation.json; none: no model card."),
    guide: Path = typer.Option(Path("assets/guide.yml"), help="The annotation guide, for the model card."),
    card: Path = typer.Option(Path("training/encoder.json"), help="The encoder's card, for the model card."),
    licence: str = typer.Option("", help="Licence that the wheel and the model card state; empty: none."),
    contact: str = typer.Option("", help="Who answers for the pipeline: 'NAME <EMAIL>'; empty: none."),
    group_by: str = typer.Option("", help="Key of `meta` that convert grouped the splits by, for the model card."),
    seed: int = typer.Option(0, help="Seed of the resampling."),
    work: Path = typer.Option(Path("training/release"), help="Folder for the steps of an unfinished release."),
) -> None:
    """Add the pipeline to a registry as a new version, if it is not worse than the one in use; resumable."""
    from domain_ner.commands.printing.release import print_gate, print_release, print_step
    from domain_ner.evaluation.comparison import require_margin
    from domain_ner.evaluation.gold import GoldRules
    from domain_ner.guide.schema import load_guide
    from domain_ner.packaging.documents import Inputs
    from domain_ner.releasing.building import WheelBuilder
    from domain_ner.releasing.candidate import Statements, gather
    from domain_ner.releasing.gate import REVIEWED, GoldSet
    from domain_ner.releasing.registry import Registry
    from domain_ner.releasing.release import Rules, release, to_time

    require_margin(margin)
    place, at = Registry(registry), now()
    statements, inputs = Statements(name, licence, contact, group_by), Inputs(reports, guide, card) if reports else None
    candidate = gather(model, corpus, statements, inputs)
    known = load_guide(guide) if inputs else None
    read = GoldRules(reading, labels, split_names(prefer), labels=known.labels if known else ())
    rules = Rules(
        wanted=version,
        epoch=at,
        bump=bump,
        margin=margin / 100,
        reviewed=GoldSet(REVIEWED, Path(reviewed), read) if reviewed else None,
        forced=force,
        seed=seed,
    )
    build = WheelBuilder(candidate, statements, inputs, say, is_tested=check)
    with resumable(lambda: "The steps that are done are kept; the registry is as it was, or has the new version."):
        made = release(candidate, place, rules, build, work, watched=watched, on_step=print_step)
    print_gate(made)
    if reports:
        _write_reports(made.outcomes, reports, known.colours if known else {})
    if made.record is None:
        raise DomainNerError(
            "The gate failed: nothing was released.",
            "Improve the pipeline, accept a loss with --margin, or release it with --force 'REASON'.",
        )
    print_release(made, place)
    if promote:
        say(f"in use: {place.promote(made.record.version, to_time(at)).version}")


def _write_reports(outcomes: "Iterable[Outcome]", reports: Path, colours: dict[str, str]) -> None:
    """Write `release_test.html` and `release_reviewed.html`, also as .md: the comparisons, with excerpts of texts."""
    from domain_ner.reports.comparison_markdown import comparison_markdown
    from domain_ner.reports.comparison_page import comparison_page

    with together():
        for outcome in outcomes:
            if outcome.comparison:
                page, text = (reports / f"release_{outcome.test_set}.{kind}" for kind in ("html", "md"))
                write_text(page, comparison_page(outcome.comparison, colours))
                write_text(text, comparison_markdown(outcome.comparison))
                say(f"report: {page}, also as {text.name}")
