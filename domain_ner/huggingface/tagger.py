"""Puts an encoder under transformers' token classifier of its model type, and fits the classifier's weights."""

import copy
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from transformers import AutoModelForTokenClassification

from domain_ner.errors import DomainNerError
from domain_ner.transformer.shim import plain

# Weights of an encoder that a token classifier does not use.
UNUSED = ("pooler.",)
# Maximal difference between logits computed by two ways, relative to the largest.
TOLERANCE = 1e-3
# On weights for standardised features; the more, the less the classifier learns by heart.
PENALTY = 1e-5
MAX_STEPS = 150


@dataclass(frozen=True)
class Tagger:
    """model: an `AutoModelForTokenClassification`. encoder: the part of it below the classifier."""

    model: Any
    encoder: Any
    classifier: nn.Linear


def make_tagger(encoder: Any, labels: Sequence[str]) -> Tagger:
    """Make the token classifier of an encoder's model type, with a copy of its weights. The classifier is random.

    Raises DomainNerError for a model type without a token classifier, or whose classifier is not one linear layer on
    the encoder's output.
    """
    config = copy.deepcopy(encoder.config)
    config.id2label = dict(enumerate(labels))
    config.label2id = {label: n for n, label in enumerate(labels)}
    config.name_or_path = ""
    prepare = _prepare_modernbert if config.model_type == "modernbert" else None
    if prepare:
        prepare(config)
    try:
        model = AutoModelForTokenClassification.from_config(config)
    except ValueError as err:
        raise DomainNerError(
            f"transformers has no token classifier for encoders of type {config.model_type!r}.",
            "Train with an encoder of another type, such as BERT, RoBERTa, DeBERTa or MPNet.",
        ) from err
    tagger = find_parts(model)
    missing, unexpected = tagger.encoder.load_state_dict(encoder.state_dict(), strict=False)
    surplus = [name for name in unexpected if not name.startswith(UNUSED)]
    if missing or surplus:
        raise _unsupported(config.model_type, f"weights that do not fit: {', '.join([*missing, *surplus][:5])}")
    if prepare:
        _pass_through(model)
    model.to(encoder.device).eval()
    require_linear(tagger)
    return tagger


def find_parts(model: Any) -> Tagger:
    """Find encoder and classifier of a token classifier. Raises DomainNerError if one is not found."""
    encoder = getattr(model, model.base_model_prefix, None)
    linear = [module for name, module in model.named_modules() if isinstance(module, nn.Linear) and "." not in name]
    if encoder is None or encoder is model or not linear or linear[-1].out_features != model.config.num_labels:
        raise _unsupported(model.config.model_type, f"{type(model).__name__} has no classifier that is a linear layer")
    return Tagger(model, encoder, linear[-1])


def require_linear(tagger: Tagger, head: Any = None) -> None:
    """Raise DomainNerError unless the classifier is one linear layer on the encoder's output, as computed.

    head: layers between them, if they are known.
    """
    logits, hidden = probe(tagger)
    with torch.no_grad():
        expected = tagger.classifier(hidden if head is None else head(hidden))
    if float((logits - expected).abs().max()) > TOLERANCE * max(1.0, float(expected.abs().max())):
        what = f"{type(tagger.model).__name__} has more than one linear layer on its encoder"
        raise _unsupported(tagger.model.config.model_type, what)


def probe(tagger: Tagger) -> tuple[Tensor, Tensor]:
    """Logits and the encoder's output, without gradients, for some wordpieces."""
    config = tagger.model.config
    n_ids = min(16, config.vocab_size)
    ids = torch.linspace(0, config.vocab_size - 1, n_ids, device=tagger.model.device).long()[None]
    pad = config.pad_token_id if config.pad_token_id is not None else -1
    ids[ids == pad] = (pad + 1) % config.vocab_size  # some encoders count no position for it
    with torch.no_grad():
        mask = torch.ones_like(ids)
        logits = tagger.model(input_ids=ids, attention_mask=mask).logits
        return logits, tagger.encoder(input_ids=ids, attention_mask=mask).last_hidden_state


def fit_classifier(classifier: nn.Linear, features: Tensor, probs: Tensor) -> float:
    """Set the weights whose softmax is closest to probabilities: multinomial logistic regression, by L-BFGS.

    features: (n, width); probs: (n, n_labels). Returns the mean cross-entropy above the least possible, in nats.
    """
    mean, std = features.mean(0), features.std(0).clamp(min=1e-6)
    scaled = (features - mean) / std
    weights = torch.zeros_like(classifier.weight).requires_grad_()
    bias = probs.mean(0).clamp(min=1e-6).log().requires_grad_()
    optimizer = torch.optim.LBFGS([weights, bias], max_iter=MAX_STEPS, history_size=20, line_search_fn="strong_wolfe")

    def loss() -> Tensor:
        optimizer.zero_grad()
        total = _divergence(scaled @ weights.T + bias, probs) + PENALTY / 2 * weights.square().sum()
        total.backward()
        return total

    optimizer.step(loss)
    with torch.no_grad():
        classifier.weight.copy_(weights / std)
        classifier.bias.copy_(bias - classifier.weight @ mean)
        return float(_divergence(classifier(features), probs))


def _divergence(logits: Tensor, probs: Tensor) -> Tensor:
    """Mean Kullback-Leibler divergence of a softmax from probabilities."""
    return nn.functional.kl_div(logits.log_softmax(1), probs, reduction="batchmean")


def _prepare_modernbert(config: Any) -> None:
    """Configure the prediction head between ModernBERT's encoder and its classifier as a linear function."""
    plain(config)
    config.classifier_activation = "linear"
    config.classifier_bias = config.norm_bias


def _pass_through(model: Any) -> None:
    """Make ModernBERT's prediction head return its input.

    Its last step normalises, and the input is the output of a normalisation with other weights w. So its first layer
    divides by w, and its last step multiplies by w: the normalisation between changes nothing.
    """
    norm, head = model.model.final_norm, model.head
    with torch.no_grad():
        scale = torch.where(norm.weight.abs() < 1e-6, torch.ones_like(norm.weight), norm.weight)
        head.dense.weight.copy_(torch.diag(1 / scale))
        head.norm.weight.copy_(norm.weight)
        if norm.bias is not None:
            head.dense.bias.copy_(-norm.bias / scale)
            head.norm.bias.copy_(norm.bias)


def _unsupported(model_type: str, why: str) -> DomainNerError:
    return DomainNerError(
        f"Encoders of type {model_type!r} are not supported: {why}.",
        "Expected an encoder whose token classifier is a linear layer on its last hidden states, such as BERT,"
        " RoBERTa, ELECTRA, DistilBERT, MPNet or DeBERTa.",
    )
