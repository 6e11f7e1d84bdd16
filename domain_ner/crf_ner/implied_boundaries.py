"""`domain_ner.ImpliedBoundaries.v1`: scores BILUO tags by a classifier whose labels do not say where entities begin.

In `PER PER LOC` or `I-PER I-PER I-LOC` an entity begins where the type changes. The lattice scores an entity after
another one without knowing the other's type, so a label's score alone cannot tell a new entity from a continued one.

The probability of a sequence of labels is the product of the classifier's probabilities p. Here `in(X)` is the
probability of all labels of type X, and `again(X)` that of a label that begins X after X (`B-X` in IOB1; 0 without
such labels). The scores are the logs of p(O) for O, of in(X) for B and U, and of in(X) without again(X) for I and L.
To open an entity right after another costs APART, which the CRF's transitions hold: so `X X` is one entity.

At a boundary where the likeliest labels are those of two entities, opening gains APART, and O before it costs APART.
That moves the cost from (entity, opened) to (O, O), which is unlikely there, and changes neither (O, opened) nor
(entity, O). So the best path is that of the likeliest labels, and probabilities are exact but for the less likely of
the two cases at each boundary, and entities of a type in a row that is not the likeliest there.
"""

from collections.abc import Callable
from typing import TypeAlias

from spacy.tokens import Doc
from spacy.util import registry
from thinc.api import Model
from thinc.types import Floats2d

TokenVectors: TypeAlias = Model[list[Doc], list[Floats2d]]
# Log of how much less likely it is than its labels that entities of one type are apart without anything between.
APART = 30.0
# Log-probability of a label that the classifier does not have.
NEVER = -1e4


@registry.architectures("domain_ner.ImpliedBoundaries.v1")
def create_implied_boundaries(tok2vec: TokenVectors, n_types: int, begins: bool) -> TokenVectors:
    """Create a classifier of token vectors, whose log-probabilities become scores of BILUO tags.

    tok2vec: (n_tokens, width) for each document. n_types: number of entity types.
    begins: whether labels exist that begin an entity after one of its type. The classifier has a row for O, for each
    type, and then, with `begins`, for each type's beginning.
    Returns (n_tokens, 1 + 4 * n_types) for each document, in the order of `domain_ner.crf_ner.lattice`.
    """
    return Model(
        "implied_boundaries",
        forward,
        init=initialize,
        layers=[tok2vec],
        dims={"nO": 1 + 4 * n_types, "nI": None},
        params={"W": None, "b": None},
        attrs={"n_types": n_types, "begins": begins},
    )


def initialize(model: TokenVectors, X: list[Doc] | None = None, Y: object = None) -> None:  # noqa: N803 (thinc's names)
    """Initialise the weights with zeros."""
    vectors = model.layers[0]
    vectors.initialize(X=X)
    width = vectors.predict(X)[0].shape[1] if X else vectors.get_dim("nO")
    n_labels = 1 + model.attrs["n_types"] * (2 if model.attrs["begins"] else 1)
    model.set_dim("nI", width)
    model.set_param("W", model.ops.alloc2f(n_labels, width))
    model.set_param("b", model.ops.alloc1f(n_labels))


def forward(
    model: TokenVectors, docs: list[Doc], is_train: bool
) -> tuple[list[Floats2d], Callable[[list[Floats2d]], list[Doc]]]:
    """Compute the scores. Gradients take the likeliest labels as given."""
    vectors, backprop_vectors = model.layers[0](docs, is_train)
    weights, bias, n_types = model.get_param("W"), model.get_param("b"), model.attrs["n_types"]
    logits = [model.ops.gemm(x, weights, trans2=True) + bias if len(x) else None for x in vectors]
    log_probs = [None if array is None else _log_softmax(model, array) for array in logits]
    scores = [model.ops.alloc2f(0, 1 + 4 * n_types) if array is None else _scores(model, array) for array in log_probs]

    def backprop(d_scores: list[Floats2d]) -> list[Doc]:
        d_vectors = []
        for x, array, d_score in zip(vectors, log_probs, d_scores, strict=True):
            if array is None:
                d_vectors.append(model.ops.alloc2f(0, weights.shape[1]))
                continue
            d_log = _d_log_probs(model, array, d_score)
            d_logits = d_log - model.ops.xp.exp(array) * d_log.sum(axis=1, keepdims=True)
            model.inc_grad("W", model.ops.gemm(d_logits, x, trans1=True))
            model.inc_grad("b", d_logits.sum(axis=0))
            d_vectors.append(model.ops.gemm(d_logits, weights))
        return backprop_vectors(d_vectors)  # type: ignore[no-any-return]

    return scores, backprop


def _log_softmax(model: TokenVectors, logits: Floats2d) -> Floats2d:
    xp = model.ops.xp
    shifted = logits - logits.max(axis=1, keepdims=True)
    return shifted - xp.log(xp.exp(shifted).sum(axis=1, keepdims=True))


def _parts(model: TokenVectors, log_probs: Floats2d) -> tuple[Floats2d, Floats2d, Floats2d, Floats2d]:
    """Split into (n_tokens, 1) of O, and (n_tokens, n_types) of continued, again and either."""
    xp, n_types = model.ops.xp, model.attrs["n_types"]
    outside, continued = log_probs[:, :1], log_probs[:, 1 : 1 + n_types]
    again = log_probs[:, 1 + n_types :] if model.attrs["begins"] else xp.full_like(continued, NEVER)
    return outside, continued, again, xp.logaddexp(continued, again)


def _scores(model: TokenVectors, log_probs: Floats2d) -> Floats2d:
    """(n_tokens, 1 + 4 * n_types) from (n_tokens, n_labels)."""
    xp = model.ops.xp
    outside, continued, _, either = _parts(model, log_probs)
    apart = (APART * _touching(model, log_probs)).astype("f")[:, None]
    opened, ends = either.copy(), outside.copy()
    opened[1:] += apart
    ends[:-1] -= apart
    return xp.hstack([ends, opened, opened, continued, continued])


def _touching(model: TokenVectors, log_probs: Floats2d) -> Floats2d:
    """(n_tokens - 1,) whether two entities touch at each boundary, by the likeliest labels: 1 or 0."""
    xp = model.ops.xp
    outside, continued, again, either = _parts(model, log_probs)
    before, after = either[:-1], either[1:]
    rows, best = xp.arange(len(before)), before.argmax(axis=1)
    second = before.copy()
    second[rows, best] = NEVER
    is_best = xp.arange(before.shape[1]) == best[:, None]
    of_other_type = xp.where(is_best, second.max(axis=1)[:, None], before.max(axis=1)[:, None])
    touching = xp.maximum((of_other_type + after).max(axis=1), (before + again[1:]).max(axis=1))
    others = xp.maximum((before + continued[1:]).max(axis=1), (outside[:-1] + outside[1:])[:, 0])
    return touching > others


def _d_log_probs(model: TokenVectors, log_probs: Floats2d, d_scores: Floats2d) -> Floats2d:
    xp, n_types = model.ops.xp, model.attrs["n_types"]
    _, continued, again, either = _parts(model, log_probs)
    d_begin, d_unit, d_inside, d_last = (d_scores[:, 1 + n * n_types : 1 + (n + 1) * n_types] for n in range(4))
    d_either = d_begin + d_unit
    d_parts = [d_scores[:, :1], d_inside + d_last + d_either * xp.exp(continued - either)]
    if model.attrs["begins"]:
        d_parts.append(d_either * xp.exp(again - either))
    return xp.hstack(d_parts)
