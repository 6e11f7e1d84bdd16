"""Implements `review-sample`: draws a stratified random sample for people to review, and reads the review back."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from domain_ner.commands.console import (
    CONFLICTS_HELP,
    GPU_HELP,
    LABELS_HELP,
    PREFER_HELP,
    READING_HELP,
    hold,
    in_project,
    say,
    split_names,
    warn,
    watched,
)
from domain_ner.devices import use_gpu
from domain_ner.errors import DomainNerError
from domain_ner.files import together, write_text

if TYPE_CHECKING:
    from domain_ner.conversion.exports import ImportSettings
    from domain_ner.reviewing.judging import JudgeSettings
    from domain_ner.reviewing.raw_documents import RawDocuments
    from domain_ner.reviewing.review_schema import Review
    from domain_ner.reviewing.sample_schema import Sample


def main(
    paths: list[str] = typer.Argument(
        ...,
        metavar="[PIPELINE RAW...] OUT",
        help="The pipeline (folder, wheel or package), documents as for annotate, and the folder of the sample. OUT "
        "alone reads a review back.",
    ),
    reviewed: list[Path] = typer.Option(
        [], exists=True, help="Exports of the reviewed tasks, files or folders. Empty: those in OUT/reviewed, if any."
    ),
    n: int = typer.Option(200, "--n", min=2, help="Passages to draw."),
    more: int = typer.Option(0, min=0, help="Draw so many further passages for a sample that exists."),
    types: str = typer.Option("", help="Types to review, separated by commas: strata are made for these. Empty: all."),
    suggest: bool = typer.Option(
        False, "--suggest/--blind", help="Whether the tasks show what the pipeline found, which biases reviewers."
    ),
    contract: list[str] = typer.Option(
        [], help="What to prove, several separated by semicolons: 'SERVICE precision >= 0.9; all f1 >= 0.8'."
    ),
    confidence: float = typer.Option(0.95, min=0.5, max=0.9999, help="Confidence of the proof of each contract."),
    joint: bool = typer.Option(
        False, "--joint", help="Prove all contracts together with that confidence (Bonferroni)."
    ),
    width: float = typer.Option(0.05, min=0.001, max=0.5, help="Half-width of the intervals that is narrow enough."),
    seed: int = typer.Option(0, help="Seed of the sample and of the intervals."),
    text_column: str = typer.Option("text", help="Column that holds the text."),
    id_column: str = typer.Option("id", help="Column that names the document; where it is missing: file and row."),
    lines: bool = typer.Option(
        False, "--lines", help="Each line of a .txt file is a document; else the whole file is."
    ),
    reading: str = typer.Option("", help=READING_HELP),
    label_names: str = typer.Option("", "--labels", help=LABELS_HELP),
    prefer: str = typer.Option("", help=PREFER_HELP),
    conflicts: str = typer.Option("stop", help=CONFLICTS_HELP),
    guide: Path | None = in_project("assets/guide.yml", "The annotation guide, for the colours of the types."),
    gpu_id: str = typer.Option("-1", help=GPU_HELP),
) -> None:
    """Draw a random sample of raw passages to review, and read it back: scores with intervals, proofs of contracts."""
    from domain_ner.conversion.exports import ImportSettings
    from domain_ner.guide.schema import load_guide
    from domain_ner.metrics.contracts import parse_contracts
    from domain_ner.reviewing.judging import JudgeSettings
    from domain_ner.reviewing.raw_documents import RawDocuments
    from domain_ner.reviewing.storing import REVIEWED, read_sample

    use_gpu(gpu_id)
    *given, folder = paths
    output = Path(folder)
    if len(given) == 1:
        raise DomainNerError(
            f"Two paths are given, {given[0]} and {output}; expected PIPELINE RAW OUT, or OUT alone.",
            "Name the pipeline, the documents, and the folder of the sample.",
        )
    settings = JudgeSettings(parse_contracts(";".join(contract)), confidence, joint, width, seed)
    raw = RawDocuments(given[1:], text_column, id_column, lines)
    raw.require_apart_from(output)
    with hold(output):
        sample = read_sample(output)
        if sample is None and reviewed:
            raise DomainNerError(f"There is no sample in {output}.", "Give the folder that the sample was drawn into.")
        if (sample is None or more) and not given:
            raise DomainNerError("To draw passages, PIPELINE and RAW are needed, too.", f"… PIPELINE RAW {output}")
        exports = reviewed or _found(output / REVIEWED)
        if given and sample is not None:
            _require_same(sample, given[0], output)
        if sample is None or more:
            _draw(given[0], raw, output, sample, n=more or n, types=split_names(types), seed=seed, is_blind=not suggest)
        elif not exports:
            say(f"The sample in {output} stays as it was drawn: {len(sample.tasks):,} tasks.")
            say(f"Review them, put the exports into {output / REVIEWED}, and run this again.")
        else:
            colours = load_guide(guide).colours if guide else {}
            importing = ImportSettings(None, reading, label_names, split_names(prefer), conflicts)
            review = _read_back(sample, exports, output, importing, settings)
            _write(review, output, colours)
            if not review.is_proven:
                raise typer.Exit(1)


def _found(folder: Path) -> list[Path]:
    return [folder] if folder.is_dir() and any(path.is_file() for path in folder.rglob("*")) else []


def _require_same(sample: "Sample", pipeline: str, output: Path) -> None:
    """A review of one pipeline must not be taken for that of another."""
    from domain_ner.annotating.jobs import label_of
    from domain_ner.annotating.predicting import identity_of
    from domain_ner.evaluation.comparison import open_pipeline

    with open_pipeline(pipeline) as (nlp, _):
        identity = identity_of(nlp)
    if identity["sha256"] != sample.pipeline["sha256"]:
        raise DomainNerError(
            f"The sample in {output} is of {label_of(sample.pipeline)}; {pipeline} is {label_of(identity)}.",
            f"Give another folder for a sample of this pipeline. To read the review of the former one, give {output} "
            "alone.",
        )


def _draw(
    pipeline: str,
    raw: "RawDocuments",
    output: Path,
    sample: "Sample | None",
    *,
    n: int,
    types: Sequence[str],
    seed: int,
    is_blind: bool,
) -> None:
    from domain_ner.annotating.predicting import identity_of
    from domain_ner.commands.printing.review import print_sample
    from domain_ner.evaluation.comparison import open_pipeline
    from domain_ner.reviewing.drawing import draw_sample, extend_sample
    from domain_ner.reviewing.population import scan
    from domain_ner.reviewing.storing import REVIEWED, find_texts, write_sample

    with open_pipeline(pipeline) as (nlp, _):
        identity, lang = identity_of(nlp), str(nlp.lang)
        with watched("predicting", raw.count()) as on_document:
            scanned = scan(nlp, raw.read(), on_document=on_document)
    drawn = (
        draw_sample(scanned, identity, n=n, types=types, seed=seed, is_blind=is_blind)
        if sample is None
        else extend_sample(sample, scanned, n)
    )
    files = write_sample(drawn, find_texts(drawn.passages, raw.read()), output, lang=lang)
    print_sample(drawn.sample)
    shown = "blind: without what the pipeline found" if drawn.sample.is_blind else "with what the pipeline found"
    say(f"{len(drawn.passages):,} tasks, {shown}: {', '.join(map(str, files))}")
    say(f"Review them in their order, put the exports into {output / REVIEWED}, and run this again.")


def _read_back(
    sample: "Sample", exports: list[Path], output: Path, importing: "ImportSettings", settings: "JudgeSettings"
) -> "Review":
    from domain_ner.commands.printing.review import print_review
    from domain_ner.reviewing.judging import judge
    from domain_ner.reviewing.matching import match, require_answered
    from domain_ner.reviewing.reading import read_reviews
    from domain_ner.reviewing.storing import TASKS

    require_answered(exports, output.glob(f"{TASKS}*"))
    with watched("reading"):
        passages = read_reviews(exports, importing)
    matched = match(sample, passages)
    unknown = {label for one in matched.compared for _, _, label in one.gold} - set(sample.labels)
    if unknown:
        warn(f"The reviewers used types that the pipeline does not have: {', '.join(sorted(unknown))}.")
    review = judge(sample, matched, settings)
    print_review(review)
    return review


def _write(review: "Review", output: Path, colours: dict[str, str]) -> None:
    from domain_ner.reviewing.markdown import review_markdown
    from domain_ner.reviewing.page import review_page
    from domain_ner.reviewing.review_schema import Review

    with together():
        write_text(output / "review.json", review.model_dump_json(indent=1) + "\n")
        write_text(output / "review.schema.json", json.dumps(Review.model_json_schema(), indent=1) + "\n")
        write_text(output / "review.md", review_markdown(review))
        write_text(output / "review.html", review_page(review, colours))
    say(f"report: {output / 'review.html'}, also as review.md and review.json")
