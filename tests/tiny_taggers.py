"""Small token classifiers with random weights, laid out as checkpoints are."""

from pathlib import Path

import torch
from transformers import AutoModelForTokenClassification, AutoTokenizer

WORDS = "Ask the Payments squad about Redis and the checkout gateway in Paris today"


def build_tagger(encoder: Path, folder: Path, labels: list[str], *, seed: int = 0, spread: float = 1.0) -> Path:
    """Write a classifier with these labels on a tiny encoder. spread: of its weights; the more, the surer it is."""
    torch.manual_seed(seed)
    names = {"id2label": dict(enumerate(labels)), "label2id": {label: n for n, label in enumerate(labels)}}
    model = AutoModelForTokenClassification.from_pretrained(encoder, **names)
    with torch.no_grad():
        model.classifier.weight.normal_(std=spread)
        model.classifier.bias.normal_(std=spread)
    model.save_pretrained(folder)
    AutoTokenizer.from_pretrained(encoder, model_max_length=512).save_pretrained(folder)
    return folder


def logits_of(folder: Path, text: str):
    """(logits, offsets) of the wordpieces of a text without special ones, in one pass."""
    model = AutoModelForTokenClassification.from_pretrained(folder).eval()
    encoded = AutoTokenizer.from_pretrained(folder)(
        text, return_offsets_mapping=True, return_special_tokens_mask=True, return_tensors="pt"
    )
    is_piece = encoded.pop("special_tokens_mask")[0] == 0
    offsets = encoded.pop("offset_mapping")[0][is_piece]
    with torch.no_grad():
        return model(**encoded).logits[0][is_piece], offsets.tolist()
