"""Measures the robustness of a pipeline: F1 on changed texts, compared with F1 on the original texts."""

import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from spacy.language import Language
from spacy.tokens import Doc

from domain_ner.corpus.docs import entities, spans_or_entities, unknown_tokens
from domain_ner.evaluation.predicting import nests
from domain_ner.metrics.perturbations import KNOWN_NAMES, NEW_NAMES, PERTURBATIONS, Passage, Surfaces, perturb
from domain_ner.metrics.resampling import Counts, Difference, compare, count
from domain_ner.metrics.scores import ALL_TYPES, Entity, Scores, score_entities
from domain_ner.metrics.slices import normalize_surface

Pairs = list[tuple[tuple[Entity, ...], set[Entity]]]


@dataclass(frozen=True)
class Perturbed:
    """Scores on passages with one kind of change. difference: of micro F1 from that on the original passages."""

    name: str
    scores: Scores
    difference: Difference


@dataclass(frozen=True)
class Robustness:
    """baseline: scores on the original passages; the pipeline's own tokenizer splits both versions."""

    n_passages: int
    baseline: Scores
    perturbed: list[Perturbed]


def sample(docs: Sequence[Doc], n: int, *, seed: int) -> list[Doc]:
    """Draw at most n documents, in their order, without those that have unknown tokens."""
    whole = [place for place, doc in enumerate(docs) if not unknown_tokens(doc)]
    chosen = sorted(random.Random(seed).sample(whole, min(n, len(whole))))
    return [docs[place] for place in chosen]


def replacement_names(train: Sequence[Doc], test: Sequence[Doc], *, can_nest: bool = False) -> dict[str, Surfaces]:
    """Collect names to replace others with, by perturbation: names of the training data, and new names.

    can_nest: of `doc.spans["sc"]`, not of `doc.ents`.
    """
    known, in_test = (_surfaces(docs, spans_or_entities if can_nest else entities) for docs in (train, test))
    seen = {normalize_surface(surface) for surfaces in known.values() for surface in surfaces}
    new = {
        label: [surface for surface in surfaces if normalize_surface(surface) not in seen]
        for label, surfaces in in_test.items()
    }
    return {KNOWN_NAMES: known, NEW_NAMES: new}


def _surfaces(docs: Sequence[Doc], read: Callable[[Doc], set[Entity]]) -> dict[str, list[str]]:
    """Map each type to its distinct surfaces in the documents."""
    by_type: dict[str, set[str]] = {}
    for doc in docs:
        for start, end, label in read(doc):
            by_type.setdefault(label, set()).add(doc.text[start:end])
    return {label: sorted(surfaces) for label, surfaces in by_type.items()}


def predict_perturbed(
    nlp: Language,
    docs: Sequence[Doc],
    names: Mapping[str, Surfaces],
    *,
    seed: int,
    on_doc: Callable[[], None] = lambda: None,
) -> Robustness:
    """Predict documents under every perturbation that changes any of them. names: of `replacement_names`.

    on_doc: called after each prediction; there are at most `n_predictions` of them.
    """
    can_nest = nests(nlp)
    passages = [Passage(doc.text, tuple(sorted(spans_or_entities(doc) if can_nest else entities(doc)))) for doc in docs]
    plain = _predict(nlp, passages, on_doc, can_nest=can_nest)
    perturbed = []
    for name in PERTURBATIONS:
        rng = random.Random(f"{seed} {name}")
        changed = [perturb(passage, name, rng, names.get(name, {})) for passage in passages]
        if changed == passages:  # for example, there is no unseen name to insert
            continue
        pairs = _predict(nlp, changed, on_doc, can_nest=can_nest)
        perturbed.append(Perturbed(name, score_entities(pairs), _difference(plain, pairs, seed)))
    return Robustness(len(passages), score_entities(plain), perturbed)


def n_predictions(docs: Sequence[Doc]) -> int:
    """Return the number of documents that `predict_perturbed` predicts, at most."""
    return len(docs) * (1 + len(PERTURBATIONS))


def _predict(nlp: Language, passages: Sequence[Passage], on_doc: Callable[[], None], *, can_nest: bool) -> Pairs:
    read = spans_or_entities if can_nest else entities
    pairs = []
    for passage, doc in zip(passages, nlp.pipe(passage.text for passage in passages), strict=True):
        pairs.append((passage.entities, read(doc)))
        on_doc()
    return pairs


def _difference(plain: Pairs, perturbed: Pairs, seed: int) -> Difference:
    labels = sorted({entity[2] for pairs in (plain, perturbed) for pair in pairs for side in pair for entity in side})
    # Single types are not tested: with hundreds of types that would take long.
    both = (count(pairs, labels) for pairs in (plain, perturbed))
    summed = (Counts((ALL_TYPES,), counts.values.sum(axis=-1, keepdims=True)) for counts in both)
    return compare(*summed, seed=seed)[""]
