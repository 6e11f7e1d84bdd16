"""The dry run: counts what a run would ask and cost, with the answers of the cache, and asks nothing."""

import threading
from dataclasses import dataclass, field
from math import ceil

from domain_ner.llm.answers import Answer
from domain_ner.llm.budget import Tokens
from domain_ner.llm.cache import Cache
from domain_ner.llm.failures import NOT_CALLED, CallFailedError
from domain_ner.llm.questions import BYTES_PER_TOKEN, CORRECTION_BYTES, Question, bytes_of

# A short answer, and what an answer has for each byte of a passage, in tokens: about a tenth of its words are names.
ANSWER_TOKENS, ANSWER_SHARE = 15, 0.1


@dataclass
class Plan:
    """What a run would do, without repetitions. n_cached: answers that are there.

    calls: at least. estimate: their tokens, about. most_calls, most: if every answer has to be corrected, at most.
    """

    n_cached: int = 0
    calls: int = 0
    estimate: Tokens = field(default_factory=Tokens)
    most_calls: int = 0
    most: Tokens = field(default_factory=Tokens)


class DryRun:
    """Answers from the cache alone, and counts the other questions. corrects: as of `Sampling`."""

    def __init__(self, cache: Cache, *, corrects: bool) -> None:
        self.plan, self._cache, self._corrects = Plan(), cache, corrects
        self._lock = threading.Lock()

    def ask(self, key: str, question: Question) -> Answer:
        """Answer from the cache. Raises CallFailedError for a question that would be a call."""
        kept = self._cache.get(key)
        with self._lock:
            if kept is not None:
                self.plan.n_cached += 1
                return kept
            self._count(question)
        raise CallFailedError(NOT_CALLED)

    def _count(self, question: Question) -> None:
        plan, worst = self.plan, question.worst
        answer = ceil(ANSWER_TOKENS + ANSWER_SHARE * bytes_of(question.messages[1]["content"]))
        plan.calls += 1
        plan.estimate += Tokens(ceil(question.n_bytes / BYTES_PER_TOKEN), min(answer, question.max_tokens))
        plan.most_calls += 1
        plan.most += worst
        if self._corrects and len(question.messages) == 2:
            plan.most_calls += 1
            plan.most += Tokens(worst.prompt + CORRECTION_BYTES * question.max_tokens, worst.answer)
