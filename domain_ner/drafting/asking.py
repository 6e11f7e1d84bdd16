"""A language model as a source of drafts: several passages are asked at once, and come back in their order."""

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field

from domain_ner.drafting.proposals import Proposals
from domain_ner.llm.extracting import Extraction, Extractor

# Passages that wait for one before them, for each thread.
AHEAD = 8


@dataclass
class LlmSource:
    """Proposes what a language model names.

    The score is the share of its samples that have the span: 1 with one sample.
    n_threads: passages at once. stop: ends the calls of all threads.
    """

    extractor: Extractor
    n_threads: int
    stop: Callable[[], None] = lambda: None
    name: str = field(default="llm", init=False)

    def propose(self, texts: Sequence[str]) -> Iterator[Proposals]:
        """Yield the proposals for each text. An error, or Ctrl-C, ends all calls; what came back is in the cache.

        Raises DomainNerError when no text would get an answer.
        """
        waiting: deque[Future[Extraction]] = deque()
        with ThreadPoolExecutor(self.n_threads, thread_name_prefix="llm") as pool:
            try:
                for text in texts:
                    waiting.append(pool.submit(self.extractor.extract, text))
                    if len(waiting) > AHEAD * self.n_threads:
                        yield _proposals(waiting.popleft().result())
                while waiting:
                    yield _proposals(waiting.popleft().result())
            except BaseException:
                self.stop()
                pool.shutdown(wait=True, cancel_futures=True)
                raise


def _proposals(extraction: Extraction) -> Proposals:
    return Proposals(extraction.scores, extraction.rejected, extraction.failed, extraction.problems)
