"""The factory of `llm_fallback`, as spaCy finds it by its entry point."""

from pathlib import Path
from typing import Any

from spacy.language import Language

from domain_ner.guide.schema import load_guide
from domain_ner.llm.budget import Limits, Prices
from domain_ner.llm.extracting import Sampling
from domain_ner.llm.retrying import Retries
from domain_ner.llm.session import LlmSettings
from domain_ner.llm_fallback.component import LlmFallback
from domain_ner.llm_fallback.settings import Fallback


@Language.factory(
    "llm_fallback",
    assigns=["doc.ents", "token.ent_iob", "token.ent_type", "span._.confidence", "span._.source"],
    requires=["doc.ents"],
    default_config={
        "enabled": False,
        "url": "",
        "model": "",
        "guide": "",
        "types": [],
        "everywhere": False,
        "low": 0.1,
        "high": 0.9,
        "min_confidence": 0.5,
        "cache": "",
        "max_calls": None,
        "max_tokens": None,
        "max_cost": None,
        "price_in": 0.0,
        "price_out": 0.0,
        "timeout": 60.0,
        "concurrency": 8,
        "retries": 4,
    },
)
def create_llm_fallback(  # noqa: PLR0913, PLR0917 (spaCy gives them by name)
    nlp: Language,
    name: str,
    enabled: bool,
    url: str,
    model: str,
    guide: str,
    types: list[str],
    everywhere: bool,
    low: float,
    high: float,
    min_confidence: Any,
    cache: str,
    max_calls: int | None,
    max_tokens: int | None,
    max_cost: float | None,
    price_in: float,
    price_out: float,
    timeout: float,
    concurrency: int,
    retries: int,
) -> LlmFallback:
    """Create the component. The API key comes from the environment: DOMAIN_NER_LLM_KEY, else OPENAI_API_KEY.

    enabled: whether the model is asked at all. url, model: of an OpenAI-compatible server.
    guide: path of the annotation guide, read now; a stored pipeline holds its content.
    types, everywhere, low, high, min_confidence: as of `settings.Fallback`.
    cache: folder for the answers, which hold parts of texts; empty: they are kept in memory.
    max_calls, max_tokens, max_cost: limits from the loading of the pipeline on, which are never passed; null: none.
    price_in, price_out: for a million tokens, in the currency of max_cost. timeout: seconds for a call.
    concurrency: calls at once. retries: of a call that failed, with growing pauses.
    Raises DomainNerError for settings that make no sense, and for a guide that cannot be read.
    """
    llm = LlmSettings(
        url, model, Sampling(), Path(cache) if cache else None, Limits(max_calls, max_tokens, max_cost),
        Prices(price_in, price_out), timeout, Retries(retries), concurrency,
    )  # fmt: skip
    least = min_confidence if isinstance(min_confidence, int | float) else dict(min_confidence)
    settings = Fallback(llm, enabled, tuple(types), everywhere, low, high, least)
    return LlmFallback(name, settings, load_guide(Path(guide)) if guide and Path(guide).is_file() else None)
