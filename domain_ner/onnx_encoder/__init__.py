"""An encoder as a layer of the recogniser, run by onnxruntime: needs neither PyTorch nor transformers.

`optimizing` makes it from a trained transformer, or from spaCy's tok2vec. Needs spaCy, NumPy, onnxruntime, tokenizers.
Public: `create_onnx_encoder` (`architectures`), `create_onnx_tok2vec` (`tok2vec`), `OnnxEncoder` (`encoder`),
`EncoderFile` (`encoder_file`), `Sessions` (`sessions`), `count_threads` (`threads`).
"""
