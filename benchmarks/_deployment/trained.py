"""Trains what `deployment.py` compares with, for one epoch: its scores do not count, its speed does."""

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).parents[2]
sys.path.append(str(ROOT / "benchmarks"))


def stock(project: Path, encoder: Path, output: Path) -> None:
    """spaCy's own pipeline with spacy-transformers, as `spacy init config --gpu` writes it."""
    from _peers.common import Task  # noqa: PLC0415 (peers need torch)
    from _peers.spacy_stock import train  # noqa: PLC0415

    with tempfile.TemporaryDirectory() as work:
        train(Task(project / "corpus", encoder.resolve(), 0, 1e-4, 1, 16, Path(work)))
        shutil.copytree(Path(work) / "model-best", output)


def cnn(project: Path, encoder: Path, output: Path) -> None:
    """The preset `cnn`, trained and optimised by the project's commands. encoder: not used."""
    corpus = project / "corpus"
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        card, config = work / "encoder.json", work / "config.cfg"
        command("fetch-encoder", card, "--encoder", "cnn", "--presets", ROOT / "configs" / "presets.yml")
        command(
            "create-config", ROOT / "configs", config, "--card", card, "--train", corpus / "train.spacy",
            "--tokenizer", corpus / "tokenizer.json", "--epochs", 1,
            "--settings", f"paths.train={corpus / 'train.spacy'} paths.dev={corpus / 'dev.spacy'}",
        )  # fmt: skip
        command("train", config, work, "--card", card)
        fitted = work / "calibrated"
        command("calibrate", work / "model-best", corpus / "dev.spacy", fitted, work / "fit.json", "--threshold", "f1")
        made = ["--runtime", "onnx-int8", "--test", corpus / "test.spacy", "--dev", corpus / "dev.spacy"]
        command("optimize", fitted, output, *made, "--rounds", 0, "--reports", work / "reports")


def command(*words: object) -> None:
    """Run a command of domain-ner."""
    subprocess.run([sys.executable, "-m", "domain_ner", *map(str, words)], check=True, stdout=sys.stderr)


if __name__ == "__main__":
    name, *paths = sys.argv[1:]
    {"stock": stock, "cnn": cnn}[name](*(Path(path).resolve() for path in paths))
