"""Implements `draft`: annotations of raw passages to start from, by the annotation guide alone."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from domain_ner.commands.console import in_project, progress, warn, watched, writes
from domain_ner.commands.stopping import resumable
from domain_ner.errors import DomainNerError

if TYPE_CHECKING:
    from domain_ner.annotating.reading import Document
    from domain_ner.drafting.proposals import Source
    from domain_ner.drafting.writing import RawPassage
    from domain_ner.guide.schema import Guide
    from domain_ner.llm.session import LlmSettings
    from domain_ner.reviewing.raw_documents import RawDocuments

CACHE = "cache"
KEPT = "What the model has answered is in the cache."


@writes("output")
def main(
    guide: Path = typer.Argument(..., help="The annotation guide, guide.yml."),
    inputs: list[str] = typer.Argument(
        ..., help="Raw passages: files (JSONL, CSV, TSV, Parquet, text), folders, globs, or URLs that fsspec opens."
    ),
    output: Path = typer.Argument(..., help="Folder for the tasks and draft.json; those of a former run are replaced."),
    llm: str = typer.Option("", help="URL of an OpenAI-compatible server, with or without /v1: http://127.0.0.1:8000"),
    model: str = typer.Option("", help="Name of the model on that server."),
    gazetteer: list[str] = typer.Option(
        [], help="Lists of names, or folders of them: INFRA.txt, or .csv, .tsv, .jsonl with name and label."
    ),
    guide_names: bool | None = typer.Option(
        None,
        "--guide-names/--no-guide-names",
        help="Whether the names and patterns of the guide are proposed, too."
        " By default, if there is neither --llm nor --gliner.",
    ),
    gliner: str = typer.Option("", help="GLiNER model: a folder, or an id of the Hugging Face hub."),
    gliner_threshold: float = typer.Option(0.5, min=0, max=1, help="Least score of what GLiNER proposes."),
    weights: str = typer.Option("", help="Weights of the sources in the vote: 'llm=2 gazetteer=1 gliner=1'."),
    min_score: float = typer.Option(0.0, min=0, max=1, help="Least score of a suggestion."),
    samples: int = typer.Option(1, min=1, max=20, help="Answers for each passage, whose agreement is the score."),
    temperature: float | None = typer.Option(
        None, min=0, max=2, help="Temperature of the model; by default 0, or 0.7 with several samples."
    ),
    answer_tokens: int = typer.Option(1024, min=16, help="Most tokens of an answer."),
    max_chars: int = typer.Option(
        20_000, min=1, help="Characters of a passage; longer ones are not sent, but counted."
    ),
    concurrency: int = typer.Option(8, min=1, max=256, help="Calls at once."),
    timeout: float = typer.Option(120.0, min=0.01, help="Seconds for a whole call, from connecting to the last byte."),
    retries: int = typer.Option(5, min=0, max=20, help="Repetitions of a call that failed."),
    max_wait: float = typer.Option(60.0, min=0, help="Seconds of a pause that the server may ask for; else it failed."),
    max_calls: int | None = typer.Option(None, min=0, help="Most calls, repetitions included."),
    max_total_tokens: int | None = typer.Option(None, min=0, help="Most tokens, sent and received together."),
    max_cost: float | None = typer.Option(None, min=0, help="Most money, in the currency of the prices."),
    price_in: float = typer.Option(0.0, min=0, help="Price of a million tokens that are sent."),
    price_out: float = typer.Option(0.0, min=0, help="Price of a million tokens that are received."),
    cache: Path | None = in_project("training/draft-cache", "Folder of what the model answered; else OUTPUT/cache."),
    dry_run: bool = typer.Option(False, "--dry-run", help="Print calls, tokens and money, and ask nothing."),
    lang: str = typer.Option("en", help="Language of the text: spaCy's code."),
    text_column: str = typer.Option("text", help="Column that holds the text."),
    id_column: str = typer.Option("id", help="Column that names the passage; where it is missing: file and row."),
    lines: bool = typer.Option(False, "--lines", help="Each line of a .txt file is a passage; else the whole file is."),
) -> None:
    """Draft annotations from the guide alone, by an LLM, lists of names or GLiNER; write tasks for each tool."""
    from domain_ner.commands.printing.drafts import print_draft
    from domain_ner.drafting.run import draft
    from domain_ner.drafting.sources import Setup, make_sources, read_weights
    from domain_ner.drafting.writing import Facts, make_tasks, write_draft
    from domain_ner.guide.legality import SpanRules
    from domain_ner.guide.schema import load_guide
    from domain_ner.llm.budget import Limits, Prices
    from domain_ner.llm.extracting import Sampling
    from domain_ner.llm.retrying import Retries
    from domain_ner.llm.session import LlmSettings, open_llm
    from domain_ner.reviewing.raw_documents import RawDocuments

    if bool(llm) != bool(model):
        raise DomainNerError("--llm and --model belong together; only one is given.", "Give both.")
    if dry_run and not llm:
        raise DomainNerError("--dry-run tells what an LLM costs; --llm is not given.", "Give --llm and --model.")
    if max_cost is not None and not (price_in or price_out):
        raise DomainNerError("--max-cost needs prices.", "Give --price-in and --price-out, for a million tokens each.")
    loaded, weight_of = load_guide(guide), read_weights(weights)
    raw = RawDocuments(inputs, text_column, id_column, lines)
    raw.require_apart_from(output)
    if output.is_file():
        raise DomainNerError(f"{output} is a file; expected a folder for the tasks.", "Name a folder.")
    warmth = temperature if temperature is not None else 0.7 if samples > 1 else 0.0
    settings = LlmSettings(
        llm, model, Sampling(samples, warmth, answer_tokens, max_chars), cache or output / CACHE,
        Limits(max_calls, max_total_tokens, max_cost), Prices(price_in, price_out), timeout,
        Retries(retries, max_wait_s=max_wait), concurrency,
    )  # fmt: skip
    passages, n_unreadable = _read(raw)
    if dry_run:
        _plan(settings, loaded, passages)
        return
    with ExitStack() as stack:
        session = None
        if llm:
            session = stack.enter_context(open_llm(settings, loaded))
            stack.enter_context(resumable(lambda: KEPT))
        setup = Setup(
            loaded, [Path(name) for name in gazetteer if name], guide_names, gliner, gliner_threshold,
            session.extractor if session else None, concurrency, session.client.close if session else lambda: None,
        )  # fmt: skip
        sources = make_sources(setup)
        with _watching(sources, len({passage.text for passage in passages})) as on_text:
            drafted = draft(
                [passage.text for passage in passages],
                sources,
                weight_of,
                SpanRules.of(loaded),
                min_score=min_score,
                on_text=on_text,
            )
        record = session.record() if session else {}
    names = [f"{source.name} {model}" if source.name == "llm" else source.name for source in sources]
    facts = Facts(guide.name, lang, f"draft: {', '.join(names)}", weight_of, min_score, n_unreadable, record)
    tasks = make_tasks(passages, drafted, (text_column, id_column))
    files = write_draft(tasks, drafted, output, facts)
    print_draft(tasks, drafted, facts, files)
    if passages and not any(counts.n_read for counts in drafted.counts.values()):
        raise DomainNerError(
            f"{', '.join(drafted.counts)} could not read any passage: the tasks have no suggestions.",
            "The reasons are above and in draft.json. If it is the model, try another one.",
        )


def _read(raw: "RawDocuments") -> tuple[list["RawPassage"], int]:
    from domain_ner.drafting.writing import RawPassage

    problems: list[Document] = []
    with watched("reading") as on_passage:
        passages = []
        for document in raw.read(problems.append):
            passages.append(RawPassage(document.text, document))
            on_passage()
    if problems:
        warn(f"{len(problems):,} passages could not be read, the first {problems[0].place}: {problems[0].problem}.")
    if not passages:
        raise DomainNerError(f"There is no passage in {', '.join(raw.inputs)}.", "Give others, or --text-column.")
    return passages, len(problems)


def _plan(settings: "LlmSettings", guide: "Guide", passages: Sequence["RawPassage"]) -> None:
    from domain_ner.commands.printing.drafts import print_plan
    from domain_ner.llm.session import plan_llm

    with watched("planning") as on_text:
        plan = plan_llm(settings, guide, (passage.text for passage in passages), on_text)
    print_plan(plan, len(passages), settings.prices)


@contextmanager
def _watching(sources: Sequence["Source"], n_texts: int) -> Iterator[dict[str, Callable[[], None]]]:
    """Show a progress bar for each source, one below the other."""
    with progress() as bar:
        yield {source.name: partial(bar.advance, bar.add_task(source.name, total=n_texts)) for source in sources}
