"""Makes what `deployment.py` compares with. It is hardly trained: its scores do not count, its speed does."""

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import spacy

from domain_ner.commands.console import watched
from domain_ner.evaluation.optimized import make
from domain_ner.evaluation.predicting import input_doc, load_pipeline, read_docs
from domain_ner.huggingface.distilling import settings_of
from domain_ner.huggingface.exporting import Parts, export
from domain_ner.training.saving import save

ROOT = Path(__file__).parents[2]
sys.path.append(str(ROOT / "benchmarks"))
N_SENTENCES = 400


def stock(project: Path, encoder: Path, output: Path) -> None:
    """spaCy's own pipeline with spacy-transformers, as `spacy init config --gpu` writes it."""
    from _peers.common import Sentence, Task  # noqa: PLC0415 (found by the path above)
    from _peers.spacy_stock import train  # noqa: PLC0415

    class Short(Task):
        """The first sentences of a corpus."""

        def read(self, split: str) -> list[Sentence]:
            return super().read(split)[:N_SENTENCES]

    with tempfile.TemporaryDirectory() as work:
        train(Short(project / "corpus", encoder, 0, 1e-4, 1, 16, Path(work)))
        shutil.copytree(Path(work) / "model-best", output)


def transformers(project: Path, encoder: Path, output: Path) -> None:
    """The project's pipeline as a token classifier, its encoder as it is. encoder: not used."""
    nlp = load_pipeline(project / "training" / "model-calibrated")
    docs = [input_doc(nlp, doc) for doc in read_docs(project / "corpus" / "dev.spacy", nlp.vocab)[:N_SENTENCES]]
    export(Parts.of(nlp), docs, output, settings_of(nlp, epochs=0, seed=0), watched=watched)


def cnn(project: Path, encoder: Path, output: Path) -> None:
    """The preset `cnn`, trained for one epoch by the project's commands, and optimised. encoder: not used."""
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
        save(make(work / "model-best", "onnx-int8", say=print), output)


def command(*words: object) -> None:
    """Run a command of domain-ner."""
    subprocess.run([sys.executable, "-m", "domain_ner", *map(str, words)], check=True, stdout=sys.stderr)


if __name__ == "__main__":
    name, *paths = sys.argv[1:]
    spacy.util.fix_random_seed(0)
    {"stock": stock, "transformers": transformers, "cnn": cnn}[name](*(Path(path).resolve() for path in paths))
