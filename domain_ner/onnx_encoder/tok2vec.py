"""`domain_ner.OnnxTok2Vec.v1`: the token vectors of spaCy's `Tok2Vec.v2`, its convolutions run by onnxruntime."""

from typing import Any

import numpy as np
from spacy.tokens import Doc
from spacy.util import registry
from thinc.api import Model
from thinc.types import Floats2d

from domain_ner.devices import use_one_thread_after_fork
from domain_ner.errors import DomainNerError
from domain_ner.onnx_encoder.architectures import RuntimeShim, TokenVectors, require_runtime
from domain_ner.transformer.distinct_words import embed_words

VECTORS, ENCODED = "vectors", "encoded"
# Passes that fit the processor's caches are faster.
MAX_ROWS = 512


@registry.architectures("domain_ner.OnnxTok2Vec.v1")
def create_onnx_tok2vec(embed: TokenVectors, width: int, reach: int, threads: int) -> TokenVectors:
    """Create the layer. The convolutions are loaded with the pipeline, and training does not change them.

    embed: spaCy's `MultiHashEmbed`, or another layer that gives each token a vector.
    width: of the vectors. reach: the number of tokens on each side that a token's vector depends on.
    threads: to use at most; 0: as many as the process has processors.
    """
    use_one_thread_after_fork()
    return Model(
        "onnx_tok2vec",
        forward,
        layers=[embed],
        shims=[WindowShim(None, threads)],
        dims={"nO": width},
        attrs={"reach": reach},
    )


class WindowShim(RuntimeShim):
    """Holds the convolutions, as `Sessions`, and saves them with the pipeline."""

    def to_bytes(self) -> bytes:
        """Serialise the ONNX model."""
        packed: bytes = self._model.onnx if self._model is not None else b""
        return packed

    def from_bytes(self, bytes_data: bytes) -> "WindowShim":
        """Load the ONNX model. Raises DomainNerError when onnxruntime is missing."""
        if bytes_data:
            self.use(bytes_data)
        return self

    def use(self, onnx: bytes) -> None:
        """Use this ONNX model: `vectors` to `encoded`, both (n_rows, width) float32."""
        with require_runtime():
            from domain_ner.onnx_encoder.sessions import Sessions  # noqa: PLC0415
        self._model = Sessions(onnx, self.threads)


def forward(model: TokenVectors, docs: list[Doc], is_train: bool) -> tuple[list[Floats2d], Any]:
    """Compute the vectors of each document's tokens. Nothing is learned: `backprop` does nothing.

    Raises DomainNerError when the convolutions were not loaded.
    """
    sessions = model.shims[0]._model
    if sessions is None:
        raise DomainNerError(
            "The recogniser has no convolutions yet.", "Load the pipeline with spacy.load; train one without them."
        )
    reach, ops = model.attrs["reach"], model.ops
    embedded = embed_words(model.layers[0], docs)
    # Zeros between documents, as many as a vector depends on: no document sees another.
    rows = ops.flatten(embedded, pad=reach)
    starts = range(0, len(rows), MAX_ROWS)
    parts = [rows[max(0, start - reach) : start + MAX_ROWS + reach] for start in starts]
    encoded = sessions.run([{VECTORS: part} for part in parts], ENCODED)
    kept = [part[min(start, reach) :][:MAX_ROWS] for start, part in zip(starts, encoded, strict=True)]
    lengths = ops.asarray1i([len(array) for array in embedded if len(array)])
    filled = iter(ops.unflatten(np.concatenate(kept), lengths, pad=reach) if kept else ())
    empty = ops.alloc2f(0, model.get_dim("nO"))
    return [next(filled) if len(array) else empty for array in embedded], lambda d_vectors: docs
