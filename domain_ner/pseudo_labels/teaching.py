"""Lets trained recognisers teach another one on raw texts: by their exact marginals (distillation)."""

from collections.abc import Iterable, Iterator, Sequence

import numpy as np
import torch
from spacy.language import Language
from spacy.tokens import Doc
from spacy.util import minibatch

from domain_ner.crf_ner.lattice import marginals
from domain_ner.crf_ner.model import TRANSITIONS
from domain_ner.crf_ner.pipe import CRFRecognizer
from domain_ner.crf_ner.probing import BATCH, forget_vectors, process_before, recogniser
from domain_ner.crf_ner.soft_labels import TagMarginals, in_order, note_marginals
from domain_ner.crf_ner.tensor_groups import tensor_groups
from domain_ner.errors import DomainNerError


def taught(teachers: Sequence[Language], texts: Iterable[str]) -> Iterator[Doc]:
    """Make gold documents with the mean of the teachers' marginals, in the order of the texts.

    Use or store each document before the next one: its words are forgotten then.
    Raises DomainNerError if a teacher gives no probabilities, or if two have other types or other tokens.
    """
    first = teachers[0]
    labels = recogniser(first).labels
    for batch in minibatch(texts, BATCH):
        with first.memory_zone():
            gold = [first.make_doc(text) for text in batch]
            by_teacher = [list(_of_teacher(nlp, gold, labels)) for nlp in teachers]
            for doc, several in zip(gold, zip(*by_teacher, strict=True), strict=True):
                doc.set_ents([], default="missing")
                note_marginals(doc, labels, average(several))
                yield doc


def _of_teacher(nlp: Language, gold: Sequence[Doc], labels: Sequence[str]) -> Iterator[TagMarginals]:
    pipe = recogniser(nlp)
    docs = [nlp.make_doc(doc.text) for doc in gold]
    for doc, own in zip(gold, docs, strict=True):
        if [token.idx for token in doc] != [token.idx for token in own]:
            raise DomainNerError(
                "The teachers' tokenizers differ.", "Train all of them on one corpus: convert learns the tokenizer."
            )
    for found in tag_marginals(nlp, pipe, docs):
        yield in_order(found, pipe.labels, labels)


def tag_marginals(nlp: Language, pipe: CRFRecognizer, docs: Sequence[Doc]) -> list[TagMarginals]:
    """Compute the marginals of documents that no component has processed, at the calibrated temperature.

    Raises DomainNerError when the documents have other tokens than the pipeline's tokenizer makes.
    """
    processed = process_before(nlp, pipe, docs)
    scores = pipe.tag_scores(processed)
    forget_vectors(processed)
    n_types = len(pipe.labels)
    found = [TagMarginals(np.zeros((0, 1 + 4 * n_types)), np.zeros(2 + 8 * n_types)) for _ in docs]
    filled = [n for n, array in enumerate(scores) if len(array)]
    transitions = pipe.model.get_param(TRANSITIONS)
    with torch.no_grad():
        for group in tensor_groups([scores[n] for n in filled], transitions, pipe.settings.temperature):
            both = marginals(group.scores, group.transitions, group.lengths)
            for row, n in enumerate(group.numbers):
                length = len(scores[filled[n]])
                found[filled[n]] = TagMarginals(
                    both.emissions[row, :length].cpu().numpy(), both.uses[row].cpu().numpy()
                )
    return found


def average(several: Sequence[TagMarginals]) -> TagMarginals:
    """Average what several recognisers think of one document: the marginals of their mixture."""
    return TagMarginals(
        np.mean([one.emissions for one in several], axis=0), np.mean([one.uses for one in several], axis=0)
    )
