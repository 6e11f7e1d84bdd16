"""Registers `domain_ner.TransformerModel.v1`.

It imports nothing that needs PyTorch. When spaCy misses a name it loads every entry point, so such an import would
break spaCy where PyTorch is not installed.
"""

from typing import Any

from spacy.tokens import Doc
from spacy.util import registry
from thinc.api import Model

from domain_ner.devices import limit_kernel_cache, use_one_thread_after_fork
from domain_ner.errors import DomainNerError

PREDICT_DTYPES = ("auto", "float32", "bfloat16", "float16")


@registry.architectures("domain_ner.TransformerModel.v1")
def create_transformer_model(
    name: str,
    tokenizer_config: dict[str, Any],
    transformer_config: dict[str, Any],
    mixed_precision: bool,
    grad_scaler_config: dict[str, Any],
    learn_rate_factor: float,
    freeze_embeddings: bool,
    freeze_layers: int,
    layer_decay: float,
    mask_share: float,
    cpu_bfloat16: bool,
    window: int,
    overlap: int,
    max_batch_items: int,
    predict_dtype: str = "auto",
    gradient_sampling: float = 0.0,
) -> Model[list[Doc], Any]:
    """Create a pretrained encoder that is trained with the rest of the pipeline.

    name: folder or hub id of the encoder; used once, when training starts.
    tokenizer_config: for AutoTokenizer; `use_fast` must be true; `model_max_length` counts wordpieces.
    transformer_config: for AutoConfig.
    mixed_precision: train and predict under autocast if there is a GPU.
    grad_scaler_config: as in spacy-transformers.
    learn_rate_factor: the encoder's learning rate relative to the optimizer's, which is the head's: a randomly
        initialised head needs a much higher one.
    freeze_embeddings: freeze the pretrained wordpiece embeddings. They are half of a small encoder, and a small corpus
        never uses most of them.
    freeze_layers: freeze this number of the lowest layers too; `domain_ner.Unfreeze.v1` can unfreeze them later.
    layer_decay: learning rate of each layer relative to the one above it (Howard & Ruder 2018); 1: all the same.
    mask_share: share of the tokens whose wordpieces are masked in training, drawn anew each time: the model must then
        recognise them by their context, like unseen names.
    cpu_bfloat16: train under autocast to bfloat16 on a CPU with native support (AVX512-BF16), in float32 on others.
    window: wordpieces in an encoder input, special ones included; 0 for the encoder's maximum. A longer document is cut
        into windows that share `overlap` wordpieces with the one before. A token in two windows takes its vector from
        the window in which it is further from the edge.
    max_batch_items: maximum of windows times their longest length, in wordpieces, in one pass of the encoder.
    predict_dtype: matrix products of prediction in `float32`, `bfloat16` or `float16`; `auto`: float16 with
        `mixed_precision` on a GPU, else float32. A CPU without units for it predicts in float32. Can be set at load.
    gradient_sampling: a document whose gradient is smaller than this many times the mean of the batch goes back through
        the encoder with a probability in proportion, and counts more if it does; 0: every document always. For the
        encoders of `blocks.FAMILIES` on a CPU.
    Raises DomainNerError when spacy-transformers is not installed, for another `predict_dtype`, or for a negative
    `gradient_sampling`.
    """
    try:
        import torch  # noqa: PLC0415

        from domain_ner.transformer.model import ExactTransformerModel  # noqa: PLC0415
    except ImportError as err:
        raise DomainNerError(
            f"A pipeline with a transformer needs spacy-transformers and PyTorch: {err}.",
            "pip install spacy-transformers",
        ) from err
    if predict_dtype not in PREDICT_DTYPES:
        raise DomainNerError(
            f"predict_dtype is {predict_dtype!r} in [components.transformer.model];"
            f" expected one of {', '.join(PREDICT_DTYPES)}."
        )
    if gradient_sampling < 0:
        raise DomainNerError(
            f"gradient_sampling is {gradient_sampling} in [components.transformer.model]; expected 0 or more."
        )
    use_one_thread_after_fork()
    limit_kernel_cache()
    return ExactTransformerModel(
        name,
        tokenizer_config,
        transformer_config,
        # Without a GPU autocast would only warn at each call: a pipeline trained on a GPU runs anywhere.
        mixed_precision and torch.cuda.is_available(),
        grad_scaler_config,
        learn_rate_factor=learn_rate_factor,
        freeze_embeddings=freeze_embeddings,
        freeze_layers=freeze_layers,
        layer_decay=layer_decay,
        mask_share=mask_share,
        cpu_bfloat16=cpu_bfloat16,
        window=window,
        overlap=overlap,
        max_batch_items=max_batch_items,
        predict_dtype=predict_dtype,
        gradient_sampling=gradient_sampling,
    )
