"""`domain_ner.OnnxEncoder.v1`: the token vectors of a pretrained encoder, run by onnxruntime as a layer of the model.

onnxruntime and tokenizers are imported when the weights are loaded: spaCy loads this entry point everywhere.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, TypeAlias

import numpy as np
from spacy.tokens import Doc
from spacy.util import registry
from thinc.api import Model
from thinc.shims import Shim
from thinc.types import Floats2d, Ragged

from domain_ner.devices import use_one_thread_after_fork
from domain_ner.errors import DomainNerError
from domain_ner.onnx_encoder.encoder_file import EncoderFile
from domain_ner.transformer.tokenizing import tokenize

TokenVectors: TypeAlias = Model[list[Doc], list[Floats2d]]


@registry.architectures("domain_ner.OnnxEncoder.v1")
def create_onnx_encoder(pooling: Model[Ragged, Floats2d], window: int, overlap: int, threads: int) -> TokenVectors:
    """Create the layer. Its weights are loaded with the pipeline, and training does not change them.

    pooling: from the vectors of a token's wordpieces to the token's.
    window, overlap: as in `domain_ner.TransformerModel.v1`.
    threads: to use at most; 0: as many as the process has processors.
    """
    use_one_thread_after_fork()
    return Model(
        "onnx_encoder",
        forward,
        layers=[pooling],
        shims=[OnnxShim(None, threads)],
        attrs={"window": window, "overlap": overlap},
    )


class RuntimeShim(Shim):  # type: ignore[misc]
    """Holds what onnxruntime runs. model: None before it is loaded. threads: to use at most."""

    def __init__(self, model: Any, threads: int) -> None:
        super().__init__(model)
        self.threads = threads

    def copy(self) -> "RuntimeShim":
        """Share the model with a copy of the layer: nothing in it changes."""
        return type(self)(self._model, self.threads)

    def __deepcopy__(self, memo: object) -> "RuntimeShim":
        return self.copy()


class OnnxShim(RuntimeShim):
    """Holds the encoder, an `OnnxEncoder`, and saves it with the pipeline."""

    def to_bytes(self) -> bytes:
        """Serialise the exported encoder."""
        return self._model.file.to_bytes() if self._model is not None else b""

    def from_bytes(self, bytes_data: bytes) -> "OnnxShim":
        """Load the exported encoder. Raises DomainNerError when it, or a package that it needs, is missing."""
        if bytes_data:
            self.use(EncoderFile.from_bytes(bytes_data))
        return self

    def use(self, file: EncoderFile) -> None:
        """Use this exported encoder."""
        with require_runtime():
            from domain_ner.onnx_encoder.encoder import OnnxEncoder  # noqa: PLC0415
        self._model = OnnxEncoder(file, self.threads)


@contextmanager
def require_runtime() -> Iterator[None]:
    """Turn a failed import within into a DomainNerError that says what to install."""
    try:
        yield
    except ImportError as err:
        raise DomainNerError(
            f"This pipeline needs onnxruntime and tokenizers: {err}.", "pip install onnxruntime tokenizers"
        ) from err


def forward(model: TokenVectors, docs: list[Doc], is_train: bool) -> tuple[list[Floats2d], Any]:
    """Compute the vectors of each document's tokens. Nothing is learned: `backprop` does nothing.

    Raises DomainNerError when the encoder was not loaded.
    """
    encoder = model.shims[0]._model
    if encoder is None:
        raise DomainNerError(
            "The recogniser has no encoder yet.", "Load the pipeline with spacy.load; training makes a torch pipeline."
        )
    filled = [doc for doc in docs if len(doc)]
    tokenized = tokenize(
        encoder.tokenizer.encode,
        encoder.special,
        filled,
        window=model.attrs["window"] or encoder.file.facts.max_length,
        overlap=model.attrs["overlap"],
    )
    hidden = iter(encoder.encode([row for doc in tokenized for row in doc.rows]))
    pooling, vectors = model.layers[0], []
    for doc in tokenized:
        windows = [next(hidden) for _ in doc.rows]
        wordpieces = windows[0] if len(windows) == 1 else _padded(windows)
        pieces = Ragged(model.ops.asarray2f(wordpieces[doc.align.dataXd]), doc.align.lengths)
        vectors.append(pooling.predict(pieces))
    of_filled = iter(vectors)
    no_tokens = Ragged(model.ops.alloc2f(0, encoder.file.facts.width), model.ops.alloc1i(0))
    empty = pooling.predict(no_tokens)
    return [next(of_filled) if len(doc) else empty for doc in docs], lambda d_vectors: docs


def _padded(windows: list[Any]) -> Any:
    """(n_windows * longest, width): the windows one after the other, padded to the longest."""
    padded = np.zeros((len(windows), max(map(len, windows)), windows[0].shape[1]), dtype=np.float32)
    for row, window in zip(padded, windows, strict=True):
        row[: len(window)] = window
    return padded.reshape(-1, padded.shape[2])
