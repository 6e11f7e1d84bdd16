"""What the systems share: a task, tagged sentences, and how F1, speed and memory are taken."""

import resource
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
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

    learning_rate: of the encoder. work: an empty folder for what the system writes.
    """

    corpus: Path
    encoder: Path
    seed: int
    learning_rate: float
    epochs: int
    batch: int
    work: Path

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
    """Seconds spent in training steps alone: no evaluation, no saving, no start."""

    seconds: float = 0.0
    begun: float = 0.0

    def start(self) -> None:
        """A step begins."""
        self.begun = default_timer()

    def stop(self) -> None:
        """A step has ended."""
        self.seconds += default_timer() - self.begun

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
    """Words a second, in training steps and when predicting the test split; peak memory of this process in GB."""
    test = task.read("test")
    begun = default_timer()
    trained.predict(test)
    return {
        "train_words_s": trained.n_words / trained.clock.seconds,
        "predict_words_s": sum(len(one.words) for one in test) / (default_timer() - begun),
        "peak_gb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024**2,
    }
