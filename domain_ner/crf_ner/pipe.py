"""`crf_ner`, the trainable component: finds entities and gives each the exact probability that it is one."""

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from spacy.attrs import IS_SPACE
from spacy.language import Language
from spacy.pipeline import TrainablePipe
from spacy.tokens import Doc, Span, SpanGroup
from spacy.training import Example, validate_examples, validate_get_examples
from spacy.vocab import Vocab
from thinc.api import Config, Model, Optimizer, set_dropout_rate, torch2xp
from thinc.types import Floats2d

from domain_ner.crf_ner.foreign_tokens import ForeignTokens, Tokenize
from domain_ner.crf_ner.model import TRANSITIONS, require_encoded
from domain_ner.crf_ner.selection import Found, apart_from, choose_apart, choose_candidates
from domain_ner.crf_ner.settings import AUTO, VITERBI, ByLabel, Settings, rarity_weights
from domain_ner.crf_ner.training_data import TrainingData
from domain_ner.devices import TORCH
from domain_ner.errors import DomainNerError

if TYPE_CHECKING:
    from domain_ner.crf_ner.decoding import Decoded

BELOW_KEY, CANDIDATES_KEY = "below_threshold", "candidates"
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

if not Span.has_extension("confidence"):
    Span.set_extension("confidence", default=None)


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
) -> "CRFRecognizer":
    """The component.

    model: `domain_ner.CRF.v1`.
    min_confidence: entities that are less probable go to `doc.spans["below_threshold"]`; one for all types, or by type:
        `{"TEAM": 0.9}`, or, for labels that a config file cannot hold as keys, `[["LOC:city", 0.9]]`.
    temperature: scores are divided by it before they become probabilities. type_temperatures: by type, what the
        log-odds of a span are divided by after that. Both are fitted by `calibrate`.
    candidates: `doc.spans["candidates"]` has the other spans that are among so many most probable ones over one of
        their tokens; 0 for none. Their probabilities are in its `attrs["scores"]`.
    decoding: `viterbi`, the entities of the most probable tagging; or `marginal`: of all spans those that together are
        furthest above `min_confidence` (0.5 unless set). Below 0.5 it finds what no single tagging is sure of.
    type_weights: how much a missed entity of a type weighs in training, at least 1; `auto`: the rarer, the more.
    scorer: of `nlp.evaluate`.
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


class CRFRecognizer(TrainablePipe):  # type: ignore[misc]
    """A linear-chain CRF over BILUO tags.

    Sets `doc.ents`, and `ent._.confidence`: the probability, over all taggings of the document, that exactly these
    tokens are an entity of that label, in 0..1.
    Missing entity values teach nothing, and `doc.spans["incorrect_spans"]` of the gold document are learned as wrong.
    """

    def __init__(  # noqa: PLR0913 (the first three are spaCy's)
        self,
        vocab: Vocab,
        model: Model[list[Doc], list[Floats2d]],
        name: str = "crf_ner",
        *,
        settings: Settings | None = None,
        scorer: Callable[..., Any] | None = None,
        tokenizer: Tokenize | None = None,
    ) -> None:
        self.vocab = vocab
        self.model = model
        self.name = name
        self.scorer = scorer
        self.foreign = ForeignTokens(name, vocab, tokenizer)
        self.settings = settings or Settings()
        self.cfg: dict[str, Any] = {"labels": [], "type_weights": {}}
        self.n_batch: int | None = None  # where a batch is learned in parts: the documents of all of it
        self.settings.check(name, ())

    @property
    def labels(self) -> tuple[str, ...]:
        """The entity types, in the order of their numbers."""
        return tuple(self.cfg["labels"])

    @property
    def label_data(self) -> tuple[str, ...]:
        """What `init labels` writes."""
        return self.labels

    def add_label(self, label: str) -> int:
        """Add a type; returns 1, or 0 where it is there. Raises DomainNerError once the weights are set up."""
        if label in self.cfg["labels"]:
            return 0
        if self.model.has_dim("nO"):
            raise DomainNerError(f"{self.name} is initialised: the type {label!r} cannot be added.", "Train it anew.")
        self.cfg["labels"].append(label)
        self.vocab.strings.add(label)
        return 1

    def initialize(
        self,
        get_examples: Callable[[], Iterable[Example]],
        *,
        nlp: Language | None = None,
        labels: Sequence[str] | None = None,
    ) -> None:
        """Find the labels in the examples, or take those given, and set up the weights."""
        validate_get_examples(get_examples, "CRFRecognizer.initialize")
        data = TrainingData.read(get_examples())
        for label in list(labels) if labels is not None else sorted(data.counts):
            self.add_label(label)
        if not self.labels:
            raise DomainNerError(
                f"{self.name} has nothing to learn: the training data holds no entity.",
                "Annotate some, or give the labels. `spacy assemble` initialises every component anew, unless the"
                ' config takes it from a trained pipeline: `source = "path"` in the place of its factory.',
            )
        data.warn(self.name, self.labels)
        self.settings.check(self.name, self.labels)
        weights = self.settings.type_weights
        self.cfg["type_weights"] = rarity_weights(data.counts) if weights == AUTO else dict(weights)  # type: ignore[arg-type]
        if nlp is not None:  # a package of the pipeline asks for what predicting takes
            requirements = nlp.meta.setdefault("requirements", [])
            requirements += [] if TORCH in requirements else [TORCH]
        self.model.set_dim("nO", 1 + 4 * len(self.labels))
        self.model.initialize(X=data.sample)

    def predict(self, docs: Iterable[Doc]) -> "list[Decoded]":
        """The best tagging of each document, with the probabilities of its entities."""
        return self.decode(self.tag_scores(docs))

    def tag_scores(self, docs: Iterable[Doc]) -> list[Floats2d]:
        """(n_tokens, n_tags) scores for each document, of the tags in the order of `domain_ner.crf_ner.lattice`.

        No entity begins or ends with a token of white space: there B, U and L have -inf.
        Raises DomainNerError where the encoder that the model listens to has not seen the documents.
        """
        docs = list(docs)
        filled = [doc for doc in docs if len(doc)]
        require_encoded(self.model, self.name, filled)
        self.foreign.look_at(filled)
        scored = iter(self.model.predict(filled) if filled else [])
        n_types = len(self.labels)
        scores = [next(scored) if len(doc) else self.model.ops.alloc2f(0, 1 + 4 * n_types) for doc in docs]
        for doc, array in zip(docs, scores, strict=True):
            is_space = self.model.ops.asarray(doc.to_array(IS_SPACE) == 1)
            array[is_space, 1 : 1 + 2 * n_types] = -math.inf  # B and U
            array[is_space, 1 + 3 * n_types :] = -math.inf  # L
        return scores

    def decode(self, scores: Sequence[Floats2d]) -> "list[Decoded]":
        """Entities and candidates from scores."""
        from domain_ner.crf_ner.decoding import Decoded, decode  # noqa: PLC0415
        from domain_ner.crf_ner.padding import padded_groups  # noqa: PLC0415

        found = [Decoded() for _ in scores]
        filled = [n for n, array in enumerate(scores) if len(array)]
        temperature = self.settings.temperature
        transitions = self.model.get_param(TRANSITIONS)
        floors = [self.settings.floor(label) for label in self.labels] if self.settings.needs_probable else []
        for group in padded_groups([scores[n] for n in filled], transitions, temperature):
            decoded = decode(group.scores, group.flat, group.lengths, floors=floors)
            for n, one in zip(group.numbers, decoded, strict=True):
                found[filled[n]] = one
        return found

    def set_annotations(self, docs: Iterable[Doc], found: "Sequence[Decoded]") -> None:
        """Write entities and confidences, what is below its threshold, and the candidates asked for.

        Entities that a component before has set stay, without confidence, and none is put over them.
        """
        for doc, decoded in zip(docs, found, strict=True):
            preset, tokens = list(doc.ents), {token.i for ent in doc.ents for token in ent}
            entities, probable = apart_from(decoded.entities, tokens), apart_from(decoded.probable, tokens)
            chosen = self.choose(replace(decoded, entities=entities, probable=probable))
            taken = {one[:3] for one in chosen}
            below = [one for one in entities if one[:3] not in taken and self._gain(one) < 0]
            for one in [*below, *chosen]:  # those with the same edges share their attributes: the entities' come last
                self._span(doc, one)._.confidence = self.confidence(one)
            doc.set_ents([*preset, *(self._span(doc, one) for one in chosen)])
            if self.settings.has_threshold:
                self._set_group(doc, BELOW_KEY, below)
            if self.settings.n_candidates:
                told = taken | {one[:3] for one in below}
                self._set_group(doc, CANDIDATES_KEY, choose_candidates(probable, told, self.settings.n_candidates))

    def choose(self, decoded: "Decoded") -> list[Found]:
        """The entities to report, by the settings."""
        if not self.settings.is_marginal:
            return [one for one in decoded.entities if self._gain(one) >= 0]
        best = {one[:3]: one for one in [*decoded.entities, *decoded.probable]}
        spans = list(best.values())
        return [spans[n] for n in choose_apart(spans, [self._gain(one) for one in spans])]

    def confidence(self, found: Found) -> float:
        """The calibrated probability of a span, in 0..1."""
        return self.settings.confidence(found.log_prob, self.labels[found.label])

    def _gain(self, found: Found) -> float:
        return self.confidence(found) - self.settings.threshold(self.labels[found.label])

    def _span(self, doc: Doc, found: Found) -> Span:
        return Span(doc, found.start, found.end, label=self.labels[found.label])

    def _set_group(self, doc: Doc, key: str, found: Sequence[Found]) -> None:
        group = SpanGroup(doc, name=key, spans=[self._span(doc, one) for one in found])
        group.attrs["scores"] = [self.confidence(one) for one in found]
        doc.spans[key] = group

    def update(
        self,
        examples: Iterable[Example],
        *,
        drop: float = 0.0,
        sgd: Optimizer | None = None,
        losses: dict[str, float] | None = None,
    ) -> dict[str, float]:
        """Learn from a batch; adds the mean loss of its documents to `losses[name]`."""
        losses = {} if losses is None else losses
        losses.setdefault(self.name, 0.0)
        validate_examples(examples, "CRFRecognizer.update")
        examples = list(examples)
        if not any(len(example.predicted) for example in examples):
            return losses
        set_dropout_rate(self.model, drop)
        # Empty documents go along: a listener expects the very batch that its encoder saw.
        scores, backprop = self.model.begin_update([example.predicted for example in examples])
        loss, d_scores = self.get_loss(examples, scores)
        backprop(d_scores)
        if sgd is not None:
            self.finish_update(sgd)
        losses[self.name] += loss
        return losses

    def get_loss(self, examples: Iterable[Example], scores: Sequence[Floats2d]) -> tuple[float, list[Floats2d]]:
        """The mean negative log-likelihood of the documents, and its gradient; that of the transitions is kept.

        With `n_batch` both are their part of the mean over so many.
        """
        from domain_ner.crf_ner.loss import negative_log_likelihood  # noqa: PLC0415
        from domain_ner.crf_ner.padding import padded_groups  # noqa: PLC0415
        from domain_ner.crf_ner.targets import known  # noqa: PLC0415

        taught = [known(example, self.labels) for example in examples]
        weights = [self.cfg["type_weights"].get(label, 1.0) for label in self.labels]
        gradients: list[Any] = [None] * len(taught)
        n_docs = self.n_batch or len(taught)
        total = 0.0
        for group in padded_groups(scores, self.model.get_param(TRANSITIONS)):
            found = negative_log_likelihood(group.scores, group.flat, [taught[n] for n in group.numbers], weights)
            total += float(found.losses.sum())
            d_transitions = torch2xp(found.d_transitions / n_docs)
            self.model.inc_grad(TRANSITIONS, self.model.ops.asarray1f(d_transitions))
            d_scores = torch2xp(found.d_scores / n_docs)
            for place, n in enumerate(group.numbers):
                gradients[n] = self.model.ops.asarray2f(d_scores[place, : len(taught[n].tags)])
        return total / n_docs, gradients

    def from_bytes(self, bytes_data: bytes, *, exclude: Iterable[str] = ()) -> "CRFRecognizer":
        """Load, and check that the settings fit what is loaded."""
        super().from_bytes(bytes_data, exclude=exclude)
        self.settings.check(self.name, self.labels)
        return self

    def from_disk(self, path: str | Path, *, exclude: Iterable[str] = ()) -> "CRFRecognizer":
        """Load, and check that the settings fit what is loaded."""
        super().from_disk(path, exclude=exclude)
        self.settings.check(self.name, self.labels)
        return self
