"""SpanMarker with its own Trainer."""

from collections.abc import Sequence

from datasets import Dataset
from span_marker import SpanMarkerModel, Trainer
from transformers import TrainingArguments, set_seed

from _peers.common import Clock, Sentence, Task, Trained, span_tags
from _peers.hf_trainer import StepClock


def train(task: Task) -> Trained:
    """Train; the model of the last epoch predicts, as in its documentation."""
    set_seed(task.seed)
    tags = task.tags

    def dataset(split: str) -> Dataset:
        rows = [{"tokens": one.words, "ner_tags": [tags.index(tag) if tag in tags else 0 for tag in one.tags]}
                for one in task.read(split)]  # fmt: skip
        return Dataset.from_list(rows)

    model = SpanMarkerModel.from_pretrained(str(task.encoder), labels=tags, model_max_length=256, entity_max_length=8)
    clock = Clock()
    settings = TrainingArguments(
        output_dir=str(task.work / "span_marker"),
        per_device_train_batch_size=task.batch,
        learning_rate=task.learning_rate,
        num_train_epochs=task.epochs,
        warmup_ratio=0.1,
        seed=task.seed,
        save_strategy="no",
        report_to=[],
        disable_tqdm=True,
        use_cpu=True,
    )
    trainer = Trainer(model=model, args=settings, train_dataset=dataset("train"), callbacks=[StepClock(clock)])
    trainer.train()

    def predict(sentences: Sequence[Sentence]) -> list[list[str]]:
        found = model.predict([one.words for one in sentences], batch_size=32)
        return [
            span_tags(
                len(one.words), [(span["word_start_index"], span["word_end_index"], span["label"]) for span in spans]
            )
            for one, spans in zip(sentences, found, strict=True)
        ]

    return Trained(predict, clock, task.n_words)
