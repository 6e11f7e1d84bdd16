"""Makes a spaCy pipeline of a fine-tuned token classifier, with `crf_ner` in the place of its argmax.

The classifier's logits at a token's first wordpiece become the scores of BILUO tags. With IOB2 and BILUO labels, the
lattice then is the classifier's own distribution (each token for itself) among the sequences that are legal in the
scheme: an entity's confidence is exactly its probability there, and the best path is the likeliest legal sequence.
Labels that do not say where entities begin go through `domain_ner.crf_ner.implied_boundaries`.
"""

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from spacy.language import Language
from spacy.training import Example
from thinc.api import fix_random_seed

from domain_ner.corpus.languages import blank
from domain_ner.crf_ner.implied_boundaries import APART, NEVER
from domain_ner.crf_ner.lattice import KINDS
from domain_ner.crf_ner.model import TRANSITIONS
from domain_ner.errors import DomainNerError
from domain_ner.huggingface.checkpoint import Checkpoint, head_of, quiet
from domain_ner.huggingface.label_sets import BILUO, IOB1, IOB2, LabelSet

Floats = NDArray[np.float32]
TEXT = "A text to find the widths with."
# ModernBERT reads 8,192 wordpieces at once, which is slow and needs much memory.
MAX_WINDOW = 512
OVERLAP = 50
# The names of thinc's layers for ModernBERT's activations.
ACTIVATIONS = {"gelu": "Gelu.v1", "linear": "Linear.v1"}
TRANSFORMER = {
    "@architectures": "domain_ner.TransformerModel.v1",
    "transformer_config": {},
    "mixed_precision": False,
    "grad_scaler_config": {},
    "learn_rate_factor": 1.0,
    "freeze_embeddings": True,
    "freeze_layers": 0,
    "layer_decay": 1.0,
    "mask_share": 0.0,
    "cpu_bfloat16": True,
    "max_batch_items": 4096,
}
LISTENER = {
    "@architectures": "spacy-transformers.TransformerListener.v1",
    "grad_factor": 1.0,
    "pooling": {"@layers": "domain_ner.FirstAndMean.v1"},
}


def import_checkpoint(checkpoint: Checkpoint, labels: LabelSet, lang: str) -> Language:
    """Make a pipeline of tokenizer, `transformer` and `crf_ner`. labels: read from those of the checkpoint.

    lang: spaCy's code. Raises DomainNerError for a language that spaCy does not know, for an encoder without a fast
    tokenizer, and for a ModernBERT with another activation than gelu.
    """
    tokenizer = {"@tokenizers": "domain_ner.Tokenizer.v1", "splits": [], "normalize": ""}
    nlp = blank(lang, {"nlp": {"tokenizer": tokenizer, "batch_size": 64}}, factories=("transformer", "crf_ner"))
    nlp.add_pipe("transformer", config={"model": _transformer(checkpoint), "max_batch_items": 4096})
    tok2vec = _tok2vec(checkpoint, labels)
    nlp.add_pipe("crf_ner", config={"model": {"@architectures": "domain_ner.CRF.v1", "tok2vec": tok2vec}})
    nlp.config["initialize"]["components"]["crf_ner"] = {"labels": list(labels.types)}
    fix_random_seed(0)  # of weights that the checkpoint lacks and nothing uses, such as BERT's pooler
    with quiet():
        nlp.initialize(lambda: [Example.from_dict(nlp.make_doc(TEXT), {})])
    del nlp.config["initialize"]["components"]["crf_ner"]
    nlp.get_pipe_config("transformer")["model"]["name"] = checkpoint.name
    model: Any = nlp.get_pipe("crf_ner").model  # type: ignore[attr-defined]
    _set_head(model, head_of(checkpoint.tagger))
    if is_implied(labels):
        _set_implied(model, checkpoint, labels)
    else:
        _set_weights(model, checkpoint, labels)
    nlp.meta["description"] = f"Imported from the token classifier {checkpoint.name}."
    return nlp


def is_implied(labels: LabelSet) -> bool:
    """Whether the labels do not say where entities begin."""
    return labels.scheme not in (BILUO, IOB2)


