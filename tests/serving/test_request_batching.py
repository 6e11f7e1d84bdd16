"""Texts of all requests are joined into batches, and come back to those that sent them."""

import asyncio
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from domain_ner.serving.batching import TURN, Batcher, ClosedError, FullError, n_wordpieces


class Recorder:
    """Predicts the length of each text; remembers the batches. gate: a batch waits until it is open."""

    def __init__(self, *, is_open=True):
        self.batches = []
        self.gate = threading.Event()
        self.began = threading.Event()
        if is_open:
            self.gate.set()

    def __call__(self, texts):
        self.batches.append(list(texts))
        self.began.set()
        self.gate.wait(10)
        if "bad" in texts:
            raise ValueError("bad")
        return [len(text) for text in texts]


def run(coroutine):
    """Run it to its end, in a thread of its own: this one may have a loop already (Playwright's)."""
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(asyncio.run, coroutine).result()


def batcher(predict, **limits):
    started = Batcher([predict], **{"max_wordpieces": 1000, "max_queued": 10_000, **limits})
    started.start()
    return started


async def first_then(joined, predict, first, *others):
    """Send the others while the first is predicted; returns all results."""
    tasks = [asyncio.create_task(joined.extract(first))]
    while not predict.began.is_set():
        await asyncio.sleep(0.001)
    tasks += [asyncio.create_task(joined.extract(texts)) for texts in others]
    await asyncio.sleep(0.02)
    predict.gate.set()
    return await asyncio.gather(*tasks, return_exceptions=True)


def test_requests_that_wait_are_predicted_together_and_each_gets_its_own():
    predict = Recorder(is_open=False)
    joined = batcher(predict)
    assert run(first_then(joined, predict, ["a"], ["bb", "ccc"], ["dddd"])) == [[1], [2, 3], [4]]
    assert predict.batches == [["a"], ["bb", "ccc", "dddd"]]
    joined.close()


def test_a_batch_has_at_most_so_many_wordpieces_unless_a_text_alone_has_more():
    predict = Recorder(is_open=False)
    joined = batcher(predict, max_wordpieces=20)
    texts = ["x" * 40] * 4 + ["y" * 400] + ["z"]
    run(first_then(joined, predict, ["a"], texts))
    assert [text for batch in predict.batches[1:] for text in batch] == texts
    assert all(len(batch) == 1 or sum(map(n_wordpieces, batch)) <= 20 for batch in predict.batches)
    joined.close()


def test_a_large_request_lets_a_small_one_through():
    predict = Recorder(is_open=False)
    joined = batcher(predict, max_wordpieces=n_wordpieces("x") * (TURN + 2))
    run(first_then(joined, predict, ["a"], ["x"] * 100, ["small"]))
    assert "small" in predict.batches[1]
    joined.close()


def test_too_much_is_refused_with_the_seconds_until_there_is_room():
    predict = Recorder(is_open=False)
    joined = batcher(predict, max_queued=30)
    results = run(first_then(joined, predict, ["a"], ["x" * 80], ["y" * 80]))
    assert results[:2] == [[1], [80]] and isinstance(results[2], FullError) and results[2].retry_after_s > 0
    assert joined.n_queued == 0
    joined.close()


def test_a_request_of_more_than_the_queue_holds_is_taken_when_nothing_waits():
    joined = batcher(Recorder(), max_queued=1)
    assert run(joined.extract(["x" * 80])) == [80]
    joined.close()


def test_an_error_reaches_those_of_the_batch_and_the_next_batch_is_predicted():
    predict = Recorder(is_open=False)
    joined = batcher(predict)
    results = run(first_then(joined, predict, ["a"], ["bad"], ["with it"]))
    assert results[0] == [1] and [type(result) for result in results[1:]] == [ValueError, ValueError]
    assert run(joined.extract(["fine"])) == [4] and joined.n_queued == 0
    joined.close()


def test_a_cancelled_request_leaves_the_queue():
    predict = Recorder(is_open=False)
    joined = batcher(predict)

    async def cancel():
        first = asyncio.create_task(joined.extract(["a"]))
        while not predict.began.is_set():
            await asyncio.sleep(0.001)
        second = asyncio.create_task(joined.extract(["bb"]))
        await asyncio.sleep(0.01)
        second.cancel()
        await asyncio.sleep(0.01)
        assert joined.n_queued == 0
        predict.gate.set()
        return await first

    assert run(cancel()) == [1] and predict.batches == [["a"]]
    joined.close()


def test_closing_answers_what_was_taken_and_takes_no_more():
    predict = Recorder(is_open=False)
    joined = batcher(predict)

    async def close():
        tasks = [asyncio.create_task(joined.extract(["x" * n])) for n in range(1, 5)]
        await asyncio.sleep(0.02)
        closing = asyncio.create_task(asyncio.to_thread(joined.close))
        await asyncio.sleep(0.02)
        with pytest.raises(ClosedError):
            await joined.extract(["late"])
        predict.gate.set()
        await closing
        return await asyncio.gather(*tasks)

    assert run(close()) == [[1], [2], [3], [4]]
    assert joined.stuck_s() == float("inf")


def test_a_batch_that_is_not_full_waits_for_more():
    predict = Recorder()
    joined = batcher(predict, max_wait_s=0.2)

    async def send():
        first = asyncio.create_task(joined.extract(["a"]))
        await asyncio.sleep(0.03)
        return await asyncio.gather(first, joined.extract(["bb"]))

    assert run(send()) == [[1], [2]] and predict.batches == [["a", "bb"]]
    joined.close()


def test_no_texts_are_answered_at_once():
    joined = batcher(Recorder())
    assert run(joined.extract([])) == []
    joined.close()
