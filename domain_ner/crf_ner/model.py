"""`domain_ner.CRF.v1`: maps token vectors to the scores of BILUO tags; transition scores are separate parameters.

It imports nothing that needs PyTorch: spaCy loads its entry point even where PyTorch is not installed.
"""

from collections.abc import Callable, Sequence
from typing import TypeAlias

import numpy as np
from spacy.tokens import Doc
from spacy.util import registry
from thinc.api import Dropout, Model, NumpyOps, chain, glorot_uniform_init
from thinc.types import Floats2d

from domain_ner.devices import use_one_thread_after_fork
from domain_ner.errors import DomainNerError

TokenVectors: TypeAlias = Model[list[Doc], list[Floats2d]]
TRANSITIONS = "transitions"


@registry.architectures("domain_ner.CRF.v1")
def create_crf_model(tok2vec: TokenVectors) -> TokenVectors:
    """Create a linear layer over token vectors.

    tok2vec: (n_tokens, width) for each document.
    Returns (n_tokens, 1 + 4 * n_types) for each document, in the order of `domain_ner.crf_ner.lattice`. The parameter
    `transitions` holds the transition scores between tags, as one vector.
    """
    use_one_thread_after_fork()
    return Model(
        "crf",
        forward,
        init=initialize,
        layers=[chain(tok2vec, Dropout())],
        dims={"nI": None, "nO": None},
        params={"W": None, "b": None, TRANSITIONS: None},
        refs={"tok2vec": tok2vec},
    )


def use_numpy_products(model: TokenVectors) -> None:
    """Have a loaded model multiply matrices with NumPy on the CPU: twice as fast as spaCy's Blis on small ones."""
    ops = NumpyOps(use_blis=False)
    for node in model.walk():
        if type(node.ops) is NumpyOps:  # not those of a GPU, or of an Apple processor
            node.ops = ops


def require_encoded(model: TokenVectors, name: str, docs: Sequence[Doc]) -> None:
    """Raise DomainNerError if the encoder of a listening model has not processed the documents.

    The listener itself would silently use zeros. name: of the component.
    """
    listeners = {node.name for node in model.walk()} & HAS_ENCODED.keys()
    for listener in listeners:
        component, has_encoded = HAS_ENCODED[listener]
        if not all(map(has_encoded, docs)):
            raise DomainNerError(
                f"{name} gets no vectors: the {component} before it is disabled or not in the pipeline.",
                f"Enable it, or disable {name} too: nlp.select_pipes(disable=...), spacy.load(..., exclude=...).",
            )


def _has_transformed(doc: Doc) -> bool:
    # The transformer component sets the extension; without it no document was encoded.
    return Doc.has_extension("trf_data") and doc._.trf_data is not None


# For each listener layer of spacy-transformers and of spaCy's tok2vec: the component it listens to, and whether that
# has processed a document.
HAS_ENCODED: dict[str, tuple[str, Callable[[Doc], bool]]] = {
    "transformer-listener": ("transformer", _has_transformed),
    "tok2vec-listener": ("tok2vec", lambda doc: doc.tensor.size > 0),
}


def initialize(model: TokenVectors, X: list[Doc] | None = None, Y: object = None) -> None:  # noqa: N803 (thinc's names)
    """Initialise the weights. `nO` must be set."""
    vectors = model.layers[0]
    vectors.initialize(X=X)
    width = vectors.predict(X)[0].shape[1] if X else vectors.get_dim("nO")
    model.set_dim("nI", width)
    n_tags = model.get_dim("nO")
    model.set_param("W", glorot_uniform_init(model.ops, (n_tags, width)))
    model.set_param("b", model.ops.alloc1f(n_tags))
    model.set_param(TRANSITIONS, model.ops.alloc1f(2 * n_tags))


def score_vectors(model: TokenVectors, vectors: Sequence[Floats2d]) -> list[Floats2d]:
    """Score the tags of tokens: (n_tokens, width) of each document -> (n_tokens, n_tags)."""
    weights, bias = model.get_param("W"), model.get_param("b")
    empty = model.ops.alloc2f(0, weights.shape[0])
    return [model.ops.gemm(x, weights, trans2=True) + bias if len(x) else empty for x in vectors]


def forward(
    model: TokenVectors, docs: list[Doc], is_train: bool
) -> tuple[list[Floats2d], Callable[[list[Floats2d]], list[Doc]]]:
    """Compute the scores of each document."""
    vectors, backprop_vectors = model.layers[0](docs, is_train)
    scores = score_vectors(model, vectors)
    weights = model.get_param("W")
    width = weights.shape[1]

    def backprop(d_scores: list[Floats2d]) -> list[Doc]:
        filled = [n for n, x in enumerate(vectors) if len(x)]
        d_vectors = [model.ops.alloc2f(0, width) for _ in vectors]
        if filled:
            d_all = model.ops.xp.concatenate([d_scores[n] for n in filled])
            model.inc_grad(
                "W", model.ops.gemm(d_all, model.ops.xp.concatenate([vectors[n] for n in filled]), trans1=True)
            )
            model.inc_grad("b", d_all.sum(axis=0))
            ends = np.cumsum([len(vectors[n]) for n in filled])[:-1].tolist()
            for n, d_vector in zip(filled, model.ops.xp.split(model.ops.gemm(d_all, weights), ends), strict=True):
                d_vectors[n] = d_vector
        return backprop_vectors(d_vectors)  # type: ignore[no-any-return]

    return scores, backprop
