"""Implements `add-fallback`: adds a language model to a pipeline for what it is unsure of; says what it brings."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from domain_ner.commands.console import check_share, in_project, say, split_names, warn, watched, writes
from domain_ner.errors import DomainNerError
from domain_ner.files import together, write_text

if TYPE_CHECKING:
    from spacy.language import Language

    from domain_ner.llm_fallback.component import LlmFallback

NAME = "llm_fallback"


@writes("output")
def main(
    pipeline: str = typer.Argument(..., help="The calibrated pipeline: a folder, a wheel, or an installed package."),
    guide: Path = typer.Argument(..., help="The annotation guide, which the model is prompted with."),
    dev: Path = typer.Argument(..., help="Corpus (DocBin) to count on how far the model can be trusted."),
    output: Path = typer.Argument(..., help="Folder for the pipeline with the component llm_fallback, switched off."),
    llm: str = typer.Option(..., "--llm", help="URL of an OpenAI-compatible server; the key is in the environment."),
    model: str = typer.Option(..., help="Name of the model."),
    test: Path | None = typer.Option(None, help="Corpus (DocBin) to score pipeline, model and both on."),
    report: Path | None = typer.Option(None, help="File for these scores (JSON)."),
    types: str = typer.Option("", help="Types to ask for, separated by commas; empty: all."),
    everywhere: bool = typer.Option(False, "--everywhere", help="Ask for them in each text, not only where unsure."),
    low: float = typer.Option(0.1, help="Lower end of the confidences at which the pipeline is unsure, 0..1."),
    high: float = typer.Option(0.9, help="Upper end of them, 0..1."),
    cache: Path | None = in_project("training/llm-cache", "Folder for the answers, which hold parts of texts."),
    max_calls: int = typer.Option(0, help="Calls that are never passed; 0: no limit."),
    max_tokens: int = typer.Option(0, help="Tokens that are never passed; 0: no limit."),
    max_cost: float = typer.Option(0.0, help="Money that is never passed; 0: no limit."),
    price_in: float = typer.Option(0.0, help="Price of a million tokens that are sent."),
    price_out: float = typer.Option(0.0, help="Price of a million tokens that come back."),
    timeout: float = typer.Option(60.0, help="Seconds for a call."),
    concurrency: int = typer.Option(8, min=1, help="Calls at once."),
    dry_run: bool = typer.Option(False, "--dry-run", help="Say what it would take, and ask nothing."),
) -> None:
    """Add a language model for what a pipeline is unsure of: calibrated on dev, switched off, with what it brings."""
    from domain_ner.commands.printing.fallback import print_fallback
    from domain_ner.evaluation.comparison import open_pipeline
    from domain_ner.evaluation.predicting import read_docs
    from domain_ner.llm_fallback.adding import add, switch_off
    from domain_ner.llm_fallback.comparing import compare
    from domain_ner.training.saving import require_pipeline_or_nothing, save

    check_share(low=low, high=high)
    require_pipeline_or_nothing(output)
    if report is not None and test is None:
        raise DomainNerError("--report needs the corpus to score on.", "Give --test, or leave out --report.")
    answers = cache or output.with_name(f"{output.name}-cache")
    settings = {
        "enabled": True, "url": llm, "model": model, "guide": str(guide), "types": split_names(types),
        "everywhere": everywhere, "low": low, "high": high, "cache": str(answers), "max_calls": max_calls or None,
        "max_tokens": max_tokens or None, "max_cost": max_cost or None, "price_in": price_in, "price_out": price_out,
        "timeout": timeout, "concurrency": concurrency,
    }  # fmt: skip
    with open_pipeline(pipeline) as (nlp, _):
        component = add(nlp, settings)
        if dry_run:
            _plan(nlp, component, read_docs(dev, nlp.vocab), read_docs(test, nlp.vocab) if test else [])
            return
        _fit(nlp, component, read_docs(dev, nlp.vocab))
        with together():
            if test is not None:
                golds = read_docs(test, nlp.vocab)
                with watched("asking on test", len(golds)) as on_doc:
                    compared = compare(nlp, component, golds, on_doc)
                print_fallback(compared)
                if report is not None:
                    write_text(report, compared.model_dump_json(indent=1) + "\n")
            switch_off(nlp, component)
            save(nlp, output)
    say(f"written: {output}, switched off; load it with components.{NAME}.enabled set to true to switch it on")


def _fit(nlp: "Language", component: "LlmFallback", golds: list[Any]) -> None:
    from domain_ner.commands.printing.fallback import print_trust
    from domain_ner.crf_ner.probing import recogniser
    from domain_ner.llm_fallback.fitting import fit

    if different := sorted(set(recogniser(nlp).labels) ^ set(component.required_guide().labels)):
        warn(f"Only the pipeline or only the guide has {', '.join(different)}: the model is not asked for these.")
    with watched("asking on dev", len(golds)) as on_doc:
        fitted = fit(nlp, golds, component, on_doc)
    if not fitted.n_docs:
        failed = ", ".join(f"{n:,} {reason}" for reason, n in component.record()["failed"].items())
        raise DomainNerError(
            f"No passage of dev has an answer: {failed or 'the pipeline is unsure of none'}.",
            "Start the server, or correct --llm and --model."
            if failed
            else "Give other --low and --high, or --everywhere.",
        )
    print_trust(fitted, len(golds), component.record())


def _plan(nlp: "Language", component: "LlmFallback", golds: list[Any], test: list[Any]) -> None:
    from domain_ner.commands.printing.fallback import print_plan
    from domain_ner.llm.session import plan_llm
    from domain_ner.llm_fallback.fitting import unsure_docs

    with watched("predicting", len(golds)) as on_doc:
        texts = [doc.text for doc, _ in unsure_docs(nlp, golds, component, on_doc)]
    settings = component.settings.llm
    # All of test: the model alone is scored too.
    plan = plan_llm(settings, component.required_guide(), [*texts, *(doc.text for doc in test)])
    print_plan(plan, settings.prices, len(texts), len(golds), len(test))
