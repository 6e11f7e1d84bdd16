"""Pretrained encoders: lists, fetches and further pretrains them.

`transformer` runs them.
Public: `load_presets` (`presets`), `EncoderCard` (`card`), `fetch_encoder` (`fetch`), `pretrain` (`pretraining`).
"""
