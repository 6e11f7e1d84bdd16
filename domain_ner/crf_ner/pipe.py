"""`crf_ner`, a trainable component: finds entities, each with its exact probability."""

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from spacy.attrs import IS_SPACE
from spacy.language import Language
from spacy.pipeline import TrainablePipe
from spacy.tokens import Doc, Span, SpanGroup
from spacy.training import Example, validate_examples, validate_get_examples
from spacy.vocab import Vocab
from thinc.api import Model, Optimizer, set_dropout_rate, torch2xp
from thinc.types import Floats2d

from domain_ner.crf_ner.decoding import Decoded, decode
from domain_ner.crf_ner.foreign_tokens import Tokenize, TokenizerCheck
from domain_ner.crf_ner.model import TRANSITIONS, require_encoded, score_vectors, use_numpy_products
from domain_ner.crf_ner.observing import note_expected, note_vectors
from domain_ner.crf_ner.padding import padded_groups
from domain_ner.crf_ner.selection import ProbableSpan, select_candidates, select_non_overlapping, without_tokens
from domain_ner.crf_ner.settings import AUTO, Settings, rarity_weights
from domain_ner.crf_ner.training_data import TrainingData
from domain_ner.devices import THREADPOOLCTL, TORCH, one_blas_thread
from domain_ner.errors import DomainNerError

BELOW_KEY, CANDIDATES_KEY = "below_threshold", "candidates"

if not Span.has_extension("confidence"):
    Span.set_extension("confidence", default=None)


