"""Serialises the encoder, with its weights as safetensors, which cannot contain code.

spacy-transformers (1.4) pickles them with PyTorch. Such older pipelines can still be read, with `weights_only=True`:
a pickle that does more than create tensors is refused.
"""

import copy
import json
import pickle
import warnings
from io import BytesIO
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import srsly
import torch
from safetensors import SafetensorError
from safetensors.torch import load as load_safetensors
from safetensors.torch import save as save_safetensors
from spacy.util import SimpleFrozenDict
from spacy_transformers.data_classes import HFObjects
from spacy_transformers.layers.hf_shim import HFShim
from thinc.api import get_torch_default_device
from torch import Tensor, nn

from domain_ner.errors import DomainNerError
from domain_ner.files.archives import require_inside

# The first bytes of torch.save's files: a zip, or a bare pickle before PyTorch 1.6.
PICKLED = (b"PK\x03\x04", b"\x80\x02")
SOURCE = "the pipeline's transformer"


class SafetensorsShim(HFShim):  # type: ignore[misc]
    """HFShim with another serialisation: the message has the same keys, but `state` contains safetensors."""

    @classmethod
    def of(cls, shim: HFShim) -> "SafetensorsShim":
        """Convert a shim to this class."""
        changed: SafetensorsShim = copy.copy(shim)
        changed.__class__ = cls
        return changed

    def to_bytes(self) -> bytes:
        """Serialise weights, tokenizer and the encoder's config."""
        objects = self._hfmodel
        is_there = objects.transformer is not None
        message = {
            "config": objects.transformer.config.to_dict() if is_there else {},
            "state": weights_to_bytes(self._model) if is_there else b"",
            "tokenizer": _tokenizer_to_dict(objects) if is_there else {},
            "_init_tokenizer_config": {} if is_there else objects._init_tokenizer_config,
            "_init_transformer_config": {} if is_there else objects._init_transformer_config,
        }
        packed: bytes = srsly.msgpack_dumps(message)
        return packed

    def from_bytes(self, bytes_data: bytes) -> "SafetensorsShim":
        """Load the bytes of `to_bytes`, or of spacy-transformers. Code that comes with an encoder is never run.

        Raises DomainNerError when the weights are neither safetensors nor a pickle of tensors only.
        """
        message = srsly.msgpack_loads(bytes_data)
        if not message["config"]:
            self._hfmodel = HFObjects(
                None, None, None, message["_init_tokenizer_config"], message["_init_transformer_config"]
            )
            return self
        with TemporaryDirectory() as folder:
            config, tokenizer, vocabulary = self._read_parts(message, Path(folder))
        self._model = self.model_cls.from_config(config, trust_remote_code=False)
        self._hfmodel = HFObjects(tokenizer, self._model, vocabulary, SimpleFrozenDict(), SimpleFrozenDict())
        _set_weights(self._model, weights_from_bytes(message["state"]))
        self._model.to(get_torch_default_device())
        return self

    def _read_parts(self, message: dict[str, Any], folder: Path) -> tuple[Any, Any, bytes | None]:
        """Return the encoder's config, its tokenizer, and the content of its vocabulary file, if it has one."""
        files = {name: content for name, content in message["tokenizer"].items() if name != "kwargs"}
        require_inside(files, SOURCE)
        # Not by srsly, whose ten decimals make 0 of BERT's layer_norm_eps, 1e-12.
        (folder / "config.json").write_text(json.dumps(without_code(message["config"])), encoding="utf8")
        config = plain(self.config_cls.from_pretrained(folder / "config.json", trust_remote_code=False))
        for name, content in files.items():
            (folder / name).write_bytes(content)
        use_fast = bool(message["tokenizer"].get("kwargs", {}).get("use_fast", True))
        tokenizer = self.tokenizer_cls.from_pretrained(str(folder), use_fast=use_fast, trust_remote_code=False)
        if not hasattr(tokenizer, "vocab_file"):
            return config, tokenizer, None
        vocabulary = folder / tokenizer.vocab_files_names["vocab_file"]
        tokenizer.vocab_file = str(vocabulary)
        return config, tokenizer, vocabulary.read_bytes()


def without_code(config: dict[str, Any]) -> dict[str, Any]:
    """Remove from an encoder's config the keys that refer to code to download and run (see CVE-2026-4372)."""
    return {key: value for key, value in config.items() if "attn_implementation" not in key and key != "auto_map"}


def plain(config: Any) -> Any:
    """An encoder's config so that ModernBERT runs as it was trained: neither compiled nor by flash-attention.

    transformers writes neither setting, and turns both on where it finds the packages, even if the encoder is then used
    on a CPU, which flash-attention cannot run on.
    """
    if hasattr(config, "reference_compile"):
        config.reference_compile = False
        config._attn_implementation = "sdpa"
    return config


def weights_to_bytes(model: nn.Module) -> bytes:
    """Serialise the weights as safetensors. Shared memory is not supported: it is written once for each name."""
    seen: set[int] = set()
    unshared = {}
    for name, tensor in model.state_dict().items():
        is_shared = tensor.untyped_storage().data_ptr() in seen
        seen.add(tensor.untyped_storage().data_ptr())
        unshared[name] = tensor.clone() if is_shared else tensor.contiguous()
    return save_safetensors(unshared)


def weights_from_bytes(state: bytes) -> dict[str, Tensor]:
    """Read weights from safetensors or, for older pipelines, from a pickle of tensors only.

    Raises DomainNerError for anything else.
    """
    try:
        if not state.startswith(PICKLED):
            return load_safetensors(state)
        weights: dict[str, Tensor] = torch.load(BytesIO(state), map_location="cpu", weights_only=True)
    except (SafetensorError, pickle.UnpicklingError, RuntimeError, EOFError) as err:
        reason = str(err).splitlines()[0] if str(err) else type(err).__name__
        raise DomainNerError(
            f"Cannot read the weights in {SOURCE}; expected safetensors, or a pickle of tensors only: {reason}",
            "Do not load it in another way: train or package the pipeline again.",
        ) from err
    return weights


def _set_weights(model: nn.Module, weights: dict[str, Tensor]) -> None:
    try:
        model.load_state_dict(weights)
    except RuntimeError as err:  # as in spacy-transformers: another version of transformers may rename weights
        warnings.warn(f"The encoder's weights do not all fit this version of transformers: {err}", stacklevel=2)
        model.load_state_dict(weights, strict=False)


def tokenizer_files(objects: HFObjects) -> dict[str, bytes]:
    """Return the tokenizer's files by name, as `save_pretrained` writes them."""
    tokenizer = objects.tokenizer
    with TemporaryDirectory() as path_of_folder:
        folder = Path(path_of_folder)
        if hasattr(tokenizer, "vocab_file"):
            vocabulary = folder / tokenizer.vocab_files_names["vocab_file"]
            vocabulary.write_bytes(objects.vocab_file_contents)
            tokenizer.vocab_file = str(vocabulary)
        tokenizer.save_pretrained(path_of_folder)
        return {path.name: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def _tokenizer_to_dict(objects: HFObjects) -> dict[str, Any]:
    """Return the tokenizer's files by name, and the arguments to load them with."""
    return {"kwargs": {"use_fast": objects.tokenizer.is_fast}, **tokenizer_files(objects)}