def _transformer(checkpoint: Checkpoint) -> dict[str, Any]:
    window = min(checkpoint.max_length, MAX_WINDOW)
    return TRANSFORMER | {
        "name": str(checkpoint.folder),
        "tokenizer_config": {"use_fast": True, "model_max_length": checkpoint.max_length},
        "window": window,
        "overlap": min(OVERLAP, window // 4),
    }


def _tok2vec(checkpoint: Checkpoint, labels: LabelSet) -> dict[str, Any]:
    """The config of the layers between the encoder and the CRF."""
    tok2vec: dict[str, Any] = LISTENER
    head = head_of(checkpoint.tagger)
    if head is not None:
        width = head.dense.out_features
        activation = checkpoint.tagger.model.config.classifier_activation
        if activation not in ACTIVATIONS:
            expected = ", ".join(ACTIVATIONS)
            raise DomainNerError(f"classifier_activation of {checkpoint.name} is {activation!r}; expected {expected}.")
        dense = {"@layers": ACTIVATIONS[activation], "nO": width, "nI": 2 * width}
        norm = {"@layers": "domain_ner.LayerNorm.v1", "nI": width, "eps": head.norm.eps}
        layer = {"@layers": "chain.v1", "*": {"dense": dense, "norm": norm}}
        of_docs = {"@layers": "with_array.v1", "layer": layer}
        tok2vec = {"@layers": "chain.v1", "*": {"listener": LISTENER, "head": of_docs}}
    if not is_implied(labels):
        return tok2vec
    return {
        "@architectures": "domain_ner.ImpliedBoundaries.v1",
        "tok2vec": tok2vec,
        "n_types": len(labels.types),
        "begins": labels.scheme == IOB1,
    }


def _set_head(model: Any, head: Any) -> None:
    """Set the weights of ModernBERT's prediction head, which reads the first wordpiece of a token."""
    if head is None:
        return
    dense = next(node for node in model.walk() if node.name in ("gelu", "linear"))
    norm = next(node for node in model.walk() if node.name == "layer_norm")
    dense.set_param("W", model.ops.asarray2f(_first_only(_numpy(head.dense.weight))))
    for layer, name, weights in (
        (dense, "b", head.dense.bias),
        (norm, "G", head.norm.weight),
        (norm, "b", head.norm.bias),
    ):
        if weights is not None:
            layer.set_param(name, model.ops.asarray1f(_numpy(weights)))


def _set_weights(model: Any, checkpoint: Checkpoint, labels: LabelSet) -> None:
    """Set the CRF's weights to rows of the classifier; all transitions score 0."""
    kinds = [(kind, label) for kind in KINDS for label in labels.types]
    rows = [labels.outside, *(labels.row(kind, label) for kind, label in kinds)]
    weights, bias = _rows(checkpoint, rows, model.get_dim("nI"))
    model.set_param("W", model.ops.asarray2f(weights))
    model.set_param("b", model.ops.asarray1f(bias))


def _set_implied(model: Any, checkpoint: Checkpoint, labels: LabelSet) -> None:
    """Set the classifier below the CRF. The CRF takes its scores as they are, and keeps entities apart."""
    layer = next(node for node in model.walk() if node.name == "implied_boundaries")
    kinds = "IB" if labels.scheme == IOB1 else "I"
    rows = [labels.outside, *(labels.row(kind, label) for kind in kinds for label in labels.types)]
    weights, bias = _rows(checkpoint, rows, layer.get_dim("nI"))
    layer.set_param("W", model.ops.asarray2f(weights))
    layer.set_param("b", model.ops.asarray1f(bias))
    n_types = len(labels.types)
    transitions = np.zeros(2 + 8 * n_types, dtype="f")
    transitions[2 + 2 * n_types : 2 + 4 * n_types] = -APART  # B and U after an entity
    model.set_param("W", model.ops.asarray2f(np.eye(1 + 4 * n_types, dtype="f")))
    model.set_param(TRANSITIONS, model.ops.asarray1f(transitions))


def _rows(checkpoint: Checkpoint, rows: list[int | None], width: int) -> tuple[Floats, Floats]:
    """Weights and biases of rows of the classifier, None for a label that it does not have.

    width: of the token vectors: that of the encoder, or twice that, where only the first wordpiece counts.
    """
    classifier = checkpoint.tagger.classifier
    weights, bias = _numpy(classifier.weight), _numpy(classifier.bias)
    missing = np.asarray([row is None for row in rows])
    index = [row or 0 for row in rows]
    taken = np.where(missing[:, None], 0, weights[index]).astype("f")
    return (taken if width == taken.shape[1] else _first_only(taken)), np.where(missing, NEVER, bias[index]).astype("f")


def _first_only(weights: Floats) -> Floats:
    """Add zeros for the mean of the wordpieces."""
    return np.hstack([weights, np.zeros_like(weights)])


def _numpy(tensor: torch.Tensor) -> Floats:
    array: Floats = tensor.detach().cpu().numpy()
    return array
