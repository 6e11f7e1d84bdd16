"""What the systems share: a task, tagged sentences, and how F1, speed and memory are taken."""

import os
import resource
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from threading import Thread
from timeit import default_timer

SPLITS = ("train", "dev", "test")


@dataclass(frozen=True)
class Sentence:
    """words, and an IOB2 tag for each."""

    words: list[str]
    tags: list[str]

    @property
    def spans(self) -> list[tuple[int, int, str]]:
        """Entities: first word, the word after the last, label."""
        spans, start = [], None
        for n, tag in enumerate([*self.tags, "O"]):
            if start is not None and not tag.startswith("I-"):
                spans.append((start, n, self.tags[start][2:]))
                start = None
            if tag.startswith("B-"):
                start = n
        return spans


@dataclass(frozen=True)
class Task:
    """A corpus folder with train, dev and test (.conll or .spacy), an encoder folder, and how to train on them.

    learning_rate: of the encoder. work: an empty folder for what the system writes. gpu: its number, or -1 for the CPU.
    """

    corpus: Path
    encoder: Path
    seed: int
    learning_rate: float
    epochs: int
    batch: int
    work: Path
    gpu: int = -1

    def read(self, split: str) -> list[Sentence]:
        """The sentences of a split."""
        path = self.corpus / f"{split}.conll"
        return read_conll(path) if path.is_file() else read_docbin(path.with_suffix(".spacy"))

    @property
    def tags(self) -> list[str]:
        """O, and B and I of the entity types of the training split."""
        labels = sorted({tag[2:] for sentence in self.read("train") for tag in sentence.tags if tag != "O"})
        return ["O", *(f"{kind}-{label}" for label in labels for kind in "BI")]

    @property
    def n_words(self) -> int:
        """Words of the training split, times the epochs."""
        return self.epochs * sum(len(one.words) for one in self.read("train"))


@dataclass
class Clock:
    """Seconds spent in training steps alone: no evaluation, no saving, no start.

    cpu_seconds: of all threads, in them. gpu: if given, its use in them is sampled. samples: its utilisation in per
    cent, and its memory in use in GB.
    """

    seconds: float = 0.0
    begun: float = 0.0
    cpu_seconds: float = 0.0
    cpu_begun: float = 0.0
    gpu: int = -1
    is_running: bool = False
    samples: list[tuple[float, float]] = field(default_factory=list)

    def __post_init__(self) -> None:
        if self.gpu >= 0:
            Thread(target=self._watch, daemon=True).start()

    def start(self) -> None:
        """A step begins."""
        self.begun, self.cpu_begun, self.is_running = default_timer(), time.process_time(), True

    def stop(self) -> None:
        """A step has ended."""
        self.seconds += default_timer() - self.begun
        self.cpu_seconds += time.process_time() - self.cpu_begun
        self.is_running = False

    @property
    def utilisation(self) -> float:
        """The share of the GPU, or of the processors, that steps used."""
        if self.samples:
            return sum(used for used, _ in self.samples) / len(self.samples) / 100
        return self.cpu_seconds / self.seconds / (os.cpu_count() or 1)

    def _watch(self) -> None:
        number = os.environ.get("CUDA_VISIBLE_DEVICES", str(self.gpu)).split(",")[self.gpu]
        query = ["nvidia-smi", f"--id={number}", "--query-gpu=utilization.gpu,memory.used"]
        while True:
            if self.is_running:
                told = subprocess.run(
                    [*query, "--format=csv,noheader,nounits"], capture_output=True, text=True, check=True
                )
                used, memory = map(float, told.stdout.split(","))
                self.samples.append((used, memory / 1024))
            time.sleep(0.2)

    @contextmanager
    def running(self) -> Iterator[None]:
        """Count the time within."""
        self.start()
        yield
        self.stop()

    def timed(self, function: Callable[..., object]) -> Callable[..., object]:
        """The same function, its time counted."""

        def call(*arguments: object, **options: object) -> object:
            with self.running():
                return function(*arguments, **options)

        return call


@dataclass(frozen=True)
class Trained:
    """A trained system. predict: IOB2 tags of sentences, in order. n_words: that it was trained on, over all epochs."""

    predict: Callable[[Sequence[Sentence]], list[list[str]]]
    clock: Clock
    n_words: int
    notes: dict[str, object] = field(default_factory=dict)


def read_conll(path: Path) -> list[Sentence]:
    """Sentences of a file of words and tags, a tab between them and an empty line between sentences."""
    sentences = []
    for block in path.read_text(encoding="utf8").split("\n\n"):
        rows = [line.split("\t") for line in block.split("\n") if line]
        if rows:
            sentences.append(Sentence([row[0] for row in rows], [row[-1] for row in rows]))
    return sentences


def read_docbin(path: Path) -> list[Sentence]:
    """The passages of a corpus of `convert`; tokens of white space are left out, as no peer takes them."""
    import spacy  # noqa: PLC0415
    from spacy.tokens import DocBin  # noqa: PLC0415

    sentences = []
    for doc in DocBin().from_disk(path).get_docs(spacy.blank("en").vocab):
        kept = [token for token in doc if not token.is_space]
        tags = [f"{token.ent_iob_}-{token.ent_type_}" if token.ent_type_ else "O" for token in kept]
        sentences.append(Sentence([token.text for token in kept], tags))
    return sentences


def span_tags(n_words: int, spans: Sequence[tuple[int, int, str]]) -> list[str]:
    """IOB2 tags of spans (start, end exclusive, label)."""
    tags = ["O"] * n_words
    for start, end, label in spans:
        tags[start:end] = [f"B-{label}", *[f"I-{label}"] * (end - start - 1)]
    return tags


def f1_scores(trained: Trained, task: Task) -> dict[str, object]:
    """F1 on dev and test (seqeval, on the corpus's own words)."""
    from seqeval.metrics import f1_score  # noqa: PLC0415

    found: dict[str, object] = {}
    for split in ("dev", "test"):
        sentences = task.read(split)
        found[f"f1_{split}"] = f1_score([one.tags for one in sentences], trained.predict(sentences))
    return found | trained.notes


def speed(trained: Trained, task: Task) -> dict[str, object]:
    """Words a second, in training steps and when predicting the test split; peak memory of this process, and of the
    GPU, in GB; utilisation in training steps.
    """
    test = task.read("test")
    on_gpu = {"peak_gpu_gb": max(memory for _, memory in trained.clock.samples)} if trained.clock.samples else {}
    begun = default_timer()
    trained.predict(test)
    return on_gpu | {
        "train_words_s": trained.n_words / trained.clock.seconds,
        "predict_words_s": sum(len(one.words) for one in test) / (default_timer() - begun),
        "peak_gb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024**2,
        "utilisation": trained.clock.utilisation,
    }
