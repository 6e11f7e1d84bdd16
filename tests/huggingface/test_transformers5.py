"""What is exported with transformers 4.53 loads in transformers 5, and gives the same there."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from tiny_encoders import CLASSES
from tiny_pipelines import SENTENCES, saved
from tiny_taggers import logits_of
from transformers import pipeline

from domain_ner.evaluation.predicting import load_pipeline
from domain_ner.huggingface.distilling import settings_of
from domain_ner.huggingface.exporting import Parts, export

TEXTS = [text for text, _ in SENTENCES] + [
    "  Größe 日本語: MAX_POOL_SIZE=5, Redis's",
    " ".join(t for t, _ in SENTENCES) * 2,
]
SCRIPT = """
import json, sys, torch, transformers
from transformers import AutoModelForTokenClassification, AutoTokenizer, pipeline

folders, texts = json.load(sys.stdin)
found = {"version": transformers.__version__, "logits": [], "entities": []}
for folder in folders:
    model = AutoModelForTokenClassification.from_pretrained(folder).eval()
    tokenizer = AutoTokenizer.from_pretrained(folder)
    tagger = pipeline("token-classification", model=folder, aggregation_strategy="first", stride=8)
    for text in texts:
        with torch.no_grad():
            logits = model(**tokenizer(text, return_tensors="pt")).logits[0, 1:-1]
        found["logits"].append(logits.tolist())
        found["entities"].append([(group["start"], group["end"], group["entity_group"]) for group in tagger(text)])
json.dump(found, sys.stdout)
"""
pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def newer(tmp_path_factory):
    """A Python with transformers 5, and everything else from here."""
    room = tmp_path_factory.mktemp("transformers5") / "venv"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", room], check=True)
    python = room / ("Scripts" if sys.platform == "win32" else "bin") / "python"
    pip = [sys.executable, "-m", "pip", "--python", python, "install", "--quiet", "--no-compile"]
    subprocess.run([*pip, "transformers>=5,<6"], check=True)
    asked = [python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))"]
    own = subprocess.run(asked, capture_output=True, text=True, check=True).stdout.strip()
    here = [path for path in sys.path if "site-packages" in path]
    Path(own, "here.pth").write_text("\n".join(here), encoding="utf8")  # read after its own packages
    return python


def test_exported_models_give_the_same_in_transformers_5(newer, tiny_encoder, tmp_path):
    folders = []
    for family in CLASSES:
        model, _ = saved(tiny_encoder(family), tmp_path / family)
        parts = Parts.of(load_pipeline(model))
        docs = [parts.nlp.make_doc(text) for text, _ in SENTENCES]
        folders.append(str(tmp_path / family / "exported"))
        settings = settings_of(parts.nlp, epochs=0, seed=0)
        export(parts, docs, tmp_path / family / "exported", settings, watched=unwatched)
    ran = subprocess.run(
        [newer, "-c", SCRIPT], input=json.dumps([folders, TEXTS]), capture_output=True, text=True, check=False
    )
    assert ran.returncode == 0, ran.stderr
    found = json.loads(ran.stdout)
    assert found["version"].startswith("5.")
    pairs = [(folder, text) for folder in folders for text in TEXTS]
    for (folder, text), logits, entities in zip(pairs, found["logits"], found["entities"], strict=True):
        expected, _ = logits_of(folder, text)
        np.testing.assert_allclose(np.array(logits), expected.numpy(), atol=1e-3, err_msg=f"{folder}: {text}")
        own = pipeline("token-classification", model=folder, aggregation_strategy="first", stride=8)(text)
        assert [tuple(entity) for entity in entities] == [(g["start"], g["end"], g["entity_group"]) for g in own]


def unwatched(name, total):
    from contextlib import nullcontext

    return nullcontext(lambda: None)
