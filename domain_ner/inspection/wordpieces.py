"""Shows what an encoder's tokenizer makes of a text: the wordpieces of each token, in readable form."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from unicodedata import category

import numpy as np
from spacy.tokens import Doc

from domain_ner.encoders.card import EncoderCard
from domain_ner.errors import DomainNerError
from domain_ner.transformer.alignment import align_wordpieces

# Unicode categories of characters that are invisible alone: marks, controls and formats, white space.
UNSEEN = "MCZ"
NAMES = {" ": "␣", "\n": "⏎", "\t": "⇥"}


@dataclass(frozen=True)
class Wordpieces:
    """The wordpieces of a token. unknown: whether the encoder cannot read some or all of it."""

    pieces: tuple[str, ...]
    unknown: bool


def load_tokenizer(card: EncoderCard) -> Any:
    """Load the encoder's tokenizer; None for an encoder without wordpieces (`cnn`).

    Raises DomainNerError when it cannot be loaded, or does not report the offsets of its wordpieces.
    """
    if not card.path:
        return None
    try:
        from transformers import AutoTokenizer  # noqa: PLC0415 (takes seconds, and not every encoder needs it)

        tokenizer = AutoTokenizer.from_pretrained(card.path, use_fast=True, local_files_only=True)
    except ImportError as err:
        raise DomainNerError(f"Wordpieces need the package {err.name}.", "pip install -r requirements.txt") from err
    except (OSError, ValueError) as err:
        raise DomainNerError(f"Cannot load the tokenizer in {card.path}: {err}", "Run fetch-encoder again.") from err
    if not tokenizer.is_fast:
        raise DomainNerError(
            f"Encoder {card.name} has no fast tokenizer ({type(tokenizer).__name__}).",
            "Choose an encoder with a tokenizer.json, or one that transformers can convert.",
        )
    return tokenizer


def wordpieces(doc: Doc, tokenizer: Any) -> list[Wordpieces]:
    """List the wordpieces of each token, as the transformer gets them. tokenizer: a fast one of transformers."""
    encoding = tokenizer(doc.text, add_special_tokens=False, return_offsets_mapping=True, verbose=False)
    offsets = np.array(encoding["offset_mapping"], dtype=np.int64).reshape(-1, 2)
    starts = np.array([token.idx for token in doc], dtype=np.int64)
    ends = starts + np.array([len(token) for token in doc], dtype=np.int64)
    ids = encoding["input_ids"]
    names = _names(tokenizer, ids)
    token_wordpieces = []
    for token, pieces in zip(doc, align_wordpieces(starts, ends, offsets), strict=True):
        is_lost = not len(pieces) and not _is_unseen(token.text)
        unknown = is_lost or any(ids[piece] == tokenizer.unk_token_id for piece in pieces)
        token_wordpieces.append(Wordpieces(tuple(names[piece] for piece in pieces), unknown))
    return token_wordpieces


def visible(text: str) -> str:
    """Make a token visible: white space by symbols, other invisible characters by their code points."""
    hidden = UNSEEN if _is_unseen(text) else UNSEEN[1:]
    return "".join(NAMES.get(char) or (f"U+{ord(char):04X}" if category(char)[0] in hidden else char) for char in text)


def _is_unseen(text: str) -> bool:
    return all(category(char)[0] in UNSEEN for char in text)


def _names(tokenizer: Any, ids: Sequence[int]) -> list[str]:
    """Make wordpieces readable: byte-level ones are stored as letters that represent bytes (Ã¼ for ü)."""
    names: list[str] = tokenizer.convert_ids_to_tokens(ids)
    if type(tokenizer.backend_tokenizer.decoder).__name__ != "ByteLevel":
        return names
    return [tokenizer.convert_tokens_to_string([name]).replace(" ", "Ġ") for name in names]
