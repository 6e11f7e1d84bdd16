"""`crf_ner`, the trainable component: finds entities and gives each the exact probability that it is one."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from math import exp
from typing import TYPE_CHECKING, Any

from spacy.language import Language
from spacy.pipeline import TrainablePipe
from spacy.tokens import Doc, Span
from spacy.training import Example, validate_examples, validate_get_examples
from spacy.vocab import Vocab
from thinc.api import Config, Model, Optimizer, set_dropout_rate, torch2xp, xp2torch
from thinc.types import Floats2d

from domain_ner.crf_ner.model import TRANSITIONS
from domain_ner.errors import DomainNerError

if TYPE_CHECKING:
    from domain_ner.crf_ner.lattice import Decoded
    from domain_ner.crf_ner.loss import Known

REJECTED_KEY = "incorrect_spans"
N_SAMPLES = 10
REQUIREMENT = "torch>=2.2"
KINDS = "BUIL"
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
    default_config={"model": Config().from_str(DEFAULT_MODEL)["model"], "scorer": {"@scorers": "spacy.ner_scorer.v1"}},
    default_score_weights={"ents_f": 1.0, "ents_p": 0.0, "ents_r": 0.0, "ents_per_type": None},
)
def create_crf_ner(
    nlp: Language, name: str, model: Model[list[Doc], list[Floats2d]], scorer: Callable[..., Any] | None
) -> "CRFRecognizer":
    """The component. model: `domain_ner.CRF.v1`. scorer: of `nlp.evaluate`."""
    return CRFRecognizer(nlp.vocab, model, name, scorer=scorer)


class CRFRecognizer(TrainablePipe):  # type: ignore[misc]
    """A linear-chain CRF over BILUO tags.

    Sets `doc.ents`, and `ent._.confidence`: the probability, over all taggings of the document, that exactly these
    tokens are an entity of that label, in 0..1.
    Missing entity values teach nothing, and `doc.spans["incorrect_spans"]` of the gold document are learned as wrong.
    """

    def __init__(
        self,
        vocab: Vocab,
        model: Model[list[Doc], list[Floats2d]],
        name: str = "crf_ner",
        *,
        scorer: Callable[..., Any] | None = None,
    ) -> None:
        self.vocab = vocab
        self.model = model
        self.name = name
        self.scorer = scorer
        self.cfg: dict[str, Any] = {"labels": []}

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
        sample: list[Doc] = []
        found = set(labels or ())
        for example in get_examples():
            if labels is None:
                found.update(ent.label_ for ent in example.reference.ents)
                found.update(span.label_ for span in example.reference.spans.get(REJECTED_KEY, ()))
            if len(sample) < N_SAMPLES and len(example.predicted):
                sample.append(example.predicted)
            elif labels is not None:
                break
        for label in list(labels) if labels is not None else sorted(found):
            self.add_label(label)
        if not self.labels:
            raise DomainNerError("The training data holds no entity.", "Annotate some, or give the labels.")
        if nlp is not None:  # a package of the pipeline asks for what predicting takes
            requirements = nlp.meta.setdefault("requirements", [])
            requirements += [] if REQUIREMENT in requirements else [REQUIREMENT]
        self.model.set_dim("nO", 1 + 4 * len(self.labels))
        self.model.initialize(X=sample)

    def predict(self, docs: Iterable[Doc]) -> "list[Decoded]":
        """The best tagging of each document, with the probabilities of its entities."""
        from domain_ner.crf_ner.lattice import Decoded, decode  # noqa: PLC0415

        docs = list(docs)
        filled = [n for n, doc in enumerate(docs) if len(doc)]
        found = [Decoded([], []) for _ in docs]
        if not filled:
            return found
        scores = self.model.predict([docs[n] for n in filled])
        for n, decoded in zip(filled, self._in_torch(decode, scores), strict=True):
            found[n] = decoded
        return found

    def set_annotations(self, docs: Iterable[Doc], found: "Sequence[Decoded]") -> None:
        """Write entities and confidences."""
        for doc, decoded in zip(docs, found, strict=True):
            ents = [Span(doc, start, end, label=self.labels[label]) for start, end, label in decoded.spans]
            doc.set_ents(ents)
            for ent, log_prob in zip(ents, decoded.log_probs, strict=True):
                ent._.confidence = exp(log_prob)

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
        """The mean negative log-likelihood of the documents, and its gradient; that of the transitions is kept."""
        from domain_ner.crf_ner.loss import negative_log_likelihood  # noqa: PLC0415

        known = [self._known(example) for example in examples]

        def compute(padded: Any, flat: Any, lengths: Any) -> Any:
            return negative_log_likelihood(padded, flat, known)

        found = self._in_torch(compute, scores)
        n_docs = len(known)
        self.model.inc_grad(TRANSITIONS, self.model.ops.asarray1f(torch2xp(found.d_transitions / n_docs)))
        d_scores = torch2xp(found.d_scores / n_docs)
        gradients = [self.model.ops.asarray2f(d_scores[n, : len(one.tags)]) for n, one in enumerate(known)]
        return float(found.losses.sum()) / n_docs, gradients

    def _in_torch(self, compute: Callable[..., Any], scores: Sequence[Floats2d]) -> Any:
        """Call compute(padded scores, transitions, lengths) on tensors in float32, without gradients."""
        import torch  # noqa: PLC0415

        with torch.no_grad():
            tensors = [xp2torch(array).float() for array in scores]
            lengths = torch.tensor([len(tensor) for tensor in tensors], device=tensors[0].device)
            padded = torch.nn.utils.rnn.pad_sequence(tensors, batch_first=True)
            return compute(padded, xp2torch(self.model.get_param(TRANSITIONS)).float(), lengths)

    def _known(self, example: Example) -> "Known":
        from domain_ner.crf_ner.loss import Known  # noqa: PLC0415

        numbers = self._tag_numbers()
        tags = [numbers.get(tag) if tag is not None else None for tag in example.get_aligned_ner()]
        return Known(tags, list(self._rejected(example)))

    def _rejected(self, example: Example) -> Iterator[tuple[int, int, int]]:
        if REJECTED_KEY in example.reference.spans:
            spans = list(example.reference.spans[REJECTED_KEY])
            for span in example.get_aligned_spans_y2x(spans, allow_overlap=True):
                if span.label_ in self.labels:
                    yield span.start, span.end, self.labels.index(span.label_)

    def _tag_numbers(self) -> dict[str, int]:
        n_types = len(self.labels)
        numbers = {"O": 0}
        for place, kind in enumerate(KINDS):
            numbers |= {f"{kind}-{label}": 1 + place * n_types + n for n, label in enumerate(self.labels)}
        return numbers
