"""Hugging Face's Trainer as `run_ner.py` of transformers 4.53 uses it: the first wordpiece of a word has its label."""

from collections.abc import Sequence
from functools import partial
from typing import Any

import numpy as np
from seqeval.metrics import f1_score
from transformers import (
    AutoModelForTokenClassification,
    AutoTokenizer,
    DataCollatorForTokenClassification,
    Trainer,
    TrainerCallback,
    TrainingArguments,
    set_seed,
)

from _peers.common import Clock, Sentence, Task, Trained

IGNORED = -100


class StepClock(TrainerCallback):  # type: ignore[misc]
    """Times the training steps."""

    def __init__(self, clock: Clock) -> None:
        self.clock = clock

    def on_step_begin(self, *_: Any, **__: Any) -> None:
        """Start."""
        self.clock.start()

    def on_step_end(self, *_: Any, **__: Any) -> None:
        """Stop."""
        self.clock.stop()


def train(task: Task) -> Trained:
    """Train with Trainer; the checkpoint with the best dev F1 predicts."""
    set_seed(task.seed)
    tags = task.tags
    tokenizer = AutoTokenizer.from_pretrained(task.encoder, use_fast=True, add_prefix_space=True)
    model = AutoModelForTokenClassification.from_pretrained(
        task.encoder,
        num_labels=len(tags),
        id2label=dict(enumerate(tags)),
        label2id={tag: n for n, tag in enumerate(tags)},
    )

    encode = partial(encoded, tokenizer=tokenizer, tags=tags)

    def score(prediction: Any) -> dict[str, float]:
        found = prediction.predictions.argmax(-1)
        kept = prediction.label_ids != IGNORED
        gold = [[tags[k] for k in row[keep]] for row, keep in zip(prediction.label_ids, kept, strict=True)]
        own = [[tags[k] for k in row[keep]] for row, keep in zip(found, kept, strict=True)]
        return {"f1": f1_score(gold, own)}

    clock = Clock(gpu=task.gpu)
    settings = TrainingArguments(
        output_dir=str(task.work / "hf"),
        per_device_train_batch_size=task.batch,
        per_device_eval_batch_size=32,
        learning_rate=task.learning_rate,
        num_train_epochs=task.epochs,
        seed=task.seed,
        eval_strategy="epoch",
        save_strategy="epoch",
        save_total_limit=1,
        load_best_model_at_end=True,
        metric_for_best_model="f1",
        report_to=[],
        disable_tqdm=True,
        use_cpu=task.gpu < 0,
        bf16=task.gpu >= 0,
    )
    trainer = Trainer(
        model=model,
        args=settings,
        train_dataset=encode(task.read("train")),
        eval_dataset=encode(task.read("dev")),
        processing_class=tokenizer,
        data_collator=DataCollatorForTokenClassification(tokenizer),
        compute_metrics=score,
        callbacks=[StepClock(clock)],
    )
    trainer.train()

    def predict(sentences: Sequence[Sentence]) -> list[list[str]]:
        blind = [Sentence(one.words, ["O"] * len(one.words)) for one in sentences]
        found = trainer.predict(encode(blind))
        best = np.asarray(found.predictions).argmax(-1)
        predicted = []
        for sentence, row, labels in zip(sentences, best, found.label_ids, strict=True):
            known = [tags[k] for k in row[labels != IGNORED]]
            predicted.append(known + ["O"] * (len(sentence.words) - len(known)))  # what was truncated
        return predicted

    return Trained(predict, clock, task.n_words)


def encoded(sentences: Sequence[Sentence], *, tokenizer: Any, tags: Sequence[str]) -> list[dict[str, Any]]:
    """Wordpieces of each sentence, the tag's number at the first of each word."""
    found = tokenizer([one.words for one in sentences], is_split_into_words=True, truncation=True)
    rows = []
    for n, sentence in enumerate(sentences):
        words = found.word_ids(n)
        is_first = [word is not None and (k == 0 or words[k - 1] != word) for k, word in enumerate(words)]
        labels = [
            tags.index(sentence.tags[word]) if first and sentence.tags[word] in tags else IGNORED
            for word, first in zip(words, is_first, strict=True)
        ]
        pieces = {name: found[name][n] for name in ("input_ids", "attention_mask")}
        rows.append(pieces | {"labels": labels})
    return rows
