"""A pretrained encoder as a layer of the recogniser, run by onnxruntime: needs neither PyTorch nor transformers.

`optimizing` makes it from a trained transformer. Needs spaCy, NumPy, onnxruntime and tokenizers.
Public: `create_onnx_encoder` (`architectures`), `OnnxEncoder` (`encoder`), `EncoderFile` (`encoder_file`),
`count_threads` (`threads`).
"""
