"""`domain_ner.LexicalListener.v1`: concatenates the transformer's token vectors with features of the word itself.

An uncased encoder cannot distinguish `SRE` from `sre`, and any encoder splits `retry.backoff_ms` into wordpieces.
Hashed features of the whole word (prefix, suffix and shape, for example) give this information to the head.
"""

from collections.abc import Callable
from typing import TypeAlias

from spacy.tokens import Doc
from spacy.util import registry
from thinc.api import Model
from thinc.types import Floats2d

from domain_ner.transformer.distinct_words import predict_vectors

TokenVectors: TypeAlias = Model[list[Doc], list[Floats2d]]


@registry.architectures("domain_ner.LexicalListener.v1")
def create_lexical_listener(transformer: TokenVectors, lexical: TokenVectors | None) -> TokenVectors:
    """Concatenate two models of token vectors.

    transformer: (n_tokens, width) for each document, from a listener.
    lexical: (n_tokens, lexical width), trained with the head; None for the transformer's vectors alone.
    Returns (n_tokens, width + lexical width) for each document.
    """
    if lexical is None:
        return transformer
    return Model("lexical_listener", forward, init=initialize, layers=[transformer, lexical], dims={"nO": None})


def _learn_nothing(d_vectors: list[Floats2d]) -> list[Doc]:
    return []


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
    features, backprop_lexical = lexical(docs, True) if is_train else (predict_vectors(lexical, docs), _learn_nothing)
    width = max((array.shape[1] for array in encoded), default=0)
    concatenated = [
        model.ops.xp.hstack([vectors, lexical_vectors])
        if vectors.size
        else model.ops.alloc2f(0, width + lexical_vectors.shape[1])
        for vectors, lexical_vectors in zip(encoded, features, strict=True)
    ]

    def backprop(d_vectors: list[Floats2d]) -> list[Doc]:
        backprop_lexical([model.ops.as_contig(d_doc[:, width:]) for d_doc in d_vectors])
        docs_back: list[Doc] = backprop_transformer([model.ops.as_contig(d_doc[:, :width]) for d_doc in d_vectors])
        return docs_back

    return concatenated, backprop
