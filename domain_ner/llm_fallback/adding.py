"""Adds the component to a trained pipeline, and switches it off before the pipeline is saved."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from spacy.language import Language

from domain_ner.crf_ner.probing import recogniser
from domain_ner.crf_ner.settings import to_config
from domain_ner.errors import DomainNerError, did_you_mean
from domain_ner.guide.schema import load_guide
from domain_ner.llm_fallback.component import LlmFallback
from domain_ner.llm_fallback.factory import create_llm_fallback
from domain_ner.llm_fallback.settings import LEAST

NAME = "llm_fallback"
# Set anew wherever the pipeline is loaded: it must work without any of them.
OF_THIS_MACHINE = {"enabled": False, "guide": "", "cache": ""}


def add(nlp: Language, settings: Mapping[str, Any]) -> LlmFallback:
    """Add the component at the end, in the place of one that is there. settings: of its factory.

    The recogniser then lists candidates, without which nobody knows where it is unsure of what it does not report.
    Without `types`, these are all that pipeline and guide have in common. Without `min_confidence`, a type needs what
    the recogniser needs to report it, so that a precision that was promised still holds; 0.5 where it needs nothing.
    Raises DomainNerError if the pipeline gives no confidences, and for a type that pipeline or guide lacks.
    """
    assert create_llm_fallback  # its registration
    pipe = recogniser(nlp)
    least = {label: pipe.settings.threshold(label) or LEAST for label in pipe.labels}
    settings = {"min_confidence": to_config(least), **settings}
    settings["types"] = _types(settings.get("types", ()), pipe.labels, load_guide(Path(settings["guide"])).labels)
    if not pipe.settings.n_candidates:
        pipe.settings = replace(pipe.settings, n_candidates=1)
        nlp.get_pipe_config(pipe.name)["candidates"] = 1
    if NAME in nlp.pipe_names:
        nlp.remove_pipe(NAME)
    added: LlmFallback = nlp.add_pipe(NAME, config=settings)  # type: ignore[assignment]
    return added


def _types(wanted: Sequence[str], known: Sequence[str], defined: Sequence[str]) -> list[str]:
    for label in wanted:
        for labels, where in ((known, "pipeline"), (defined, "guide")):
            if label not in labels:
                hint = did_you_mean(label, labels)
                raise DomainNerError(f"The {where} has no type {label!r}; it has {', '.join(labels)}.", hint)
    common = list(wanted) or [label for label in known if label in defined]
    if not common:
        raise DomainNerError(
            f"The pipeline has {', '.join(known)}, and the guide {', '.join(defined)}: no type in common.",
            "Give the guide of this pipeline.",
        )
    return common


def switch_off(nlp: Language, component: LlmFallback) -> None:
    """End the component's calls, and let the config of the saved pipeline name nothing of this machine."""
    component.close()
    nlp.get_pipe_config(component.name).update(OF_THIS_MACHINE)
