"""Whether a GPU trains and predicts what a CPU does, and how fast beside Hugging Face's Trainer.

Without a GPU all of it runs on the CPU, against itself: so the check is known to work before a card is at hand.
"""

import json
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from time import monotonic, sleep
from typing import Any

import spacy
import typer
from _peers.common import SPLITS, Task
from _peers.ours import ROOT, prepare

from domain_ner.commands.main import run_function
from domain_ner.devices import CPU, choose_gpu, use_gpu
from domain_ner.errors import DomainNerError
from domain_ner.files import write_text
from domain_ner.training.checkpoint import PREFIX
from domain_ner.training.run import BEST, UNFINISHED

SYSTEMS = {"crf": "domain-ner", "hf_trainer": "Hugging Face Trainer"}
RATE = 1e-4
KILLED_AFTER = 300.0  # seconds to wait for a checkpoint, at most
# Of the entities of both devices, so many are the same, at least.
SAME = 0.95
Entity = tuple[int, int, int, str]


def main(
    corpus: Path = typer.Argument(Path("corpus"), help="Folder with train, dev and test, each .conll or .spacy."),
    encoder: Path = typer.Option(Path("assets/encoders/minilm"), help="The encoder, in a folder."),
    gpu_id: str = typer.Option(
        "auto", help="-1 for the CPU, a number for that GPU, auto for the first, if there is one."
    ),
    passages: int = typer.Option(0, min=0, help="Passages of each split, at most; 0: all."),
    layers: int = typer.Option(12, min=1, help="Layers of the larger encoder, which has random weights."),
    width: int = typer.Option(768, min=64, help="Width of that, in steps of 64."),
    batch: int = typer.Option(16, min=1, help="Passages in a batch."),
    output: Path = typer.Option(Path("benchmarks/gpu_check.md"), help="The table to write (Markdown)."),
) -> None:
    """Train, kill, resume and predict on a GPU, beside the CPU and a peer; write benchmarks/gpu_check.md."""
    if width % 64:
        raise DomainNerError(f"--width is {width}; expected a multiple of 64.")
    gpu, begun = choose_gpu(gpu_id), monotonic()
    device = card_name(gpu)
    typer.echo(f"device: {device}")
    if gpu != CPU:  # the peer would take all that it sees
        visible = os.environ.get("CUDA_VISIBLE_DEVICES", "")
        os.environ["CUDA_VISIBLE_DEVICES"], gpu = visible.split(",")[gpu] if visible else str(gpu), 0
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        if passages:
            corpus = part(corpus, work / "corpus", passages)
        larger = random_encoder(encoder, work / "random-weights", layers, width)
        timed = {
            (encoder_folder.name, name): run_peer(system, corpus, encoder_folder, batch, gpu)
            for encoder_folder in (encoder, larger)
            for system, name in SYSTEMS.items()
        }
        resumed = kill_and_resume(corpus, encoder, batch, gpu, work / "killed")
        agreed = Agreement.of(*(predicted_apart(resumed.pipeline, corpus, on) for on in (gpu, CPU)))
    lines = [f"{device}; batches of {batch}, one epoch, {monotonic() - begun:.0f} s in all", "", *speed_table(timed)]
    lines += ["", f"Killed (SIGKILL) and resumed after step {resumed.step} of {resumed.n_steps}.", "", agreed.sentence]
    write_text(output, "\n".join(lines) + "\n")
    typer.echo("\n".join(lines))
    if agreed.share < SAME:
        raise DomainNerError(
            f"Only {100 * agreed.share:.1f} % of the entities are the same on both; expected {100 * SAME:.0f} %."
        )


def card_name(gpu: int) -> str:
    """The name of the GPU, or `CPU` and its threads."""
    import torch  # noqa: PLC0415

    return f"CPU, {torch.get_num_threads()} threads" if gpu == CPU else torch.cuda.get_device_name(gpu)


def part(corpus: Path, folder: Path, most: int) -> Path:
    """A corpus of the first passages of each split."""
    folder.mkdir()
    task = Task(corpus, Path(), 0, RATE, 1, 1, folder)
    for split in SPLITS:
        blocks = [
            "\n".join(f"{word}\t{tag}" for word, tag in zip(one.words, one.tags, strict=True))
            for one in task.read(split)[:most]
        ]
        (folder / f"{split}.conll").write_text("\n\n".join(blocks) + "\n", encoding="utf8")
    return folder


