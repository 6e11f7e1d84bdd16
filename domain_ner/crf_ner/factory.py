"""The factory of `crf_ner`, as spaCy finds it by its entry point: its settings, their defaults, and what they mean."""

from collections.abc import Callable
from typing import Any

from spacy.language import Language
from spacy.tokens import Doc
from thinc.api import Config, Model
from thinc.types import Floats2d

from domain_ner.crf_ner.pipe import CRFRecognizer
from domain_ner.crf_ner.settings import VITERBI, ByLabel, Settings

DEFAULT_MODEL = """
[model]
@architectures = "domain_ner.CRF.v1"

[model.tok2vec]
@architectures = "spacy.HashEmbedCNN.v2"
pretrained_vectors = null
width = 96
depth = 4
embed_size = 2000
window_size = 1
maxout_pieces = 3
subword_features = true
"""


@Language.factory(
    "crf_ner",
    assigns=["doc.ents", "token.ent_iob", "token.ent_type", "span._.confidence"],
    default_config={
        "model": Config().from_str(DEFAULT_MODEL)["model"],
        "min_confidence": {},
        "temperature": 1.0,
        "type_temperatures": {},
        "candidates": 0,
        "decoding": VITERBI,
        "type_weights": {},
        "scorer": {"@scorers": "spacy.ner_scorer.v1"},
    },
    default_score_weights={"ents_f": 1.0, "ents_p": 0.0, "ents_r": 0.0, "ents_per_type": None},
)
def create_crf_ner(  # noqa: PLR0913, PLR0917 (spaCy gives them by name)
    nlp: Language,
    name: str,
    model: Model[list[Doc], list[Floats2d]],
    min_confidence: float | ByLabel,
    temperature: float,
    type_temperatures: ByLabel,
    candidates: int,
    decoding: str,
    type_weights: str | ByLabel,
    scorer: Callable[..., Any] | None,
) -> CRFRecognizer:
    """Create the component.

    model: `domain_ner.CRF.v1`.
    min_confidence: less probable entities go to `doc.spans["below_threshold"]`; one value for all types, or by type:
        `{"TEAM": 0.9}`, or, for labels that a config file cannot hold as keys, `[["LOC:city", 0.9]]`.
    temperature: divides the scores before they become probabilities. type_temperatures: by type, divides the log-odds
        of a span after that. `calibrate` fits both.
    candidates: `doc.spans["candidates"]` holds other spans that are among this number of most probable ones at one of
        their tokens; 0 for none. Its `attrs["scores"]` holds their probabilities.
    decoding: `viterbi`, the entities of the most probable tagging; or `marginal`: the non-overlapping spans whose
        probabilities exceed `min_confidence` (0.5 by default) by the largest sum. Below 0.5, `marginal` finds entities
        that no single tagging is certain of.
    type_weights: weight of a missed entity of a type in training, at least 1; `auto`: rarer types weigh more.
    scorer: for `nlp.evaluate`.
    """
    settings = Settings(
        min_confidence=dict(min_confidence) if isinstance(min_confidence, list) else min_confidence,
        temperature=temperature,
        type_temperatures=dict(type_temperatures),
        n_candidates=candidates,
        decoding=decoding,
        type_weights=dict(type_weights) if isinstance(type_weights, list) else type_weights,
    )
    return CRFRecognizer(nlp.vocab, model, name, settings=settings, scorer=scorer, tokenizer=nlp.tokenizer)
