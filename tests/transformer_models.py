"""Transformer components that tests make from small encoders."""

from domain_ner.transformer.architectures import create_transformer_model


def model_of(folder):
    """The model of a transformer component, with windows of 64 wordpieces; not initialised."""
    return create_transformer_model(
        str(folder), {"use_fast": True, "model_max_length": 64}, {}, mixed_precision=False, grad_scaler_config={},
        learn_rate_factor=1.0, freeze_embeddings=False, freeze_layers=0, layer_decay=1.0, mask_share=0.0,
        cpu_bfloat16=False, window=0, overlap=4, max_batch_items=512,
    )  # fmt: skip
