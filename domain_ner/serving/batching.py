"""Joins the texts of all requests that wait into batches, for threads that predict. Knows no HTTP and no spaCy.

A batch takes what is there when a thread is free, up to a number of wordpieces; requests take turns, so that a large
one delays the others little.
"""

import asyncio
import math
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

# Characters of a wordpiece in running text, about; and the two that stand at a text's ends.
CHARACTERS, EDGES = 4, 2
# Texts that a request puts into a batch before it is another's turn.
TURN = 8

Predict = Callable[[Sequence[str]], Sequence[Any]]


class FullError(Exception):
    """Too much waits already. retry_after_s: when there is room again, by estimate."""

    def __init__(self, retry_after_s: float) -> None:
        super().__init__("the queue is full")
        self.retry_after_s = retry_after_s


class ClosedError(Exception):
    """The service ends, and takes no more texts."""


@dataclass(eq=False)
class _Request:
    texts: Sequence[str]
    future: "asyncio.Future[list[Any]]"
    loop: asyncio.AbstractEventLoop
    cost: int
    results: dict[int, Any] = field(default_factory=dict)
    n_taken: int = 0


# Requests with places of their texts, and these.
_Batch = list[tuple[_Request, int, str]]


def n_wordpieces(text: str) -> int:
    """Estimate the wordpieces of a text: exact counts would tokenize it twice."""
    return len(text) // CHARACTERS + EDGES


class Batcher:
    """Runs each of some functions in a thread of its own. predicts: each takes texts, and returns as many results.

    max_wordpieces: of a batch, if it has more than one text. max_wait_s: how long a batch that is not full waits.
    max_queued: wordpieces that wait at most. on_batch: called with the number of texts and the seconds of each batch.
    """

    def __init__(
        self,
        predicts: Sequence[Predict],
        *,
        max_wordpieces: int,
        max_wait_s: float = 0.0,
        max_queued: int,
        on_batch: Callable[[int, float], None] = lambda n_texts, seconds: None,
    ) -> None:
        self._on_batch = on_batch
        self._max_wordpieces, self._max_wait_s, self._max_queued = max_wordpieces, max_wait_s, max_queued
        self._changed = threading.Condition()
        self._requests: deque[_Request] = deque()
        self._n_queued = 0
        self._is_closed = False
        self._per_s = 2000.0 * len(predicts)  # wordpieces, until measured
        self._threads = [threading.Thread(target=self._run, args=(predict,), daemon=True) for predict in predicts]
        self._busy_since = dict.fromkeys(self._threads, math.inf)

    def start(self) -> None:
        """Start the threads."""
        for thread in self._threads:
            thread.start()

    def close(self) -> None:
        """Take no more texts, finish those that were taken, and end the threads."""
        with self._changed:
            self._is_closed = True
            self._changed.notify_all()
        for thread in self._threads:
            if thread.is_alive():
                thread.join()

    @property
    def n_queued(self) -> int:
        """Wordpieces that wait, by estimate."""
        return self._n_queued

    def stuck_s(self) -> float:
        """Seconds that the slowest batch takes already; infinite if a thread is gone."""
        if not all(thread.is_alive() for thread in self._threads):
            return math.inf
        return max(0.0, time.monotonic() - min(self._busy_since.values()))

    async def extract(self, texts: Sequence[str]) -> list[Any]:
        """Return the results of these texts.

        Raises FullError when too much waits, unless nothing does; ClosedError once the service ends. What `predict`
        raises is raised here. When cancelled, texts that are not taken yet are dropped.
        """
        if not texts:
            return []
        loop = asyncio.get_running_loop()
        request = _Request(texts, loop.create_future(), loop, sum(map(n_wordpieces, texts)))
        with self._changed:
            if self._is_closed:
                raise ClosedError
            if self._n_queued and self._n_queued + request.cost > self._max_queued:
                raise FullError(self._n_queued / self._per_s)
            self._requests.append(request)
            self._n_queued += request.cost
            self._changed.notify()
        try:
            return await request.future
        except asyncio.CancelledError:
            self._drop(request)
            raise

    def _drop(self, request: _Request) -> None:
        with self._changed:
            if request in self._requests:
                self._requests.remove(request)
                self._n_queued -= sum(map(n_wordpieces, request.texts[request.n_taken :]))

    def _run(self, predict: Predict) -> None:
        this = threading.current_thread()
        while True:
            with self._changed:
                while not self._requests and not self._is_closed:
                    self._changed.wait()
                if not self._requests:
                    return
                if self._max_wait_s and self._n_queued < self._max_wordpieces and not self._is_closed:
                    self._changed.wait_for(self._is_full, self._max_wait_s)
                batch = self._take()
            self._busy_since[this] = time.monotonic()
            if batch:
                self._work(predict, batch)
            self._busy_since[this] = math.inf

    def _is_full(self) -> bool:
        return self._is_closed or self._n_queued >= self._max_wordpieces

    def _take(self) -> "_Batch":
        """Take texts from the requests in turn, until the batch is full."""
        batch: _Batch = []
        n_taken = 0
        while self._requests:
            request = self._requests.popleft()
            for text in request.texts[request.n_taken : request.n_taken + TURN]:
                cost = n_wordpieces(text)
                if batch and n_taken + cost > self._max_wordpieces:
                    self._requests.appendleft(request)
                    return batch
                batch.append((request, request.n_taken, text))
                n_taken += cost
                self._n_queued -= cost
                request.n_taken += 1
            if request.n_taken < len(request.texts):
                self._requests.append(request)
        return batch

    def _work(self, predict: Predict, batch: "_Batch") -> None:
        begun = time.monotonic()
        try:
            results = predict([text for _, _, text in batch])
            if len(results) != len(batch):
                raise RuntimeError(f"{len(results)} results for {len(batch)} texts")
        except BaseException as err:
            self._deliver({id(request): request for request, _, _ in batch}.values(), err)
            return
        seconds = time.monotonic() - begun
        n_done = sum(n_wordpieces(text) for _, _, text in batch)
        done: dict[int, _Request] = {}
        with self._changed:
            self._per_s += 0.1 * (len(self._threads) * n_done / max(seconds, 1e-6) - self._per_s)
            for (request, place, _), result in zip(batch, results, strict=True):
                request.results[place] = result
                if len(request.results) == len(request.texts):
                    done[id(request)] = request
        self._on_batch(len(batch), seconds)
        self._deliver(done.values(), None)

    def _deliver(self, requests: Any, err: BaseException | None) -> None:
        """Hand results over to the event loops, with one call for each."""
        by_loop: dict[asyncio.AbstractEventLoop, list[_Request]] = {}
        for request in requests:
            if err is not None:
                self._drop(request)
            by_loop.setdefault(request.loop, []).append(request)
        for loop, some in by_loop.items():
            if not loop.is_closed():
                loop.call_soon_threadsafe(_finish, some, err)


def _finish(requests: Sequence[_Request], err: BaseException | None) -> None:
    for request in requests:
        if request.future.done():
            continue
        if err is None:
            request.future.set_result([request.results[place] for place in range(len(request.texts))])
        else:
            request.future.set_exception(err if isinstance(err, Exception) else RuntimeError(type(err).__name__))