class CRFRecognizer(TrainablePipe):  # type: ignore[misc]
    """A linear-chain CRF over BILUO tags.

    Sets `doc.ents` and `ent._.confidence`: the probability, over all taggings of the document, that exactly these
    tokens are an entity of that label, in 0..1.
    Training ignores missing entity values, and learns `doc.spans["incorrect_spans"]` of the gold document as wrong.
    A gold document with another model's marginals teaches these; one with a weight counts that much.
    NumPy multiplies in one thread: its products are small, and more threads take the cores from PyTorch's.
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
        self.tokenizer_check = TokenizerCheck(name, vocab, tokenizer)
        self.settings = settings or Settings()
        self.cfg: dict[str, Any] = {"labels": [], "type_weights": {}}
        self.is_observed = False  # whether documents get the notes of `observing`, for `monitor`
        self.n_batch: int | None = None  # if a batch is learned in parts: the number of documents in the whole batch
        self.settings.check(name, ())

    @property
    def labels(self) -> tuple[str, ...]:
        """The entity types, in the order of their indices."""
        return tuple(self.cfg["labels"])

    @property
    def label_data(self) -> tuple[str, ...]:
        """The data that `init labels` writes."""
        return self.labels

    def add_label(self, label: str) -> int:
        """Add a type; returns 1, or 0 if it exists. Raises DomainNerError once the weights are initialised."""
        if label in self.cfg["labels"]:
            return 0
        if self.model.has_dim("nO"):
            raise DomainNerError(
                f"Cannot add the type {label!r} to {self.name}: it is already initialised.", "Train it from scratch."
            )
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
        """Collect the labels from the examples, or use the given ones, and initialise the weights."""
        validate_get_examples(get_examples, "CRFRecognizer.initialize")
        data = TrainingData.read(get_examples())
        for label in list(labels) if labels is not None else sorted(data.counts):
            self.add_label(label)
        if not self.labels:
            raise DomainNerError(
                f"{self.name} has nothing to learn: the training data has no entity.",
                "Annotate some, or give the labels. `spacy assemble` initialises every component, unless the config"
                ' sources it from a trained pipeline: `source = "path"` instead of its factory.',
            )
        data.warn(self.name, self.labels)
        self.settings.check(self.name, self.labels)
        weights = self.settings.type_weights
        self.cfg["type_weights"] = rarity_weights(data.counts) if weights == AUTO else dict(weights)  # type: ignore[arg-type]
        if nlp is not None:  # a package of the pipeline requires what predicting needs
            requirements = nlp.meta.setdefault("requirements", [])
            requirements += [one for one in (TORCH, THREADPOOLCTL) if one not in requirements]
        self.model.set_dim("nO", 1 + 4 * len(self.labels))
        self.model.initialize(X=data.sample)
        use_numpy_products(self.model)

    @one_blas_thread()
    def predict(self, docs: Iterable[Doc]) -> list[Decoded]:
        """Predict the best tagging of each document, with the probabilities of its entities."""
        return self.decode(self.tag_scores(docs), with_expected=self.is_observed)

    @one_blas_thread()
    def token_vectors(self, docs: Iterable[Doc]) -> list[Floats2d]:
        """Compute the vectors that the tags are scored from, (n_tokens, width), of each document that is not empty.

        Raises DomainNerError when the encoder that the model listens to has not processed the documents.
        """
        filled = [doc for doc in docs if len(doc)]
        require_encoded(self.model, self.name, filled)
        self.tokenizer_check.check(filled)
        vectors = self.model.layers[0].predict(filled) if filled else []
        if self.is_observed:
            note_vectors(filled, [self.model.ops.to_numpy(array) for array in vectors])
        return vectors

    @one_blas_thread()
    def tag_scores(self, docs: Iterable[Doc], vectors: Sequence[Floats2d] | None = None) -> list[Floats2d]:
        """Score the tags of each document: (n_tokens, n_tags), in the order of `domain_ner.crf_ner.lattice`.

        No entity begins or ends with a white-space token: there B, U and L have -inf. vectors: of `token_vectors`.
        Raises DomainNerError when the encoder that the model listens to has not processed the documents.
        """
        docs = list(docs)
        scored = iter(score_vectors(self.model, self.token_vectors(docs) if vectors is None else vectors))
        n_types = len(self.labels)
        scores = [next(scored) if len(doc) else self.model.ops.alloc2f(0, 1 + 4 * n_types) for doc in docs]
        for doc, array in zip(docs, scores, strict=True):
            is_space = self.model.ops.asarray(doc.to_array(IS_SPACE) == 1)
            array[is_space, 1 : 1 + 2 * n_types] = -math.inf  # B and U
            array[is_space, 1 + 3 * n_types :] = -math.inf  # L
        return scores

    @one_blas_thread()
    def decode(self, scores: Sequence[Floats2d], *, with_expected: bool = False) -> list[Decoded]:
        """Decode scores to entities and candidates. with_expected: also compute the expected number of entities."""
        results = [Decoded() for _ in scores]
        filled = [n for n, array in enumerate(scores) if len(array)]
        temperature = self.settings.temperature
        to_numpy = self.model.ops.to_numpy
        transitions = to_numpy(self.model.get_param(TRANSITIONS))
        floors = [self.settings.floor(label) for label in self.labels] if self.settings.needs_probable else []
        for group in padded_groups([to_numpy(scores[n]) for n in filled], transitions, temperature):
            decoded = decode(group.scores, group.transitions, group.lengths, floors=floors, with_expected=with_expected)
            for n, doc_result in zip(group.numbers, decoded, strict=True):
                results[filled[n]] = doc_result
        return results

    def set_annotations(self, docs: Iterable[Doc], results: Sequence[Decoded]) -> None:
        """Write entities and confidences, spans below their threshold, and candidates.

        Entities of earlier components stay, without confidence, and none is put over them.
        """
        for doc, decoded in zip(docs, results, strict=True):
            if self.is_observed:
                note_expected(doc, self.labels, decoded.expected)
            preset, tokens = list(doc.ents), {token.i for ent in doc.ents for token in ent}
            entities, probable = without_tokens(decoded.entities, tokens), without_tokens(decoded.probable, tokens)
            chosen = self.choose(replace(decoded, entities=entities, probable=probable))
            taken = {span[:3] for span in chosen}
            below = [span for span in entities if span[:3] not in taken and self._gain(span) < 0]
            for span in [*below, *chosen]:  # spans with the same edges share attributes: the entities' values win
                self._span(doc, span)._.confidence = self.confidence(span)
            doc.set_ents([*preset, *(self._span(doc, span) for span in chosen)])
            if self.settings.has_threshold:
                self._set_group(doc, BELOW_KEY, below)
            if self.settings.n_candidates:
                listed = taken | {span[:3] for span in below}
                candidates = select_candidates(probable, listed, self.settings.n_candidates)
                self._set_group(doc, CANDIDATES_KEY, candidates)

    def choose(self, decoded: Decoded) -> list[ProbableSpan]:
        """Select the entities to report, according to the settings."""
        if not self.settings.is_marginal:
            return [span for span in decoded.entities if self._gain(span) >= 0]
        distinct = {span[:3]: span for span in [*decoded.entities, *decoded.probable]}
        spans = list(distinct.values())
        return [spans[n] for n in select_non_overlapping(spans, [self._gain(span) for span in spans])]

    def confidence(self, span: ProbableSpan) -> float:
        """The calibrated probability of a span, in 0..1."""
        return self.settings.confidence(span.log_prob, self.labels[span.label])

    def _gain(self, span: ProbableSpan) -> float:
        return self.confidence(span) - self.settings.threshold(self.labels[span.label])

    def _span(self, doc: Doc, span: ProbableSpan) -> Span:
        return Span(doc, span.start, span.end, label=self.labels[span.label])

    def _set_group(self, doc: Doc, key: str, spans: Sequence[ProbableSpan]) -> None:
        group = SpanGroup(doc, name=key, spans=[self._span(doc, span) for span in spans])
        group.attrs["scores"] = [self.confidence(span) for span in spans]
        doc.spans[key] = group

    @one_blas_thread()
    def update(
        self,
        examples: Iterable[Example],
        *,
        drop: float = 0.0,
        sgd: Optimizer | None = None,
        losses: dict[str, float] | None = None,
    ) -> dict[str, float]:
        """Learn from a batch, and add the mean loss of its documents to `losses[name]`."""
        losses = {} if losses is None else losses
        losses.setdefault(self.name, 0.0)
        validate_examples(examples, "CRFRecognizer.update")
        examples = list(examples)
        if not any(len(example.predicted) for example in examples):
            return losses
        set_dropout_rate(self.model, drop)
        # Keep empty documents: a listener expects the exact batch that its encoder processed.
        scores, backprop = self.model.begin_update([example.predicted for example in examples])
        loss, d_scores = self.get_loss(examples, scores)
        backprop(d_scores)
        if sgd is not None:
            self.finish_update(sgd)
        losses[self.name] += loss
        return losses

    def get_loss(self, examples: Iterable[Example], scores: Sequence[Floats2d]) -> tuple[float, list[Floats2d]]:
        """Compute the mean negative log-likelihood of the documents and its gradient for `scores`.

        The gradient of the transitions is added to the model. With `n_batch`, loss and gradients are divided by it.
        """
        from domain_ner.crf_ner.loss import negative_log_likelihood  # noqa: PLC0415
        from domain_ner.crf_ner.targets import targets  # noqa: PLC0415
        from domain_ner.crf_ner.tensor_groups import tensor_groups  # noqa: PLC0415

        known = [targets(example, self.labels) for example in examples]
        weights = [self.cfg["type_weights"].get(label, 1.0) for label in self.labels]
        gradients: list[Any] = [None] * len(known)
        n_docs = self.n_batch or len(known)
        total = 0.0
        for group in tensor_groups(scores, self.model.get_param(TRANSITIONS)):
            loss = negative_log_likelihood(group.scores, group.transitions, [known[n] for n in group.numbers], weights)
            total += float(loss.losses.sum())
            d_transitions = torch2xp(loss.d_transitions / n_docs)
            self.model.inc_grad(TRANSITIONS, self.model.ops.asarray1f(d_transitions))
            d_scores = torch2xp(loss.d_scores / n_docs)
            for row, n in enumerate(group.numbers):
                gradients[n] = self.model.ops.asarray2f(d_scores[row, : len(known[n].tags)])
        return total / n_docs, gradients

    def from_bytes(self, bytes_data: bytes, *, exclude: Iterable[str] = ()) -> "CRFRecognizer":
        """Load the component, and check that the settings fit its labels."""
        super().from_bytes(bytes_data, exclude=exclude)
        return self._loaded()

    def from_disk(self, path: str | Path, *, exclude: Iterable[str] = ()) -> "CRFRecognizer":
        """Load the component, and check that the settings fit its labels."""
        super().from_disk(path, exclude=exclude)
        return self._loaded()

    def _loaded(self) -> "CRFRecognizer":
        self.settings.check(self.name, self.labels)
        use_numpy_products(self.model)
        return self
