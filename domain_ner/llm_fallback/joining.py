"""Joins what a recogniser and a language model say of a document: the probability of each span, given both.

The recogniser's calibrated confidence is the prior. The language model names a span or not, and moves it by how often
it names an entity of that type, and what is none, as counted on dev (as in `metrics.label_model`).
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from math import exp, log

from spacy.tokens import Doc

from domain_ner.crf_ner.pipe import BELOW_KEY, CANDIDATES_KEY
from domain_ner.crf_ner.selection import ProbableSpan, select_non_overlapping
from domain_ner.metrics.label_model import ENTITY_PRIOR, OTHER_PRIOR

# (start, end, label), in tokens.
Place = tuple[int, int, str]
# As counts of spans that only the model named, before anything was counted: that were entities, and that were not.
ALONE_PRIOR = (1.0, 2.0)
EDGE = 1e-4


@dataclass(frozen=True)
class Trust:
    """How far a language model can be trusted in one type.

    named: probability that it names an entity which the recogniser finds possible. misnamed: that it names a span
    which is none. alone: that a span is an entity if only the model finds it. By default, what is assumed before
    anything was counted.
    """

    named: float = ENTITY_PRIOR[0] / sum(ENTITY_PRIOR)
    misnamed: float = OTHER_PRIOR[0] / sum(OTHER_PRIOR)
    alone: float = ALONE_PRIOR[0] / sum(ALONE_PRIOR)

    def join(self, prior: float | None, *, is_named: bool) -> float:
        """The probability of a span, 0..1. prior: the recogniser's; None if it does not find the span possible."""
        if prior is None:
            return self.alone
        prior = min(max(prior, EDGE), 1 - EDGE)
        ratio = self.named / self.misnamed if is_named else (1 - self.named) / (1 - self.misnamed)
        return 1 / (1 + exp(-(log(prior / (1 - prior)) + log(ratio))))


def confidences(doc: Doc) -> dict[Place, float]:
    """List what a recogniser finds possible: entities, spans below their threshold, and candidates.

    An entity without a confidence, such as one of a rule, is left out.
    """
    found = {
        (ent.start, ent.end, ent.label_): float(ent._.confidence) for ent in doc.ents if ent._.confidence is not None
    }
    for key in (BELOW_KEY, CANDIDATES_KEY):
        group = doc.spans.get(key, [])
        for span, score in zip(group, getattr(group, "attrs", {}).get("scores", ()), strict=False):
            found.setdefault((span.start, span.end, span.label_), float(score))
    return found


def join(possible: Mapping[Place, float], named: Iterable[Place], trust: Mapping[str, Trust]) -> dict[Place, float]:
    """Join both: the probability of each span that either finds possible. trust: by type."""
    given = set(named)
    return {
        place: trust.get(place[2], Trust()).join(possible.get(place), is_named=place in given)
        for place in {**possible, **dict.fromkeys(given, 0.0)}
    }


def select(likely: Mapping[Place, float], thresholds: Mapping[str, float]) -> list[Place]:
    """Select spans that do not overlap, above their thresholds by the largest sum."""
    places = sorted(likely)
    spans = [ProbableSpan(start, end, 0, 0.0) for start, end, _ in places]
    gains = [likely[place] - thresholds[place[2]] for place in places]
    return [places[n] for n in select_non_overlapping(spans, gains)]
