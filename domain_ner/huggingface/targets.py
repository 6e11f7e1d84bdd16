"""Targets for a classifier of wordpieces: the probabilities that the CRF of a pipeline gives to IOB2 tags.

Hugging Face's pipelines know the prefixes B- and I- alone, and a classifier scores wordpieces, not tokens.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from spacy.language import Language
from spacy.tokens import Doc
from spacy.util import minibatch
from thinc.types import Floats2d

from domain_ner.crf_ner.lattice import KINDS, marginals
from domain_ner.crf_ner.model import TRANSITIONS
from domain_ner.crf_ner.pipe import CRFRecognizer
from domain_ner.crf_ner.probing import BATCH, score
from domain_ner.crf_ner.tensor_groups import tensor_groups
from domain_ner.transformer.alignment import IntArray
from domain_ner.transformer.tokenizing import Tokenized

Floats = NDArray[np.float32]


@dataclass(frozen=True)
class TargetWindow:
    """A window of wordpieces. row: ids, special ones included. positions: (n,) those with a target, in the row.

    probs: (n, n_labels) of the labels of `iob2_labels`.
    """

    row: list[int]
    positions: IntArray
    probs: Floats


def iob2_labels(types: Sequence[str]) -> list[str]:
    """List the labels of the exported classifier: O, then B- and then I- of every type."""
    return ["O", *(f"B-{label}" for label in types), *(f"I-{label}" for label in types)]


def fold(probs: Floats) -> Floats:
    """Add up the probabilities of BILUO tags to those of IOB2 labels.

    probs: (n_tokens, 1 + 4 * n_types), in the order of `lattice`. Returns (n_tokens, 1 + 2 * n_types).
    """
    begin, unit, inside, last = np.split(probs[:, 1:], len(KINDS), axis=1)
    return np.concatenate([probs[:, :1], begin + unit, inside + last], axis=1)


def token_probabilities(nlp: Language, pipe: CRFRecognizer, docs: Iterable[Doc]) -> Iterator[Floats]:
    """Yield for each document (n_tokens, 1 + 2 * n_types), the calibrated marginals of its IOB2 labels.

    docs: unprocessed; the components before the recogniser are run.
    """
    for batch in minibatch(docs, BATCH):
        yield from label_probabilities(pipe, list(score(nlp, pipe, batch)))


def label_probabilities(pipe: CRFRecognizer, scores: Sequence[Floats2d]) -> list[Floats]:
    """As `token_probabilities`. scores: of `probing.score`."""
    folded = [np.zeros((0, 1 + 2 * len(pipe.labels)), dtype="f") for _ in scores]
    filled = [n for n, array in enumerate(scores) if len(array)]
    transitions, temperature = pipe.model.get_param(TRANSITIONS), pipe.settings.temperature
    for group in tensor_groups([scores[n] for n in filled], transitions, temperature):
        probs = marginals(group.scores, group.transitions, group.lengths).emissions.cpu().numpy()
        for row, n in enumerate(group.numbers):
            folded[filled[n]] = fold(probs[row, : len(scores[filled[n]])].astype("f"))
    return folded


def target_windows(doc: Tokenized, probs: Floats, *, n_before: int) -> list[TargetWindow]:
    """Assign targets to the wordpieces of a document, each in the window that its vector is taken from.

    The first wordpiece of a token has the token's probabilities. A later one continues it: I- of a type has all of
    the type's probability. One that belongs to no token (white space) continues the entity that the next token
    continues. One of several tokens belongs to the first.

    probs: of `token_probabilities`. n_before: special wordpieces before a text.
    """
    longest = max(map(len, doc.rows))
    owners, is_first = _owners(doc, longest)
    slots = [
        number * longest + n_before + np.arange(window.first, window.last) - window.start
        for number, window in enumerate(doc.windows)
    ]
    targets = _targets(owners[np.concatenate(slots)], is_first[np.concatenate(slots)], probs)
    parts = np.split(targets, np.cumsum([len(part) for part in slots])[:-1])
    return [
        TargetWindow(row, part - number * longest, target)
        for number, (row, part, target) in enumerate(zip(doc.rows, slots, parts, strict=True))
    ]


def _owners(doc: Tokenized, longest: int) -> tuple[IntArray, NDArray[np.bool_]]:
    """(n_windows * longest,) the first token of each wordpiece, or -1, and whether it is that token's first."""
    lengths = np.asarray(doc.align.lengths)
    positions = np.asarray(doc.align.dataXd).reshape(-1)
    begins = np.arange(len(positions)) == np.repeat(np.cumsum(lengths) - lengths, lengths)
    owners = np.full(len(doc.rows) * longest, -1, dtype=np.int64)
    is_first = np.zeros(len(owners), dtype=bool)
    # Backwards: of several tokens with one wordpiece, the first is written last.
    owners[positions[::-1]] = np.repeat(np.arange(len(lengths)), lengths)[::-1]
    is_first[positions[::-1]] = begins[::-1]
    return owners, is_first


def _targets(owners: IntArray, is_first: NDArray[np.bool_], probs: Floats) -> Floats:
    """(n_wordpieces, n_labels) targets of a document's wordpieces in order."""
    n_tokens, n_labels = probs.shape
    n_types = (n_labels - 1) // 2
    within = np.zeros((n_tokens + 1, n_labels), dtype="f")  # of wordpieces between this token and the one before
    within[:-1, 1 + n_types :] = probs[:, 1 + n_types :]
    within[:, 0] = 1 - within.sum(axis=1)
    later = np.zeros_like(probs)
    later[:, 0] = probs[:, 0]
    later[:, 1 + n_types :] = probs[:, 1 : 1 + n_types] + probs[:, 1 + n_types :]
    following = np.minimum.accumulate(np.where(owners >= 0, owners, n_tokens)[::-1])[::-1]
    targets = np.where(is_first[:, None], probs[owners], later[owners])
    return np.where(owners[:, None] >= 0, targets, within[following]).astype("f")
