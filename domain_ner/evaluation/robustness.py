"""What a pipeline still finds where the text comes in worse shape: F1 on passages changed and as they are."""

import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from spacy.language import Language
from spacy.tokens import Doc

from domain_ner.corpus.docs import entities, spans_or_entities, unknown_tokens
from domain_ner.evaluation.predicting import nests
from domain_ner.metrics.perturbations import KNOWN_NAMES, NEW_NAMES, PERTURBATIONS, Passage, Surfaces, perturb
from domain_ner.metrics.resampling import Counts, Difference, compare, count
from domain_ner.metrics.scores import Entity, Scores, score_entities
from domain_ner.metrics.slices import normalize_surface

Pairs = list[tuple[tuple[Entity, ...], set[Entity]]]


@dataclass(frozen=True)
class Perturbed:
    """Scores on passages in one kind of worse shape. difference: of micro F1 from that of the passages as they are."""

    name: str
    scores: Scores
    difference: Difference


@dataclass(frozen=True)
class Robustness:
    """baseline: scores of the same passages as they are; the pipeline's own tokenizer cuts both."""

    n_passages: int
    baseline: Scores
    perturbed: list[Perturbed]


def sample(docs: Sequence[Doc], n: int, *, seed: int) -> list[Doc]:
    """At most n documents, in their order; those of which some tokens are unknown are left out."""
    whole = [place for place, doc in enumerate(docs) if not unknown_tokens(doc)]
    chosen = sorted(random.Random(seed).sample(whole, min(n, len(whole))))
    return [docs[place] for place in chosen]


def other_names(train: Sequence[Doc], test: Sequence[Doc], *, can_nest: bool = False) -> dict[str, Surfaces]:
    """Names to put in the place of others, by the perturbation that does so: of training, and those it never saw.

    can_nest: of `doc.spans["sc"]`, not of `doc.ents`.
    """
    known, found = (_surfaces(docs, spans_or_entities if can_nest else entities) for docs in (train, test))
    seen = {normalize_surface(surface) for some in known.values() for surface in some}
    new = {
        label: [surface for surface in some if normalize_surface(surface) not in seen] for label, some in found.items()
    }
    return {KNOWN_NAMES: known, NEW_NAMES: new}


def _surfaces(docs: Sequence[Doc], read: Callable[[Doc], set[Entity]]) -> dict[str, list[str]]:
    """Type to the surfaces that documents hold of it, each once."""
    found: dict[str, set[str]] = {}
    for doc in docs:
        for start, end, label in read(doc):
            found.setdefault(label, set()).add(doc.text[start:end])
    return {label: sorted(some) for label, some in found.items()}


def try_worse(
    nlp: Language,
    docs: Sequence[Doc],
    names: Mapping[str, Surfaces],
    *,
    seed: int,
    on_doc: Callable[[], None] = lambda: None,
) -> Robustness:
    """Perturb documents in every way that changes any of them, and predict. names: of `other_names`.

    on_doc: called after each prediction; there are at most `n_predictions` of them.
    """
    can_nest = nests(nlp)
    passages = [Passage(doc.text, tuple(sorted(spans_or_entities(doc) if can_nest else entities(doc)))) for doc in docs]
    plain = _predict(nlp, passages, on_doc, can_nest=can_nest)
    found = []
    for name in PERTURBATIONS:
        rng = random.Random(f"{seed} {name}")
        changed = [perturb(one, name, rng, names.get(name, {})) for one in passages]
        if changed == passages:  # no unseen name to put in, say: that would tell nothing
            continue
        pairs = _predict(nlp, changed, on_doc, can_nest=can_nest)
        found.append(Perturbed(name, score_entities(pairs), _difference(plain, pairs, seed)))
    return Robustness(len(passages), score_entities(plain), found)


def n_predictions(docs: Sequence[Doc]) -> int:
    """How many documents `try_worse` predicts on, at most."""
    return len(docs) * (1 + len(PERTURBATIONS))


def _predict(nlp: Language, passages: Sequence[Passage], on_doc: Callable[[], None], *, can_nest: bool) -> Pairs:
    found = spans_or_entities if can_nest else entities
    pairs = []
    for passage, doc in zip(passages, nlp.pipe(one.text for one in passages), strict=True):
        pairs.append((passage.entities, found(doc)))
        on_doc()
    return pairs


def _difference(plain: Pairs, perturbed: Pairs, seed: int) -> Difference:
    labels = sorted({one[2] for pairs in (plain, perturbed) for pair in pairs for some in pair for one in some})
    # Nothing is asked of single types: with hundreds of them their tests would take long.
    both = (count(pairs, labels) for pairs in (plain, perturbed))
    summed = (Counts(("all",), counts.values.sum(axis=-1, keepdims=True)) for counts in both)
    return compare(*summed, seed=seed)[""]
