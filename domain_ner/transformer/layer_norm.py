"""`domain_ner.LayerNorm.v1`: layer normalisation (Ba et al. 2016) with the epsilon of an encoder's config.

thinc's own adds 1e-8 to the variance, ModernBERT 1e-5, which changes the output where vectors are short.
"""

from collections.abc import Callable
from typing import TypeAlias

from spacy.util import registry
from thinc.api import Model
from thinc.types import Floats2d

Normalised: TypeAlias = Model[Floats2d, Floats2d]


@registry.layers("domain_ner.LayerNorm.v1")
def create_layer_norm(nI: int, eps: float) -> Normalised:  # noqa: N803 (thinc's name)
    """Create the layer, from (n, nI) to (n, nI). eps: added to the variance."""
    dims = {"nI": nI, "nO": nI}
    return Model("layer_norm", forward, init=initialize, dims=dims, params={"G": None, "b": None}, attrs={"eps": eps})


def initialize(model: Normalised, X: Floats2d | None = None, Y: object = None) -> None:  # noqa: N803 (thinc's names)
    """Initialise the gain with ones and the bias with zeros."""
    model.set_param("G", model.ops.alloc1f(model.get_dim("nI")) + 1)
    model.set_param("b", model.ops.alloc1f(model.get_dim("nI")))


def forward(model: Normalised, vectors: Floats2d, is_train: bool) -> tuple[Floats2d, Callable[[Floats2d], Floats2d]]:
    """Normalise each vector."""
    gain, bias = model.get_param("G"), model.get_param("b")
    centred = vectors - vectors.mean(axis=1, keepdims=True)
    std = model.ops.xp.sqrt((centred**2).mean(axis=1, keepdims=True) + model.attrs["eps"])
    normal = centred / std

    def backprop(d_output: Floats2d) -> Floats2d:
        model.inc_grad("G", (d_output * normal).sum(axis=0))
        model.inc_grad("b", d_output.sum(axis=0))
        d_normal = d_output * gain
        along = normal * (d_normal * normal).mean(axis=1, keepdims=True)
        return (d_normal - d_normal.mean(axis=1, keepdims=True) - along) / std

    return normal * gain + bias, backprop
