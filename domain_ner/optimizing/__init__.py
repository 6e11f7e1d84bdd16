"""Makes a trained pipeline run without PyTorch: exports its encoder to ONNX, in float32 or int8.

Needs PyTorch and onnx, in training's environment; what it writes needs neither.
Public: `optimize` (`pipeline`), `export_encoder` (`export`), `quantize` (`quantizing`).
"""
