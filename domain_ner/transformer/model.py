"""spacy-transformers' TransformerModel, with windows counted in wordpieces and an exact token alignment.

The pipe and the listener are spacy-transformers'. This module replaces how a document is cut, encoded and aligned, and
how weights are saved. The original model counts windows in tokens, and truncates windows that exceed the encoder's
maximum.
"""

import copy
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import torch
from spacy.tokens import Doc
from spacy_transformers.layers.transformer_model import TransformerModel, huggingface_from_pretrained
from thinc.api import Optimizer, xp2torch
from thinc.types import FloatsXd

from domain_ner.errors import DomainNerError
from domain_ner.transformer import packed
from domain_ner.transformer.adam import FusedAdam, can_fuse
from domain_ner.transformer.blocks import find_blocks
from domain_ner.transformer.encoded_batch import EncodedBatch, collect
from domain_ner.transformer.encoding import Padding, begin_update, encode
from domain_ner.transformer.fixed_outputs import FixedOutputs
from domain_ner.transformer.hf_tokenizer import encode_texts, special_ids
from domain_ner.transformer.layers import freeze, layer_depths
from domain_ner.transformer.sampling import sample
from domain_ner.transformer.shim import SafetensorsShim
from domain_ner.transformer.tokenizing import Tokenized, mask_tokens, tokenize


class ExactTransformerModel(TransformerModel):  # type: ignore[misc]
    """TransformerModel with another forward pass. Arguments as in `architectures.create_transformer_model`."""

    def __init__(  # noqa: PLR0913
        self,
        name: str,
        *args: Any,
        window: int,
        overlap: int,
        max_batch_items: int,
        learn_rate_factor: float = 1.0,
        freeze_embeddings: bool = False,
        freeze_layers: int = 0,
        layer_decay: float = 1.0,
        mask_share: float = 0.0,
        cpu_bfloat16: bool = False,
        predict_dtype: str = "auto",
        gradient_sampling: float = 0.0,
    ) -> None:
        super().__init__(name, None, *args)
        own = {
            "window": window,
            "overlap": overlap,
            "max_batch_items": max_batch_items,
            "learn_rate_factor": learn_rate_factor,
            "freeze_embeddings": freeze_embeddings,
            "freeze_layers": freeze_layers,
            "layer_decay": layer_decay,
            "mask_share": mask_share,
            "cpu_bfloat16": cpu_bfloat16,
            "predict_dtype": predict_dtype,
            "gradient_sampling": gradient_sampling,
        }
        self._own = own
        self._adam, self._fixed_outputs = FusedAdam(), FixedOutputs()
        self.attrs.update(own)
        self._func = forward
        self.init = initialize
        self.layers[0].shims[0] = SafetensorsShim.of(self.shim)

    @property
    def shim(self) -> Any:
        """The shim with the encoder, its tokenizer and the gradient scaler."""
        return self.layers[0].shims[0]

    def finish_update(self, optimizer: Optimizer) -> None:
        """Update the weights, at the encoder's own learning rates."""
        shim = self.shim
        named = {(shim.id, name): weights for name, weights in self.transformer.named_parameters()}
        shim._grad_scaler.unscale([weights.grad for weights in named.values() if weights.grad is not None])
        above, decay = layer_depths(self.transformer), self.attrs["layer_decay"]

        def scale(key: tuple[int, str]) -> float:
            return float(self.attrs["learn_rate_factor"] * decay ** above[key[1]])

        def update(key: tuple[int, str], weights: FloatsXd, gradient: FloatsXd) -> tuple[FloatsXd, FloatsXd]:
            updated: tuple[FloatsXd, FloatsXd] = optimizer(key, weights, gradient, lr_scale=scale(key))
            return updated

        if not can_fuse(optimizer):
            super().finish_update(update)
            return
        if not shim._grad_scaler.found_inf:
            self._adam(optimizer, named, scale)
        for weights in named.values():
            weights.grad = None
        shim._grad_scaler.update()

    def freeze(self, *, n_layers: int, embeddings: bool) -> None:
        """Freeze the lowest `n_layers` layers and, with `embeddings`, the wordpiece embeddings."""
        freeze(self.transformer, n_layers=n_layers, embeddings=embeddings)

    @contextmanager
    def use_params(self, params: dict[tuple[int, str], FloatsXd]) -> Iterator[None]:
        """Use other weights temporarily: the optimizer's averages, which thinc 8.3 ignores for PyTorch."""
        own = dict(self.transformer.named_parameters())
        replacements = {name: params[self.shim.id, name] for name in own if (self.shim.id, name) in params}
        backup = {name: own[name].data for name in replacements}
        for name, average in replacements.items():
            own[name].data = xp2torch(average, device=own[name].device)
        try:
            with super().use_params(params):
                yield
        finally:
            for name, weights in backup.items():
                own[name].data = weights

    def from_dict(self, msg: dict[str, Any]) -> "ExactTransformerModel":
        """Load the weights. The settings remain those of the config, which can be changed at load."""
        super().from_dict(msg)
        self.attrs.update(self._own)
        if self.tokenizer is not None:
            _check_windows(self)
            self.freeze(n_layers=self.attrs["freeze_layers"], embeddings=self.attrs["freeze_embeddings"])
        return self

    def count_windows(self, docs: Sequence[Doc]) -> int:
        """Count the windows that the encoder needs for these documents."""
        return sum(len(tokenized.windows) for tokenized in tokenize_docs(self, [doc for doc in docs if len(doc)]))

    def cuts(self, doc: Doc) -> list[int]:
        """List the tokens of a document at which the next window takes over, ascending; none for a single window."""
        return tokenize_docs(self, [doc])[0].cuts if len(doc) else []

    def copy(self) -> "ExactTransformerModel":
        """Deep-copy the model with its own forward pass, which spacy-transformers' copy would lose."""
        copied: ExactTransformerModel = super().copy()
        copied.__class__ = type(self)
        copied._func, copied.init, copied._own = forward, initialize, dict(self._own)
        copied._adam, copied._fixed_outputs = FusedAdam(), FixedOutputs()
        copied.attrs.update(copy.copy(self.attrs))
        return copied


