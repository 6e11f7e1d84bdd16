"""How the encoder is written and read: its weights as safetensors, which are numbers and nothing else.

spacy-transformers (1.4) has PyTorch pickle them. Pipelines that were saved so are still read, with `weights_only=True`:
a pickle that does anything but make tensors is refused.
"""

import copy
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

# How torch.save's files begin: as a zip, and as a bare pickle before PyTorch 1.6.
PICKLED = (b"PK\x03\x04", b"\x80\x02")
SOURCE = "the pipeline's transformer"


class SafetensorsShim(HFShim):  # type: ignore[misc]
    """HFShim with other files: the message has the same keys, and `state` holds safetensors."""

    @classmethod
    def of(cls, shim: HFShim) -> "SafetensorsShim":
        """The same shim, with our way of writing and reading."""
        changed: SafetensorsShim = copy.copy(shim)
        changed.__class__ = cls
        return changed

    def to_bytes(self) -> bytes:
        """Weights, tokenizer and the encoder's config."""
        found = self._hfmodel
        is_there = found.transformer is not None
        message = {
            "config": found.transformer.config.to_dict() if is_there else {},
            "state": weights_to_bytes(self._model) if is_there else b"",
            "tokenizer": _tokenizer_to_dict(found) if is_there else {},
            "_init_tokenizer_config": {} if is_there else found._init_tokenizer_config,
            "_init_transformer_config": {} if is_there else found._init_transformer_config,
        }
        packed: bytes = srsly.msgpack_dumps(message)
        return packed

    def from_bytes(self, bytes_data: bytes) -> "SafetensorsShim":
        """Load what `to_bytes` wrote, or what spacy-transformers did. No code that comes with an encoder is run.

        Raises DomainNerError when the weights are neither safetensors nor a pickle of weights alone.
        """
        message = srsly.msgpack_loads(bytes_data)
        if not message["config"]:
            self._hfmodel = HFObjects(
                None, None, None, message["_init_tokenizer_config"], message["_init_transformer_config"]
            )
            return self
        with TemporaryDirectory() as room:
            config, tokenizer, vocabulary = self._read_parts(message, Path(room))
        self._model = self.model_cls.from_config(config, trust_remote_code=False)
        self._hfmodel = HFObjects(tokenizer, self._model, vocabulary, SimpleFrozenDict(), SimpleFrozenDict())
        _set_weights(self._model, weights_from_bytes(message["state"]))
        self._model.to(get_torch_default_device())
        return self

    def _read_parts(self, message: dict[str, Any], folder: Path) -> tuple[Any, Any, bytes | None]:
        """The encoder's config, its tokenizer, and the contents of the tokenizer's vocabulary file, if it has one."""
        files = {name: held for name, held in message["tokenizer"].items() if name != "kwargs"}
        require_inside(files, SOURCE)
        srsly.write_json(folder / "config.json", without_code(message["config"]))
        config = plain(self.config_cls.from_pretrained(folder / "config.json", trust_remote_code=False))
        for name, held in files.items():
            (folder / name).write_bytes(held)
        use_fast = bool(message["tokenizer"].get("kwargs", {}).get("use_fast", True))
        tokenizer = self.tokenizer_cls.from_pretrained(str(folder), use_fast=use_fast, trust_remote_code=False)
        if not hasattr(tokenizer, "vocab_file"):
            return config, tokenizer, None
        vocabulary = folder / tokenizer.vocab_files_names["vocab_file"]
        tokenizer.vocab_file = str(vocabulary)
        return config, tokenizer, vocabulary.read_bytes()


def without_code(config: dict[str, Any]) -> dict[str, Any]:
    """An encoder's config without what names code to fetch and run (see CVE-2026-4372)."""
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
    """The weights as safetensors. Such a file holds no memory twice: what shares some is written out for each name."""
    seen: set[int] = set()
    apart = {}
    for name, tensor in model.state_dict().items():
        is_shared = tensor.untyped_storage().data_ptr() in seen
        seen.add(tensor.untyped_storage().data_ptr())
        apart[name] = tensor.clone() if is_shared else tensor.contiguous()
    return save_safetensors(apart)


def weights_from_bytes(state: bytes) -> dict[str, Tensor]:
    """The weights in safetensors or, of older pipelines, in a pickle that holds nothing else.

    Raises DomainNerError for anything else.
    """
    try:
        if not state.startswith(PICKLED):
            return load_safetensors(state)
        weights: dict[str, Tensor] = torch.load(BytesIO(state), map_location="cpu", weights_only=True)
    except (SafetensorError, pickle.UnpicklingError, RuntimeError, EOFError) as err:
        told = str(err).splitlines()[0] if str(err) else type(err).__name__
        raise DomainNerError(
            f"The weights in {SOURCE} cannot be read; expected safetensors, or a pickle of tensors alone: {told}",
            "Do not load it otherwise: train or package the pipeline again.",
        ) from err
    return weights


def _set_weights(model: nn.Module, weights: dict[str, Tensor]) -> None:
    try:
        model.load_state_dict(weights)
    except RuntimeError as err:  # as in spacy-transformers: another version of transformers may name some otherwise
        warnings.warn(f"The encoder's weights do not all fit this version of transformers: {err}", stacklevel=2)
        model.load_state_dict(weights, strict=False)


def _tokenizer_to_dict(found: HFObjects) -> dict[str, Any]:
    """The tokenizer's files by name, and how it is made of them."""
    tokenizer = found.tokenizer
    with TemporaryDirectory() as room:
        folder = Path(room)
        if hasattr(tokenizer, "vocab_file"):
            vocabulary = folder / tokenizer.vocab_files_names["vocab_file"]
            vocabulary.write_bytes(found.vocab_file_contents)
            tokenizer.vocab_file = str(vocabulary)
        tokenizer.save_pretrained(room)
        files = {path.name: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    return {"kwargs": {"use_fast": tokenizer.is_fast}, **files}
