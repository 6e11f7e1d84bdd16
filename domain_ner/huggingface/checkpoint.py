"""Loads a token classifier of transformers: its encoder, what is on top of it, and its labels."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from transformers import AutoConfig, AutoModelForTokenClassification, AutoTokenizer
from transformers.utils import logging

from domain_ner.encoders.card import make_card
from domain_ner.encoders.fetch import fetch_encoder
from domain_ner.encoders.presets import HUB_ID, Preset
from domain_ner.errors import DomainNerError
from domain_ner.huggingface.tagger import Tagger, find_parts, require_linear
from domain_ner.transformer.shim import plain


@dataclass(frozen=True)
class Checkpoint:
    """tagger: the model. labels: of the classifier's rows. max_length: longest window in wordpieces. name: as given."""

    tagger: Tagger
    labels: list[str]
    max_length: int
    name: str
    folder: Path


def find_checkpoint(name: str, scratch: Path, *, say: Callable[[str], None]) -> Path:
    """Return the folder of a checkpoint; one of the model hub is fetched into `scratch`.

    name: a folder, or a hub id (`org/name` or `org/name@revision`).
    Raises DomainNerError if it is neither, or cannot be fetched.
    """
    if not name:
        raise DomainNerError(
            "No checkpoint to import: vars.checkpoint is empty.",
            "Set it to the folder of a fine-tuned token classifier, or to its hub id (org/name).",
        )
    if Path(name).is_dir():
        return Path(name)
    if not HUB_ID.fullmatch(name):
        raise DomainNerError(
            f"There is no folder {name}; expected the folder of a checkpoint (config.json, weights, tokenizer), or a"
            " hub id (org/name)."
        )
    hub_id, _, revision = name.partition("@")
    preset = Preset(name=hub_id.replace("/", "--"), hub_id=hub_id, revision=revision)
    return Path(fetch_encoder(preset, scratch, say=say).path)


def load_checkpoint(folder: Path, name: str) -> Checkpoint:
    """Load a checkpoint. Code that comes with it is never run. name: for messages and the pipeline's meta.

    Raises DomainNerError if files are missing, if it has no classifier of tokens, if the classifier has another number
    of rows than labels, or if the encoder is not supported.
    """
    card = make_card(Preset(name=name), folder)  # checks the files
    with quiet():
        model, info = _load(folder, name)
    missing = [key for key in info["missing_keys"] if not key.startswith(f"{model.base_model_prefix}.")]
    if missing:
        raise DomainNerError(
            f"{name} has no weights for {', '.join(missing)}: it was not fine-tuned to classify tokens.",
            "Give a checkpoint of AutoModelForTokenClassification.",
        )
    model.eval()
    tagger = find_parts(model)
    require_linear(tagger, head_of(tagger))
    labels = [str(model.config.id2label[n]) for n in range(model.config.num_labels)]
    return Checkpoint(tagger, labels, _max_length(folder, card.max_length), name, folder)


def head_of(tagger: Tagger) -> Any:
    """ModernBERT's prediction head between encoder and classifier; None for other encoders."""
    return tagger.model.head if tagger.model.config.model_type == "modernbert" else None


def _load(folder: Path, name: str) -> tuple[Any, dict[str, Any]]:
    try:
        config = plain(AutoConfig.from_pretrained(folder, trust_remote_code=False))
        model, info = AutoModelForTokenClassification.from_pretrained(
            folder, config=config, output_loading_info=True, trust_remote_code=False, torch_dtype=torch.float32
        )
    except (ValueError, KeyError, OSError, RuntimeError) as err:
        lines = [line.strip() for line in str(err).splitlines() if line.strip()] or [type(err).__name__]
        reason = next((line for line in lines if "size mismatch" in line), lines[0])
        raise DomainNerError(
            f"Cannot load {name} as a token classifier: {reason}",
            "Expected config.json with one name in id2label for each row of the classifier, and an encoder that"
            " transformers knows, without code of its own.",
        ) from err
    return model, info


def _max_length(folder: Path, by_config: int) -> int:
    """The longest window: the tokenizer's if it is shorter than the encoder's positions."""
    try:
        maximum = AutoTokenizer.from_pretrained(folder, use_fast=True, trust_remote_code=False).model_max_length
    except (OSError, ValueError, KeyError, ImportError) as err:
        raise DomainNerError(f"Cannot load the tokenizer of {folder}: {str(err).splitlines()[0]}") from err
    return min(int(maximum), by_config)


@contextmanager
def quiet() -> Iterator[None]:
    """Silence transformers: what it warns of is checked here."""
    before = logging.get_verbosity()
    logging.set_verbosity_error()
    try:
        yield
    finally:
        logging.set_verbosity(before)
