"""spacy-transformers' TransformerModel, with each wordpiece in the token it covers.

Everything but the alignment is spacy-transformers' own, so that its pipe, its listener and its serialisation work.
"""

import copy
import logging
from collections.abc import Callable, Iterable
from functools import partial
from typing import Any

import numpy as np
import torch
from spacy.tokens import Doc, Span
from spacy_transformers.align import get_token_positions
from spacy_transformers.data_classes import FullTransformerBatch, WordpieceBatch
from spacy_transformers.layers.transformer_model import TransformerModel, huggingface_tokenize
from spacy_transformers.layers.transformer_model import init as init_transformer
from spacy_transformers.truncate import truncate_oversize_splits
from thinc.api import Optimizer
from thinc.types import Ragged

from domain_ner.errors import DomainNerError
from domain_ner.transformer.alignment import IntArray, align_wordpieces

logger = logging.getLogger("domain_ner")

SpanGetter = Callable[[Iterable[Doc]], list[list[Span]]]


class ExactTransformerModel(TransformerModel):  # type: ignore[misc]
    """TransformerModel with our forward pass. Arguments as in `architectures.create_transformer_model`."""

    def __init__(
        self,
        name: str,
        get_spans: SpanGetter,
        *args: Any,
        learn_rate_factor: float = 1.0,
        freeze_embeddings: bool = False,
        cpu_bfloat16: bool = False,
    ) -> None:
        super().__init__(name, get_spans, *args)
        self.attrs["learn_rate_factor"] = learn_rate_factor
        self.attrs["freeze_embeddings"] = freeze_embeddings
        self.attrs["cpu_bfloat16"] = cpu_bfloat16
        self._func = forward
        self.init = initialize

    def finish_update(self, optimizer: Optimizer) -> None:
        """Update the weights, at the encoder's own learning rate."""
        super().finish_update(partial(optimizer, lr_scale=self.attrs["learn_rate_factor"]))

    def copy(self) -> "ExactTransformerModel":
        """A deep copy that keeps our forward pass, which spacy-transformers' own copy would lose."""
        copied: ExactTransformerModel = super().copy()
        copied.__class__ = type(self)
        copied._func, copied.init = forward, initialize
        copied.attrs.update(copy.copy(self.attrs))
        return copied


def initialize(model: TransformerModel, X: Any = None, Y: Any = None) -> None:  # noqa: N803 (thinc's names)
    """Load the encoder. Raises DomainNerError when it has no fast tokenizer: only those tell character offsets."""
    init_transformer(model, X=X, Y=Y)
    if not model.tokenizer.is_fast:
        raise DomainNerError(
            f"Encoder {model.attrs['name']} has no fast tokenizer ({type(model.tokenizer).__name__}).",
            "Take an encoder with a tokenizer.json, or one that transformers can convert.",
        )
    if model.attrs["freeze_embeddings"]:
        model.transformer.get_input_embeddings().requires_grad_(False)


def forward(
    model: TransformerModel,
    docs: list[Doc],
    is_train: bool,
) -> tuple[FullTransformerBatch, Callable[[FullTransformerBatch], list[Doc]]]:
    """Run the encoder over the windows of `docs`; as in spacy-transformers, but for the alignment.

    Raises DomainNerError when the model was neither initialised nor loaded.
    """
    if model.tokenizer is None:
        raise DomainNerError(
            "The transformer has no encoder yet.", "Train the pipeline, or call nlp.initialize() first."
        )
    nested_spans = model.attrs["get_spans"](docs)
    spans = [span for doc_spans in nested_spans for span in doc_spans]
    encoding = huggingface_tokenize(model.tokenizer, [span.text for span in spans])
    wordpieces = WordpieceBatch.from_batch_encoding(encoding)
    align = align_spans(spans, encoding["offset_mapping"])
    max_length = model.tokenizer.model_max_length
    _tell_truncated(wordpieces, max_length)
    wordpieces, align = truncate_oversize_splits(wordpieces, align, max_length)
    # Prediction stays in float32, so that it is the same on every machine.
    with torch.autocast("cpu", torch.bfloat16, enabled=is_train and model.attrs["cpu_bfloat16"] and has_cpu_bfloat16()):
        model_output, backprop_encoder = model.layers[0](wordpieces, is_train)
    for name, value in model_output.items():
        if isinstance(value, torch.Tensor) and value.dtype == torch.bfloat16:
            model_output[name] = value.float()  # numpy has no bfloat16
    output = FullTransformerBatch(spans=nested_spans, wordpieces=wordpieces, model_output=model_output, align=align)

    def backprop(d_output: FullTransformerBatch) -> list[Doc]:
        backprop_encoder(d_output.model_output)
        return docs

    return output, backprop


def has_cpu_bfloat16() -> bool:
    """Whether training runs on a CPU that has units for bfloat16; others would only emulate it, which is slower."""
    return not torch.cuda.is_available() and torch.cpu._is_avx512_bf16_supported()


def align_spans(spans: list[Span], offset_mapping: IntArray) -> Ragged:
    """The wordpieces of each token, over all windows.

    spans: the windows; a token may stand in several.
    offset_mapping: (n_spans, n_wordpieces, 2), character offsets into each window's text.
    Returns rows of the flattened (n_spans * n_wordpieces) wordpieces, ragged by token in the order of
    `get_token_positions`.
    """
    positions = get_token_positions(spans)
    rows: list[list[int]] = [[] for _ in positions]
    n_wordpieces = offset_mapping.shape[1]
    for n_span, span in enumerate(spans):
        starts = np.fromiter((token.idx - span.start_char for token in span), dtype=np.int64, count=len(span))
        ends = starts + np.fromiter((len(token) for token in span), dtype=np.int64, count=len(span))
        aligned = align_wordpieces(starts, ends, np.asarray(offset_mapping[n_span], dtype=np.int64))
        for token, pieces in zip(span, aligned, strict=True):
            rows[positions[token]].extend(int(piece) + n_span * n_wordpieces for piece in pieces)
    flat = np.array([row for token_rows in rows for row in token_rows], dtype="i")
    return Ragged(flat, np.array([len(token_rows) for token_rows in rows], dtype="i"))


def _tell_truncated(wordpieces: WordpieceBatch, max_length: int) -> None:
    """Warn of wordpieces that the encoder will not see, since spacy-transformers cuts them off without a word."""
    n_cut = int(wordpieces.attention_mask[:, max_length:].sum()) if wordpieces.input_ids.shape[1] > max_length else 0
    if n_cut:
        logger.warning(
            "%d wordpieces were cut off: a window is longer than the encoder's %d. Lower the window and the stride"
            " in [components.transformer.model.get_spans].",
            n_cut,
            max_length,
        )
