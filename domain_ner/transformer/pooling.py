"""`domain_ner.FirstAndMean.v1`: represents a token by its first wordpiece, concatenated with the mean of all of them.

The mean alone dilutes the beginning of a long unknown word, which often shows a name (`jake` in `jaketapper`). The
first wordpiece alone, as in Hugging Face's run_ner.py, ignores the rest of the word.
"""

from collections.abc import Callable
from typing import TypeAlias

from spacy.util import registry
from thinc.api import Model
from thinc.types import Floats2d, Ragged

Pooling: TypeAlias = Model[Ragged, Floats2d]


@registry.layers("domain_ner.FirstAndMean.v1")
def create_first_and_mean() -> Pooling:
    """Create the layer.

    Takes the wordpieces' vectors, (n_wordpieces, width), with their number for each token. Gives (n_tokens, 2 * width):
    the first, then the mean; zeros for a token without wordpieces.
    """
    return Model("first_and_mean", forward)


def forward(model: Pooling, wordpieces: Ragged, is_train: bool) -> tuple[Floats2d, Callable[[Floats2d], Ragged]]:
    """Pool the vectors, and return a function that propagates gradients to the wordpieces."""
    ops, n_wordpieces = model.ops, len(wordpieces.data)
    lengths = ops.asarray1i(wordpieces.lengths)
    width = wordpieces.data_shape[1]
    is_there = lengths > 0
    firsts = (lengths.cumsum() - lengths)[is_there]
    pooled = ops.alloc2f(len(lengths), 2 * width)
    if n_wordpieces:
        pooled[is_there, :width] = wordpieces.dataXd[firsts]
        pooled[:, width:] = ops.reduce_mean(wordpieces.dataXd, lengths)

    def backprop(d_pooled: Floats2d) -> Ragged:
        d_wordpieces = ops.alloc2f(n_wordpieces, width)
        if n_wordpieces:
            d_wordpieces += ops.backprop_reduce_mean(ops.as_contig(d_pooled[:, width:]), lengths)
            d_wordpieces[firsts] += d_pooled[is_there, :width]
        return Ragged(d_wordpieces, wordpieces.lengths)

    return pooled, backprop
