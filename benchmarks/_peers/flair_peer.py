"""flair: a SequenceTagger on a fine-tuned encoder, as its documentation recommends (no CRF, no recurrent layer)."""

from collections.abc import Sequence
from typing import Any

import flair
from flair.data import Corpus
from flair.data import Sentence as FlairSentence
from flair.embeddings import TransformerWordEmbeddings
from flair.models import SequenceTagger
from flair.trainers import ModelTrainer

from _peers.common import Clock, Sentence, Task, Trained, span_tags


def train(task: Task) -> Trained:
    """Train with `fine_tune`; the last model predicts, as is its default."""
    flair.set_seed(task.seed)
    splits = {split: [to_flair(one) for one in task.read(split)] for split in ("train", "dev", "test")}
    corpus = Corpus(train=splits["train"], dev=splits["dev"], test=splits["test"], sample_missing_splits=False)
    labels = corpus.make_label_dictionary("ner", add_unk=False)
    embeddings = TransformerWordEmbeddings(
        str(task.encoder), layers="-1", subtoken_pooling="first", fine_tune=True, use_context=False
    )
    tagger = SequenceTagger(
        hidden_size=256, embeddings=embeddings, tag_dictionary=labels, tag_type="ner", use_crf=False, use_rnn=False,
        reproject_embeddings=False,
    )  # fmt: skip
    clock = Clock()
    tagger.forward_loss = clock.timed(tagger.forward_loss)
    trainer = Timed(tagger, corpus)
    trainer.clock = clock
    trainer.fine_tune(
        task.work / "flair", learning_rate=task.learning_rate, mini_batch_size=task.batch, max_epochs=task.epochs
    )

    def predict(sentences: Sequence[Sentence]) -> list[list[str]]:
        given = [FlairSentence(one.words, use_tokenizer=False) for one in sentences]
        tagger.predict(given, mini_batch_size=32)
        return [
            span_tags(len(one), [(span[0].idx - 1, span[-1].idx, span.tag) for span in one.get_spans("ner")])
            for one in given
        ]

    return Trained(predict, clock, task.n_words)


class Timed(ModelTrainer):  # type: ignore[misc]
    """Counts the time of the epochs without their evaluation: from the first batch of an epoch to its last."""

    clock: Clock

    def dispatch(self, event: str, *values: Any, **named: Any) -> None:
        """Called by flair's trainer at each of its events."""
        if event == "before_training_batch":
            self.clock.start()
        if event == "after_training_batch":
            self.clock.stop()
        super().dispatch(event, *values, **named)


def to_flair(sentence: Sentence) -> FlairSentence:
    """A sentence with its entities."""
    made = FlairSentence(sentence.words, use_tokenizer=False)
    for start, end, label in sentence.spans:
        made[start:end].add_label("ner", label)
    return made
