"""The marginals of a trained recogniser with a document, from which another one learns (`loss.SoftTags`).

They are in `doc.user_data`, in float16, for the tokens that may belong to an entity.
"""

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from spacy.tokens import Doc

from domain_ner.annotations.doc_keys import MARGINALS_KEY
from domain_ner.crf_ner.lattice import KINDS
from domain_ner.crf_ner.loss import SoftTags
from domain_ner.errors import DomainNerError

# A token that is outside of entities with at least this probability counts as outside.
SURELY_OUTSIDE = 0.999

Array = NDArray[np.float64]


class TagMarginals(NamedTuple):
    """Of one document, in the order of the types. emissions: (n_tokens, n_tags). uses: (n_transitions,)."""

    emissions: Array
    uses: Array


def note_marginals(doc: Doc, labels: Sequence[str], found: TagMarginals) -> None:
    """Keep marginals with a document. labels: the types, in the marginals' order."""
    rows = np.flatnonzero(found.emissions[:, 0] < SURELY_OUTSIDE)
    doc.user_data[MARGINALS_KEY] = {
        "labels": list(labels),
        "tokens": rows.astype("<i4").tobytes(),
        "emissions": found.emissions[rows].astype("<f2").tobytes(),
        "uses": found.uses.astype("<f4").tobytes(),
    }


def soft_tags(doc: Doc, labels: Sequence[str], weight: float = 1.0) -> SoftTags:
    """Read the marginals of a document. labels: the types of the recogniser that learns, which give the order.

    Raises DomainNerError as `in_order` does.
    """
    noted: dict[str, Any] = doc.user_data[MARGINALS_KEY]
    rows = np.frombuffer(noted["tokens"], "<i4")
    probable = np.frombuffer(noted["emissions"], "<f2").astype(np.float64)
    uses = np.frombuffer(noted["uses"], "<f4").astype(np.float64)
    emissions = np.zeros((len(doc), 1 + len(KINDS) * len(noted["labels"])))
    emissions[:, 0] = 1
    emissions[rows] = probable.reshape(len(rows), emissions.shape[1])
    emissions /= emissions.sum(axis=1, keepdims=True)
    found = in_order(TagMarginals(emissions, uses), noted["labels"], labels)
    return SoftTags(torch.from_numpy(found.emissions), torch.from_numpy(found.uses), weight)


def in_order(found: TagMarginals, known: Sequence[str], wanted: Sequence[str]) -> TagMarginals:
    """Put marginals in the order of other types than they are in.

    Raises DomainNerError if the two have other types: what a teacher does not know, it would teach to be nothing.
    """
    order, n_types = _order(known, wanted), len(known)
    kinds = found.emissions[:, 1:].reshape(-1, len(KINDS), n_types)[:, :, order]
    emissions = np.concatenate([found.emissions[:, :1], kinds.reshape(len(kinds), -1)], axis=1)
    uses = np.concatenate([found.uses[:2], found.uses[2:].reshape(-1, n_types)[:, order].reshape(-1)])
    return TagMarginals(emissions, uses)


def _order(known: Iterable[str], wanted: Sequence[str]) -> list[int]:
    places = {label: n for n, label in enumerate(known)}
    if set(places) != set(wanted):
        missing, more = sorted(set(wanted) - set(places)), sorted(set(places) - set(wanted))
        told = [f"{what} {', '.join(some)}" for what, some in (("lacks", missing), ("has beside them", more)) if some]
        raise DomainNerError(
            f"The teacher does not have the types of the recogniser that learns: it {' and '.join(told)}.",
            "Let a pipeline with the same types write them anew.",
        )
    return [places[label] for label in wanted]
