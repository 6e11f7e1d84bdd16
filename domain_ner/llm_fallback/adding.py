"""Adds the component to a trained pipeline, and switches it off before the pipeline is saved."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from spacy.language import Language

from domain_ner.crf_ner.probing import recogniser
from domain_ner.llm_fallback.component import LlmFallback
from domain_ner.llm_fallback.factory import create_llm_fallback

NAME = "llm_fallback"
# Set anew wherever the pipeline is loaded: it must work without any of them.
OF_THIS_MACHINE = {"enabled": False, "guide": "", "cache": ""}


def add(nlp: Language, settings: Mapping[str, Any]) -> LlmFallback:
    """Add the component at the end, in the place of one that is there. settings: of its factory.

    The recogniser then lists candidates, without which nobody knows where it is unsure of what it does not report.
    Raises DomainNerError if the pipeline gives no confidences.
    """
    assert create_llm_fallback  # its registration
    pipe = recogniser(nlp)
    if not pipe.settings.n_candidates:
        pipe.settings = replace(pipe.settings, n_candidates=1)
        nlp.get_pipe_config(pipe.name)["candidates"] = 1
    if NAME in nlp.pipe_names:
        nlp.remove_pipe(NAME)
    added: LlmFallback = nlp.add_pipe(NAME, config=dict(settings))  # type: ignore[assignment]
    return added


def switch_off(nlp: Language, component: LlmFallback) -> None:
    """End the component's calls, and let the config of the saved pipeline name nothing of this machine."""
    component.close()
    nlp.get_pipe_config(component.name).update(OF_THIS_MACHINE)
