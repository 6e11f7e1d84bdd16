"""Chats with an OpenAI-compatible server: cached, within a budget, repeated where that helps, several at once."""

import threading
from collections import Counter
from dataclasses import dataclass, field
from types import TracebackType

from domain_ner.errors import DomainNerError
from domain_ner.llm import failures
from domain_ner.llm.answers import Answer, BrokenAnswerError, read_answer
from domain_ner.llm.budget import Budget, Tokens
from domain_ner.llm.cache import Cache
from domain_ner.llm.dialect import Dialect, Problem, read_problem
from domain_ner.llm.endpoints import OWN_KEY, shown
from domain_ner.llm.questions import Question
from domain_ner.llm.retrying import Retries, is_retried, retry_after_s
from domain_ner.llm.transport import Response, Transport, TransportError

OK, CONTENT_TOO_LARGE = 200, 413


@dataclass(frozen=True)
class Endpoint:
    """url: of the chat completions, see `chat_url`. key: is sent as a bearer token, and shown nowhere."""

    url: str
    model: str
    key: str = field(default="", repr=False)
    timeout_s: float = 120.0
    connect_s: float = 10.0
    retries: Retries = field(default_factory=Retries)


@dataclass
class Counts:
    """What the client did.

    n_cached: answers from the cache. n_uncounted: answers whose tokens the server did not count.
    repeated: repetitions by reason.
    """

    n_cached: int = 0
    n_answered: int = 0
    n_uncounted: int = 0
    repeated: Counter[str] = field(default_factory=Counter)


class Client:
    """Asks a model, from as many threads as there are connections.

    n_connections: calls at once. Close it, or use it as a context; that ends all waiting calls.
    Raises DomainNerError when httpx is not installed.
    """

    def __init__(self, endpoint: Endpoint, cache: Cache, budget: Budget, *, n_connections: int = 8) -> None:
        self._endpoint, self._cache, self._budget = endpoint, cache, budget
        self._transport = Transport(
            endpoint.url, endpoint.key, timeout_s=endpoint.timeout_s, connect_s=endpoint.connect_s,
            n_connections=n_connections,
        )  # fmt: skip
        self.dialect, self.counts = Dialect(), Counts()
        self._fatal: DomainNerError | None
        self._lock, self._stopped = threading.Lock(), threading.Event()
        self._was_reached, self._fatal = False, None

    def __enter__(self) -> "Client":
        return self

    def __exit__(self, kind: type[BaseException] | None, err: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """End all calls, also those of other threads, which then raise StoppedError."""
        self._stopped.set()
        self._transport.close()

    def ask(self, key: str, question: Question) -> Answer:
        """Answer a question, from the cache if it is there; an answer is in the cache when this returns.

        Raises CallFailedError when this question has no answer; DomainNerError when no question would have one (a wrong
        key, model or URL, no credit, no server); StoppedError after `close`.
        """
        kept = self._cache.get(key)
        if kept is not None:
            with self._lock:
                self.counts.n_cached += 1
            return kept
        try:
            answer = self._call(question)
            self._cache.put(key, answer)
        except failures.StoppedError:
            if self._fatal:
                raise self._fatal from None
            raise
        except DomainNerError as err:
            # The calls of other threads would end the same way.
            self._fatal = self._fatal or err
            self.close()
            raise
        with self._lock:
            self.counts.n_answered += 1
            self.counts.n_uncounted += answer.tokens is None
        return answer

    def _call(self, question: Question) -> Answer:
        n_failed = 0
        while True:
            if self._stopped.is_set():
                raise failures.StoppedError
            outcome = self._attempt(question)
            if isinstance(outcome, Answer):
                return outcome
            if outcome.is_adapted:
                continue
            n_failed += 1
            if n_failed > self._endpoint.retries.n:
                self._give_up(outcome.reason)
            if outcome.wait_s > self._endpoint.retries.max_wait_s:
                raise failures.CallFailedError(failures.BUSY)
            with self._lock:
                self.counts.repeated[outcome.reason] += 1
            if self._stopped.wait(max(outcome.wait_s, self._endpoint.retries.pause_s(n_failed - 1))):
                raise failures.StoppedError

    def _give_up(self, reason: str) -> None:
        if reason == failures.UNREACHABLE and not self._was_reached:
            raise DomainNerError(
                f"Cannot connect to {shown(self._endpoint.url)}.",
                "Start the server, or correct --llm. Nothing is lost.",
            )
        raise failures.CallFailedError(reason)

    def _attempt(self, question: Question) -> "Answer | _Failed":
        """Make one call within the budget."""
        reserved = self._budget.reserve(question.worst)
        if reserved is None:
            raise failures.CallFailedError(failures.BUDGET)
        used: Tokens | None = None
        try:
            seen = self.dialect.copy()
            response = self._transport.post(seen.body(self._endpoint.model, question))
            self._was_reached = True
            if response.status != OK:
                used = Tokens()  # a refusal costs nothing
                return self._refused(response, seen, question)
            answer = read_answer(response.body, response.headers.get("content-type", ""))
            used = answer.tokens
            return answer
        except TransportError as err:
            used = None if err.was_sent else Tokens()
            return _Failed(err.reason)
        except BrokenAnswerError:
            return _Failed(failures.BROKEN)
        finally:
            self._budget.settle(reserved, used)

    def _refused(self, response: Response, seen: Dialect, question: Question) -> "_Failed":
        problem = read_problem(response.body)
        if problem.is_context or response.status == CONTENT_TOO_LARGE:
            raise failures.CallFailedError(failures.CONTEXT)
        if is_retried(response.status) and not problem.is_quota:
            wait_s = retry_after_s(response.headers.get("retry-after", ""))
            return _Failed(failures.of_status(response.status), wait_s)
        with self._lock:
            if self.dialect.adapt(response.status, problem, seen, question):
                return _Failed("adapted", is_adapted=True)
        raise self._refusal(response.status, problem)

    def _refusal(self, status: int, problem: Problem) -> DomainNerError:
        """The error that ends the run; it quotes nothing but the server's code, whose message may hold key or text."""
        name, model = shown(self._endpoint.url), self._endpoint.model
        code = "" if problem.code in self._endpoint.key else f" ({problem.code})"
        what = f"{name} answered {status}{code}"
        if problem.is_quota:
            return DomainNerError(f"{what}: there is no credit.", "Add credit, and run this again: it goes on.")
        if status in (401, 403):
            given = "with the key that it was given" if self._endpoint.key else "and no key was given"
            return DomainNerError(f"{what}, {given}.", f"Set {OWN_KEY} to a key for this server and model.")
        if status == 404:
            return DomainNerError(
                f"{what}: it does not know this path, or the model {model!r}.",
                "Correct --llm (the path of the API, such as /v1) or --model.",
            )
        if 300 <= status <= 399:
            return DomainNerError(f"{what}: it is elsewhere.", "Give the URL that it redirects to with --llm.")
        return DomainNerError(
            f"{what} to a request for the model {model!r}.", "Look into the server's log, and correct --model or --llm."
        )


@dataclass(frozen=True)
class _Failed:
    """An attempt without an answer. wait_s: the pause that the server asks for. is_adapted: try at once, otherwise."""

    reason: str
    wait_s: float = 0.0
    is_adapted: bool = False
