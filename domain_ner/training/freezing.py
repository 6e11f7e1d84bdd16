"""`domain_ner.Unfreeze.v1`, for [training.before_update]: freezes layers of the encoder for some epochs.

Gradual unfreezing as in Howard & Ruder (2018), section 3.3. Imports nothing but spaCy, which loads its entry point.
"""

from collections.abc import Callable
from typing import Any

from spacy.language import Language
from spacy.util import registry

from domain_ner.errors import DomainNerError


@registry.callbacks("domain_ner.Unfreeze.v1")
def create_unfreeze(
    layers: int, epochs: int, one_by_one: bool, embeddings: bool
) -> Callable[[Language, dict[str, Any]], None]:
    """Freeze the lowest `layers` layers for `epochs` epochs.

    one_by_one: after them, unfreeze one more layer each epoch, the highest first; else all at once.
    embeddings: freeze the wordpiece embeddings too, until the last layer is unfrozen; else the model's
        `freeze_embeddings` decides.
    """
    for name, value in (("layers", layers), ("epochs", epochs)):
        if value < 0:
            raise DomainNerError(f"{name} is {value} in [training.before_update]; expected 0 or more.")
    state: tuple[int, bool] | None = None

    def before_update(nlp: Language, info: dict[str, Any]) -> None:
        nonlocal state
        model, n_frozen = _model(nlp), frozen_layers(info["epoch"], layers=layers, epochs=epochs, one_by_one=one_by_one)
        wait = info["epoch"] < epochs or n_frozen > 0
        wanted = n_frozen, wait if embeddings else bool(model.attrs["freeze_embeddings"])
        if wanted != state:
            model.freeze(n_layers=n_frozen, embeddings=wanted[1])
            state = wanted

    return before_update


def frozen_layers(epoch: int, *, layers: int, epochs: int, one_by_one: bool) -> int:
    """Count the lowest layers that are frozen in an epoch, counted from 0."""
    if epoch < epochs:
        return layers
    return max(0, layers - (epoch - epochs + 1)) if one_by_one else 0


def _model(nlp: Language) -> Any:
    model = getattr(nlp.get_pipe("transformer"), "model", None) if "transformer" in nlp.pipe_names else None
    if not hasattr(model, "freeze"):
        raise DomainNerError(
            "[training.before_update] unfreezes layers of an encoder, but the pipeline has no"
            " domain_ner.TransformerModel.v1.",
            "Remove it from the config, or choose a transformer as the encoder.",
        )
    return model
