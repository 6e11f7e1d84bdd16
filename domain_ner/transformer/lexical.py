"""`domain_ner.LexicalListener.v1`: the transformer's token vectors, with what the word itself looks like beside them.

An uncased encoder cannot tell `SRE` from `sre`, and any encoder cuts `retry.backoff_ms` into pieces before it sees it.
Hashed features of the whole word (its prefix, suffix and shape, say) give that back to the head.
"""

from collections.abc import Callable
from typing import TypeAlias

from spacy.tokens import Doc
from spacy.util import registry
from thinc.api import Model
from thinc.types import Floats2d

TokenVectors: TypeAlias = Model[list[Doc], list[Floats2d]]


@registry.architectures("domain_ner.LexicalListener.v1")
def create_lexical_listener(transformer: TokenVectors, lexical: TokenVectors | None) -> TokenVectors:
    """Put two models of token vectors side by side.

    transformer: (n_tokens, width) for each document, from a listener.
    lexical: (n_tokens, lexical width), trained with the head; None for the transformer's vectors alone.
    Returns (n_tokens, width + lexical width) for each document.
    """
    if lexical is None:
        return transformer
    return Model("lexical_listener", forward, init=initialize, layers=[transformer, lexical], dims={"nO": None})


def initialize(model: TokenVectors, X: list[Doc] | None = None, Y: object = None) -> None:  # noqa: N803 (thinc's names)
    """Initialise both layers."""
    for layer in model.layers:
        layer.initialize(X=X)


def forward(
    model: TokenVectors, docs: list[Doc], is_train: bool
) -> tuple[list[Floats2d], Callable[[list[Floats2d]], list[Doc]]]:
    """Concatenate by document. thinc's own `concatenate` fails when one of the documents is empty."""
    transformer, lexical = model.layers
    encoded, backprop_transformer = transformer(docs, is_train)
    looks, backprop_lexical = lexical(docs, is_train)
    width = max((vectors.shape[1] for vectors in encoded), default=0)
    beside = [
        model.ops.xp.hstack([one, other]) if one.size else model.ops.alloc2f(0, width + other.shape[1])
        for one, other in zip(encoded, looks, strict=True)
    ]

    def backprop(d_vectors: list[Floats2d]) -> list[Doc]:
        backprop_lexical([model.ops.as_contig(d_doc[:, width:]) for d_doc in d_vectors])
        docs_back: list[Doc] = backprop_transformer([model.ops.as_contig(d_doc[:, :width]) for d_doc in d_vectors])
        return docs_back

    return beside, backprop
