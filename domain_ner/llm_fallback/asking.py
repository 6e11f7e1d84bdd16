"""Asks a language model for several texts at once. Where it has no answer, there is none: nothing is raised."""

import threading
import time
import weakref
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import replace

from spacy.util import logger

from domain_ner.annotations.passages import LabelledSpan
from domain_ner.errors import DomainNerError
from domain_ner.guide.schema import Guide
from domain_ner.llm.budget import Budget, Limits, Tokens
from domain_ner.llm.extracting import Extraction
from domain_ner.llm.failures import STOPPED, StoppedError
from domain_ner.llm.session import LlmSettings, Session, open_llm

# Seconds until a server that could not be used at all is tried again.
PAUSE_S = 60.0
UNUSABLE = "server cannot be used"


class Asker:
    """A session with a model, which is opened when it is needed, and after a fault again.

    The budget is of the whole process, until the pipeline is loaded again. failed: texts without an answer, by reason.
    """

    def __init__(self, settings: LlmSettings, guide: Guide) -> None:
        self.settings, self.guide = settings, guide
        self.n_asked, self.failed = 0, Counter[str]()
        self._stack, self._broken_at = ExitStack(), 0.0
        # Also at the end of the process: before the interpreter takes apart what the calls need.
        weakref.finalize(self, self._stack.close)
        self._session: Session | None = None
        # Of the sessions that ended.
        self._calls, self._tokens, self._money = 0, Tokens(), 0.0
        self._lock = threading.Lock()

    def ask(self, texts: Sequence[str]) -> list[tuple[LabelledSpan, ...] | None]:
        """The spans of each text; None where there is no answer. Raises DomainNerError without httpx."""
        self.n_asked += len(texts)
        session = self._open()
        if session is None:
            self.failed[UNUSABLE] += len(texts)
            return [None] * len(texts)
        with ThreadPoolExecutor(self.settings.n_threads, thread_name_prefix="llm") as pool:
            extracted = list(pool.map(lambda text: self._extract(session, text), texts))
        for one in extracted:
            self.failed.update([one.failed] if one.failed else [])
        return [None if one.failed else one.spans for one in extracted]

    def record(self) -> dict[str, object]:
        """What was asked and what it took, without texts and keys."""
        budget = self._session.budget if self._session else Budget()
        tokens = self._tokens + budget.spent
        return {
            "model": self.settings.model,
            "texts": self.n_asked,
            "failed": dict(self.failed.most_common()),
            "calls": self._calls + budget.calls,
            "from_cache": self._session.client.counts.n_cached if self._session else 0,
            "tokens_in": tokens.prompt,
            "tokens_out": tokens.answer,
            "cost": round(self._money + budget.money, 6),
        }

    def close(self) -> None:
        """End all calls. What they used still counts against the limits."""
        self._stack.close()
        if self._session is not None:
            budget, self._session = self._session.budget, None
            self._calls += budget.calls
            self._tokens += budget.spent
            self._money += budget.money

    def _open(self) -> Session | None:
        with self._lock:
            if self._broken_at:
                if time.monotonic() - self._broken_at < PAUSE_S:
                    return None
                self.close()
                self._broken_at = 0.0
            if self._session is None:
                settings = replace(self.settings, limits=self._left())
                self._session = self._stack.enter_context(open_llm(settings, self.guide))
            return self._session

    def _left(self) -> Limits:
        limits = self.settings.limits
        return Limits(
            None if limits.calls is None else limits.calls - self._calls,
            None if limits.tokens is None else limits.tokens - self._tokens.total,
            None if limits.money is None else limits.money - self._money,
        )

    def _extract(self, session: Session, text: str) -> Extraction:
        try:
            return session.extractor.extract(text)
        except StoppedError:
            return Extraction(failed=STOPPED)
        except DomainNerError as err:
            with self._lock:
                if not self._broken_at:
                    logger.warning("llm_fallback: %s The pipeline's own answers stand.", err.message)
                self._broken_at = time.monotonic()
            return Extraction(failed=UNUSABLE)