def random_encoder(encoder: Path, folder: Path, layers: int, width: int) -> Path:
    """An encoder like another, with its tokenizer, of another size and with random weights."""
    from transformers import AutoConfig, AutoModel, AutoTokenizer, set_seed  # noqa: PLC0415

    set_seed(0)
    size = {"num_hidden_layers": layers, "hidden_size": width, "intermediate_size": 4 * width}
    config = AutoConfig.from_pretrained(encoder, num_attention_heads=width // 64, **size)
    AutoModel.from_config(config).save_pretrained(folder)
    AutoTokenizer.from_pretrained(encoder, use_fast=True).save_pretrained(folder)
    return folder


def run_peer(system: str, corpus: Path, encoder: Path, batch: int, gpu: int) -> dict[str, Any]:
    """Train a system for an epoch, in a process of its own, as `ner_peers.py` does; returns what it measured."""
    task = {"system": system, "corpus": str(corpus), "encoder": str(encoder), "seed": 0, "rate": RATE, "epochs": 1}
    given = json.dumps(task | {"batch": batch, "measured": "speed", "gpu": gpu})
    typer.echo(f"training with {SYSTEMS[system]} on {encoder.name}")
    printed = run_script(ROOT / "benchmarks" / "ner_peers.py", ".", "--run-one", given)
    measured: dict[str, Any] = json.loads(printed.splitlines()[-1])
    return measured


@dataclass(frozen=True)
class Resumed:
    """A training that was killed. step: after which it was resumed; n_steps: in all. pipeline: folder of the best."""

    step: int
    n_steps: int
    pipeline: Path


def kill_and_resume(corpus: Path, encoder: Path, batch: int, gpu: int, work: Path) -> Resumed:
    """Train by the project's command, kill it (SIGKILL) behind a checkpoint, and run the same command again.

    Raises DomainNerError if no checkpoint comes, or if the second run starts anew.
    """
    work.mkdir()
    task = Task(corpus, encoder, 0, RATE, 2, batch, work, gpu)
    config, output = prepare(task, "crf"), work / "training"
    options = ["--card", work / "encoder.json", "--resume", "--checkpoint-every", 0.1, "--gpu-id", gpu]
    arguments = [ROOT / "scripts" / "train_model.py", config, output, *options]
    typer.echo("training, to be killed")
    with started(*arguments) as process:
        waited = monotonic()
        while not list((output / UNFINISHED).glob(f"{PREFIX}*")):
            if process.poll() is not None or monotonic() - waited > KILLED_AFTER:
                raise DomainNerError("The training ended, or took too long, before its first checkpoint.")
            sleep(0.05)
        os.kill(process.pid, signal.SIGKILL)
    typer.echo("training, to be resumed")
    printed = run_script(*arguments)
    told = [line for line in printed.splitlines() if "Resuming the interrupted run after step" in line]
    if not told:
        raise DomainNerError(f"The killed training was not resumed. It printed:\n{printed[-2000:]}")
    rows = output.glob("reports/training.jsonl")
    n_steps = max((json.loads(line)["step"] + 1 for path in rows for line in path.open(encoding="utf8")), default=0)
    return Resumed(int(told[0].split()[-1]), n_steps, output / BEST)


@contextmanager
def started(*arguments: object) -> Iterator[subprocess.Popen[bytes]]:
    """A script in a process of its own; killed at the end, in any case."""
    command = [sys.executable, *map(str, arguments)]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def run_script(*arguments: object) -> str:
    """Run a script; returns what it printed. Raises DomainNerError if it fails."""
    ran = subprocess.run([sys.executable, *map(str, arguments)], capture_output=True, text=True, check=False)
    if ran.returncode:
        raise DomainNerError(f"{arguments[0]} ended with {ran.returncode}:\n{(ran.stdout + ran.stderr)[-3000:]}")
    return ran.stdout


def predicted_apart(pipeline: Path, corpus: Path, gpu: int) -> dict[Entity, float]:
    """`predicted` in a process of its own: a process keeps the device that it began with."""
    with get_context("spawn").Pool(1) as pool:
        return pool.apply(predicted, (str(pipeline), str(corpus), gpu))


def predicted(pipeline: str, corpus: str, gpu: int) -> dict[Entity, float]:
    """The entities of the test split, (passage, start, end, type), with their confidences."""
    use_gpu(str(gpu))
    nlp = spacy.load(pipeline)
    texts = [" ".join(one.words) for one in Task(Path(corpus), Path(), 0, RATE, 1, 1, Path()).read("test")]
    return {
        (number, ent.start_char, ent.end_char, ent.label_): ent._.confidence
        for number, doc in enumerate(nlp.pipe(texts))
        for ent in doc.ents
    }


@dataclass(frozen=True)
class Agreement:
    """n_same: entities of both devices; n_all: of either. largest, mean: difference of the confidences of those."""

    n_same: int
    n_all: int
    largest: float
    mean: float

    @classmethod
    def of(cls, ours: Mapping[Entity, float], theirs: Mapping[Entity, float]) -> "Agreement":
        """Compare the entities of two devices."""
        differences = [abs(ours[entity] - theirs[entity]) for entity in ours.keys() & theirs.keys()]
        n_same = len(differences)
        mean = sum(differences) / max(1, n_same)
        return cls(n_same, len(ours.keys() | theirs.keys()), max(differences, default=0.0), mean)

    @property
    def share(self) -> float:
        """Of all entities that either found, those that both found; 1 if there are none."""
        return self.n_same / self.n_all if self.n_all else 1.0

    @property
    def sentence(self) -> str:
        """What the table's reader is told."""
        return (
            f"Predicted on this device and on the CPU: {self.n_same} of {self.n_all} entities are the same."
            f" Their confidences differ by {self.mean:.2g} on average, and by {self.largest:.2g} at most."
        )


def speed_table(timed: Mapping[tuple[str, str], Mapping[str, Any]]) -> Sequence[str]:
    """Lines of a Markdown table. timed: by encoder and system, what `ner_peers.py` measured."""
    figures = ["train_words_s", "predict_words_s", "peak_gb", "peak_gpu_gb", "utilisation"]
    heads = ["training words/s", "words/s when predicting", "peak memory, GB", "of the GPU, GB", "utilisation"]
    lines = [f"| encoder | system | {' | '.join(heads)} |", f"| --- | --- |{' ---: |' * len(heads)}"]
    for (encoder, system), row in timed.items():
        cells = [f"{row[name]:,.0f}" for name in figures[:2]]
        cells += [f"{row[name]:.1f}" if name in row else "" for name in figures[2:4]]
        lines.append(f"| {encoder} | {system} | {' | '.join(cells)} | {100 * row['utilisation']:.0f} % |")
    return lines


if __name__ == "__main__":
    run_function(main, "benchmark-gpu")
