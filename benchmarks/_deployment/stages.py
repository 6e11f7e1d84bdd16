"""Where the time of `nlp.pipe` goes in a pipeline without PyTorch: seconds by stage, on one thread."""

import json
import sys
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from time import perf_counter
from typing import Any

import spacy

from domain_ner.crf_ner.pipe import CRFRecognizer
from domain_ner.onnx_encoder import sessions
from domain_ner.onnx_encoder.wordpieces import WordpieceTokenizer

SESSION, WORDPIECES = "onnxruntime session", "wordpieces"
WORDS, VECTORS, DECODING, WRITING = "spaCy's tokenizer", "windows, pooling, scores", "decoding", "doc.ents"
STAGES = (SESSION, WORDPIECES, VECTORS, DECODING, WRITING, WORDS)
OTHER = "other"


class Stages:
    """Seconds by stage, what runs within another stage counted once."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = defaultdict(float)
        self._open: list[float] = []

    @contextmanager
    def running(self, stage: str) -> Iterator[None]:
        """Count the time within, less that of the stages in it."""
        self._open.append(0.0)
        begun = perf_counter()
        yield
        took = perf_counter() - begun
        self.seconds[stage] += took - self._open.pop()
        if self._open:
            self._open[-1] += took

    def timed(self, stage: str, function: Callable[..., Any]) -> Callable[..., Any]:
        """The same function, its time counted."""

        def call(*arguments: Any, **options: Any) -> Any:
            with self.running(stage):
                return function(*arguments, **options)

        return call


class TimedSession:
    """A session that counts its time."""

    def __init__(self, session: Any, stages: Stages) -> None:
        self.run = stages.timed(SESSION, session.run)


def measure(path: str, texts: Sequence[str]) -> dict[str, dict[str, float]]:
    """Seconds by stage, in batches and one text at a time."""
    stages = Stages()
    start = sessions.start_session
    sessions.start_session = lambda onnx, n: TimedSession(start(onnx, n), stages)  # type: ignore[assignment]
    WordpieceTokenizer.encode = stages.timed(WORDPIECES, WordpieceTokenizer.encode)  # type: ignore[method-assign]
    methods = {"tag_scores": VECTORS, "decode": DECODING, "set_annotations": WRITING}
    for name, stage in methods.items():
        setattr(CRFRecognizer, name, stages.timed(stage, getattr(CRFRecognizer, name)))
    nlp = spacy.load(path)
    nlp.tokenizer = Tokenizer(nlp.tokenizer, stages)
    list(nlp.pipe(texts[:20]))
    seconds = {}
    for name, predict in {"batch": lambda: list(nlp.pipe(texts)), "one": lambda: [nlp(text) for text in texts]}.items():
        stages.seconds.clear()
        begun = perf_counter()
        predict()
        total = perf_counter() - begun
        seconds[name] = dict(stages.seconds) | {OTHER: total - sum(stages.seconds.values())}
    return seconds


class Tokenizer:
    """A tokenizer that counts its time."""

    def __init__(self, tokenizer: Any, stages: Stages) -> None:
        self._call = stages.timed(WORDS, tokenizer)

    def __call__(self, text: str) -> Any:
        return self._call(text)


if __name__ == "__main__":
    print(json.dumps(measure(**json.loads(sys.stdin.read()))))
