"""Opens all that asking one model by one guide needs, plans what it costs, and records what it did."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from domain_ner.guide.schema import Guide
from domain_ner.llm.budget import Budget, Limits, Prices
from domain_ner.llm.cache import Cache
from domain_ner.llm.client import Client, Endpoint
from domain_ner.llm.endpoints import chat_url, find_key, shown
from domain_ner.llm.extracting import Extractor, Sampling
from domain_ner.llm.planning import DryRun, Plan
from domain_ner.llm.prompting import VERSION
from domain_ner.llm.retrying import Retries


@dataclass(frozen=True)
class LlmSettings:
    """What is asked, and within which limits.

    url: of the server, as of `chat_url`. cache: folder of the answers; None: they are kept in memory. timeout_s: of a
    whole call. n_threads: calls at once. The key comes from the environment, see `find_key`.
    """

    url: str
    model: str
    sampling: Sampling = field(default_factory=Sampling)
    cache: Path | None = None
    limits: Limits = field(default_factory=Limits)
    prices: Prices = field(default_factory=Prices)
    timeout_s: float = 120.0
    retries: Retries = field(default_factory=Retries)
    n_threads: int = 8


@dataclass(frozen=True)
class Session:
    """A model that can be asked. extractor: for texts. client: close it to end all calls."""

    settings: LlmSettings
    extractor: Extractor
    client: Client
    budget: Budget

    def record(self) -> dict[str, Any]:
        """What was asked and what it took, without texts and keys; the cost is in the currency of the prices."""
        settings, counts = self.settings, self.client.counts
        return {
            "url": shown(chat_url(settings.url)),
            "model": settings.model,
            "prompt": VERSION,
            "samples": settings.sampling.n_samples,
            "temperature": settings.sampling.temperature,
            "answer_tokens": settings.sampling.max_tokens,
            "structured": self.client.dialect.is_structured,
            "calls": self.budget.calls,
            "answers": counts.n_answered,
            "uncounted": counts.n_uncounted,
            "from_cache": counts.n_cached,
            "repeated": dict(counts.repeated.most_common()),
            "tokens_in": self.budget.spent.prompt,
            "tokens_out": self.budget.spent.answer,
            "cost": round(self.budget.money, 6),
        }


@contextmanager
def open_llm(settings: LlmSettings, guide: Guide) -> Iterator[Session]:
    """Open a model for a guide; no call is made yet.

    Raises DomainNerError for a URL that is none, a cache that cannot be used, and without httpx.
    """
    url = chat_url(settings.url)
    endpoint = Endpoint(url, settings.model, find_key(url), settings.timeout_s, retries=settings.retries)
    budget = Budget(settings.limits, settings.prices)
    with (
        Cache(settings.cache) as cache,
        Client(endpoint, cache, budget, n_connections=settings.n_threads) as client,
    ):
        yield Session(settings, Extractor(client, guide, settings.model, settings.sampling), client, budget)


def plan_llm(
    settings: LlmSettings, guide: Guide, texts: Iterable[str], on_text: Callable[[], None] = lambda: None
) -> Plan:
    """Count what asking for texts would take, with the answers in the cache; nothing is asked.

    Raises DomainNerError for a URL that is none, and a cache that cannot be used.
    """
    chat_url(settings.url)
    with Cache(settings.cache) as cache:
        dry = DryRun(cache, corrects=settings.sampling.corrects)
        extractor = Extractor(dry, guide, settings.model, settings.sampling)
        for text in dict.fromkeys(texts):
            extractor.extract(text)
            on_text()
        return dry.plan