def initialize(model: ExactTransformerModel, X: Any = None, Y: Any = None) -> None:  # noqa: N803 (thinc's names)
    """Load the encoder.

    Raises DomainNerError when it has no fast tokenizer, because only those report character offsets, and when windows
    are too long for the encoder or too short for their overlap.
    """
    if not model.attrs["has_transformer"]:
        name = model.attrs["name"]
        loaded = huggingface_from_pretrained(name, model._init_tokenizer_config, model._init_transformer_config)
        model.attrs["set_transformer"](model, loaded)
    if not model.tokenizer.is_fast:
        raise DomainNerError(
            f"Encoder {model.attrs['name']} has no fast tokenizer ({type(model.tokenizer).__name__}).",
            "Choose an encoder with a tokenizer.json, or one that transformers can convert.",
        )
    _check_windows(model)
    model.freeze(n_layers=model.attrs["freeze_layers"], embeddings=model.attrs["freeze_embeddings"])


def forward(
    model: ExactTransformerModel,
    docs: list[Doc],
    is_train: bool,
) -> tuple[EncodedBatch, Callable[[EncodedBatch], list[Doc]]]:
    """Run the encoder over the windows of `docs`.

    Raises DomainNerError when the model was neither initialised nor loaded.
    """
    if model.tokenizer is None:
        raise DomainNerError(
            "The transformer has no encoder yet.", "Train the pipeline, or call nlp.initialize() first."
        )
    filled = [doc for doc in docs if len(doc)]
    tokenized = tokenize_docs(model, filled)
    rows = [row for doc in tokenized for row in (_masked(model, doc) if is_train else doc.rows)]
    padding = Padding(model.tokenizer.pad_token_id or 0, model.attrs["max_batch_items"])
    if not is_train:
        with _predicting(model):
            return collect(
                model.tokenizer, docs, tokenized, encode(model.transformer, rows, padding)
            ), lambda d_batch: docs
    on_cpu = model.attrs["cpu_bfloat16"] and has_cpu_bfloat16()
    blocks = find_blocks(model.transformer) if model.transformer.device.type == "cpu" else []
    if blocks:
        dtype = torch.bfloat16 if on_cpu else torch.float32
        hidden, backprop_encoder = packed.begin_update(
            model.transformer, blocks, rows, dtype, padding.max_padded, model._fixed_outputs
        )
    else:
        hidden, backprop_encoder = begin_update(
            model.transformer,
            rows,
            padding,
            autocast=lambda: _autocast(model, on_cpu=on_cpu, learns=True),
            scale=lambda gradients: list(model.shim._grad_scaler.scale(gradients, inplace=True)),
        )

    def backprop(d_batch: EncodedBatch) -> list[Doc]:
        d_docs = [xp2torch(d_doc) for d_doc in d_batch.d_docs]
        if blocks:
            d_docs = sample(d_docs, model.attrs["gradient_sampling"])
        backprop_encoder(
            [
                windows[n, : len(row)]
                for tokenized_doc, windows in zip(tokenized, d_docs, strict=True)
                for n, row in enumerate(tokenized_doc.rows)
            ]
        )
        return docs

    return collect(model.tokenizer, docs, tokenized, hidden), backprop


