"""Chooses the raw texts that pseudo-labels may be made for: never those of dev and test, nor what is annotated."""

from collections.abc import Sequence

from domain_ner.corpus.near_duplicates import group_near_duplicates
from domain_ner.corpus.splits import ALIKE, NGRAM


def new_texts(raw: Sequence[str], known: Sequence[str]) -> list[str]:
    """List the texts that are not known, nor a near-duplicate of one that is; each once, in their order.

    raw: the texts. known: those of the annotated corpora.
    """
    texts = [*dict.fromkeys(known), *dict.fromkeys(text for text in raw if text.strip())]
    n_known = len(dict.fromkeys(known))
    first_of = group_near_duplicates(texts, n=NGRAM, threshold=ALIKE)
    return [text for n, text in enumerate(texts) if n >= n_known and first_of[n] >= n_known]
