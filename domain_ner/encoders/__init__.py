"""The pretrained encoders: which there are, how to fetch one, and how to pretrain one further.

Running an encoder is the work of `transformer`.
Public: `load_presets` (`presets`), `EncoderCard` (`card`), `fetch_encoder` (`fetch`), `pretrain` (`pretraining`).
"""
