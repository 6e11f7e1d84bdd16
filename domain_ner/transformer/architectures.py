"""`domain_ner.TransformerModel.v1`, as a config finds it.

Imports nothing that needs PyTorch: whenever spaCy misses a name it loads every entry point there is, and one that does
would break it where PyTorch is not installed.
"""

from typing import Any

from spacy.tokens import Doc
from spacy.util import registry
from thinc.api import Model

from domain_ner.devices import limit_kernel_cache, use_one_thread_after_fork
from domain_ner.errors import DomainNerError


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
) -> Model[list[Doc], Any]:
    """A pretrained encoder that is trained with the rest of the pipeline.

    name: folder or hub id of the encoder; used once, when training starts.
    tokenizer_config: for AutoTokenizer; `use_fast` must be true; `model_max_length` counts wordpieces.
    transformer_config: for AutoConfig.
    mixed_precision: train and predict under autocast, where there is a GPU.
    grad_scaler_config: as in spacy-transformers.
    learn_rate_factor: the encoder's learning rate as a share of the optimizer's, which is the head's: a head of random
        weights needs a much higher one.
    freeze_embeddings: leave the wordpiece embeddings as pretrained. They are half of a small encoder, and most of them
        are never seen in a small corpus.
    freeze_layers: leave so many layers as pretrained too, counted from the lowest; `domain_ner.Unfreeze.v1` can let
        them learn later.
    layer_decay: each layer learns at this share of the rate of the one above it (Howard & Ruder 2018); 1: all the same.
    mask_share: share of the tokens whose wordpieces are masked in training, drawn anew each time: what cannot be read
        must be told by its context, as a name that was never seen.
    cpu_bfloat16: train under autocast to bfloat16 on a CPU that has units for it (AVX512-BF16), in float32 on others.
    window: wordpieces that go through the encoder together, special ones included; 0 for as many as it takes. A longer
        document is cut into windows of which each sees `overlap` wordpieces of the one before; of the two vectors that
        a token then has, the one that is further from its window's edge counts.
    max_batch_items: windows times the longest of them, in wordpieces, for what goes through the encoder at a time.
    Raises DomainNerError when spacy-transformers is not installed.
    """
    try:
        import torch  # noqa: PLC0415

        from domain_ner.transformer.model import ExactTransformerModel  # noqa: PLC0415
    except ImportError as err:
        raise DomainNerError(
            f"A pipeline with a transformer needs spacy-transformers and PyTorch: {err}.",
            "pip install spacy-transformers",
        ) from err
    use_one_thread_after_fork()
    limit_kernel_cache()
    return ExactTransformerModel(
        name,
        tokenizer_config,
        transformer_config,
        # Without a GPU autocast would do nothing but warn at each call: a pipeline trained on one runs anywhere.
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
    )
