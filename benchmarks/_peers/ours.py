"""domain-ner: config and training loop by its own commands and code; the loop's steps are timed."""

import json
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import spacy
from spacy.tokens import Doc, DocBin, Span
from spacy.training import Example
from spacy.vocab import Vocab
from thinc.api import set_gpu_allocator

from _peers.common import Clock, Sentence, Task, Trained, span_tags
from domain_ner.crf_ner.fitting import fit
from domain_ner.devices import CPU, use_gpu
from domain_ner.encoders.card import EncoderCard
from domain_ner.training import loop, run
from domain_ner.training.checkpoint import Progress

ROOT = Path(__file__).parents[2]


def train(task: Task, head: str) -> Trained:
    """Train with a head of configs/head_*.cfg; the pipeline with the best dev F1 predicts."""
    use_gpu(str(task.gpu))
    if task.gpu != CPU:
        set_gpu_allocator("pytorch")
    clock = Clock(gpu=task.gpu)
    loop._learn = clock.timed(loop._learn)  # type: ignore[assignment]
    nlp = run.initialize(prepare(task, head), gpu=task.gpu)
    run.fix_random_seed(task.seed)
    training, progress, best = loop.resolve(nlp), Progress(), task.work / "best"
    for info in loop.run_steps(nlp, training, progress, on_batch=lambda batch: None):
        if info is not None and progress.best[1] == info["step"]:
            with nlp.use_params(training.optimizer.averages or {}):
                nlp.to_disk(best)
    if head == "crf":
        calibrate(best, task)
    return Trained(predictor(best), clock, progress.n_words)


def calibrate(model: Path, task: Task) -> None:
    """As `calibrate --threshold f1`, the default, does it on dev."""
    nlp = spacy.load(model)
    gold = DocBin().from_disk(task.work / "dev.spacy").get_docs(nlp.vocab)
    fit(
        nlp, [Example(Doc(nlp.vocab, words=[token.text for token in doc]), doc) for doc in gold], "crf_ner", for_f1=True
    )
    nlp.to_disk(model)


def prepare(task: Task, head: str) -> Path:
    """The training config of the task, made by the project's commands."""
    encoders = ["--presets", ROOT / "configs" / "presets.yml", "--encoders", task.work / "encoders"]
    script("fetch_encoder", task.work / "encoder.json", "--encoder", task.encoder, *encoders)
    card = replace(
        EncoderCard.read(task.work / "encoder.json"), learning_rate=task.learning_rate, batch_size=task.batch
    )
    (task.work / "encoder.json").write_text(card.to_json(), encoding="utf8")
    write_corpus(task)
    (task.work / "tokenizer.json").write_text(json.dumps({"splits": [], "normalize": ""}), encoding="utf8")
    config = task.work / "config.cfg"
    data = ["--train", task.work / "train.spacy", "--tokenizer", task.work / "tokenizer.json"]
    own = [f"paths.{split}={task.work / split}.spacy corpora.{split}.gold_preproc=true" for split in ("train", "dev")]
    plan = ["--epochs", task.epochs, "--patience", task.epochs, "--seed", task.seed, "--settings", " ".join(own)]
    plan += ["--gpu-id", task.gpu]
    script(
        "create_config", ROOT / "configs", config, "--card", task.work / "encoder.json", "--head", head, *data, *plan
    )
    return config


def write_corpus(task: Task) -> None:
    """train.spacy and dev.spacy, each sentence a document on the corpus's own words."""
    vocab = Vocab()
    for split in ("train", "dev"):
        docs = DocBin(attrs=["ENT_IOB", "ENT_TYPE", "SENT_START"])
        for sentence in task.read(split):
            starts = [n == 0 for n in range(len(sentence.words))]
            doc = Doc(vocab, words=sentence.words, sent_starts=starts)
            doc.set_ents([Span(doc, start, end, label=label) for start, end, label in sentence.spans])
            docs.add(doc)
        docs.to_disk(task.work / f"{split}.spacy")


def predictor(model: Path) -> Callable[[Sequence[Sentence]], list[list[str]]]:
    """What predicts with a pipeline on disk."""
    nlp = spacy.load(model)

    def predict(sentences: Sequence[Sentence]) -> list[list[str]]:
        docs = nlp.pipe([Doc(nlp.vocab, words=one.words) for one in sentences])
        return [span_tags(len(doc), [(ent.start, ent.end, ent.label_) for ent in doc.ents]) for doc in docs]

    return predict


def script(name: str, *arguments: object) -> None:
    """Run a command of the project."""
    command = [sys.executable, str(ROOT / "scripts" / f"{name}.py"), *map(str, arguments)]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
