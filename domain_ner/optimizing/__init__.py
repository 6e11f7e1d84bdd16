"""Makes a trained pipeline run without PyTorch: exports its encoder or tok2vec to ONNX, in float32 or int8.

Needs PyTorch and onnx, in training's environment; what it writes needs neither.
Public: `optimize` (`pipeline`), `export_encoder` (`export`), `export_window_encoder` (`window_encoder`), `quantize`
(`quantizing`).
"""