def model_window(model: ExactTransformerModel) -> int:
    """Number of wordpieces in a window, special ones included."""
    return int(model.attrs["window"] or model.tokenizer.model_max_length)


def has_cpu_bfloat16() -> bool:
    """Whether training runs on a CPU with native bfloat16; others would emulate it, which is slower."""
    return not torch.cuda.is_available() and _has_units("cpu", torch.bfloat16)


def tokenize_docs(model: ExactTransformerModel, docs: Sequence[Doc]) -> list[Tokenized]:
    """Cut non-empty documents into the wordpieces and windows that the encoder reads."""
    tokenizer = model.tokenizer
    return tokenize(
        lambda texts: encode_texts(tokenizer, texts),
        special_ids(tokenizer),
        docs,
        window=model_window(model),
        overlap=model.attrs["overlap"],
    )


def _masked(model: ExactTransformerModel, tokenized_doc: Tokenized) -> list[list[int]]:
    return mask_tokens(tokenized_doc, model.tokenizer.mask_token_id, model.attrs["mask_share"])


def _check_windows(model: ExactTransformerModel) -> None:
    maximum, window, overlap = model.tokenizer.model_max_length, model_window(model), model.attrs["overlap"]
    where = "in [components.transformer.model]"
    if window > maximum:
        raise DomainNerError(f"window is {window} {where}; the encoder takes at most {maximum} wordpieces.")
    n_special = sum(map(len, special_ids(model.tokenizer)))
    if overlap < 0 or 2 * overlap >= window - n_special:
        raise DomainNerError(
            f"overlap is {overlap} {where}; expected 0 or more, and less than half of the window without its"
            f" {n_special} special wordpieces; the window has {window} wordpieces."
        )


def _autocast(model: ExactTransformerModel, *, on_cpu: bool, learns: bool = False) -> Any:
    if model.shim._mixed_precision:
        # bfloat16 holds all gradients that float32 holds; float16, for predicting, more digits.
        learns_bfloat16 = learns and torch.cuda.is_bf16_supported(including_emulation=False)
        return torch.autocast("cuda", torch.bfloat16 if learns_bfloat16 else torch.float16)
    return torch.autocast("cpu", torch.bfloat16, enabled=on_cpu)


def _predicting(model: ExactTransformerModel) -> Any:
    """By default in float32 on a CPU, so that predictions are the same on every machine."""
    name = model.attrs["predict_dtype"]
    if name == "auto":
        return _autocast(model, on_cpu=False)
    device, dtype = model.transformer.device.type, getattr(torch, name)
    is_half = dtype != torch.float32
    return torch.autocast(device, dtype if is_half else None, enabled=is_half and _has_units(device, dtype))


def _has_units(device: str, dtype: torch.dtype) -> bool:
    if device != "cpu":
        return True
    has_units = torch.cpu._is_avx512_bf16_supported if dtype == torch.bfloat16 else torch.cpu._is_amx_fp16_supported
    return bool(has_units())
