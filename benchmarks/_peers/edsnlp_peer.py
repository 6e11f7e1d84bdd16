"""EDS-NLP: a CRF over a convolution over the encoder, as its tutorial trains a recogniser."""

from collections.abc import Sequence
from math import ceil

import edsnlp
import edsnlp.pipes as eds
import torch
from edsnlp.training import ScheduledOptimizer, TrainingData
from edsnlp.training import train as train_pipeline
from spacy.tokens import Doc, Span

from _peers.common import Clock, Sentence, Task, Trained, span_tags

GOLD = "gold_spans"


def train(task: Task) -> Trained:
    """Train; the model of the last step predicts, as is its default."""
    encoder = eds.transformer(model=str(task.encoder), window=128, stride=96)
    nlp = edsnlp.blank("eds")
    nlp.add_pipe(
        eds.ner_crf(
            mode="joint",
            target_span_getter=GOLD,
            span_setter=["ents"],
            embedding=eds.text_cnn(kernel_sizes=[3], embedding=encoder),
        ),
        name="ner",
    )

    def to_doc(sentence: Sentence) -> Doc:
        doc = Doc(nlp.vocab, words=sentence.words)
        doc.spans[GOLD] = [Span(doc, start, end, label=label) for start, end, label in sentence.spans]
        return doc

    docs = [to_doc(one) for one in task.read("train")]
    n_steps = task.epochs * ceil(len(docs) / task.batch)
    rates = {"@schedules": "linear", "warmup_rate": 0.1}
    optimizer = ScheduledOptimizer(
        optim=torch.optim.AdamW,
        module=nlp,
        total_steps=n_steps,
        groups={
            "ner[.]embedding[.]embedding": {"lr": rates | {"start_value": 0.0, "max_value": task.learning_rate}},
            ".*": {"lr": rates | {"start_value": 3e-4, "max_value": 3e-4}},
        },
    )
    data = TrainingData(edsnlp.data.from_iterable(docs), f"{task.batch} docs", "dataset", pipe_names=["ner"])
    clock = Clock()
    with clock.running():
        train_pipeline(
            nlp=nlp,
            train_data=data,
            max_steps=n_steps,
            validation_interval=n_steps,
            seed=task.seed,
            optimizer=optimizer,
            grad_max_norm=1.0,
            cpu=True,
            output_dir=task.work / "edsnlp",
            save_model=False,
            logger=False,
        )

    def predict(sentences: Sequence[Sentence]) -> list[list[str]]:
        found = nlp.pipe([Doc(nlp.vocab, words=one.words) for one in sentences])
        return [span_tags(len(doc), [(ent.start, ent.end, ent.label_) for ent in doc.ents]) for doc in found]

    return Trained(predict, clock, task.n_words)
