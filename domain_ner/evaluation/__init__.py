"""Evaluates a pipeline: scores, mistakes, calibration, comparison of two pipelines, label errors, learning curves.

Decides what a report says; `reports` renders it, `metrics` has the maths.
Public: `evaluate_pipeline` (`predicting`), `load_pipeline` (`predicting`), `make_report` (`report`),
`compare_pipelines` (`comparison`), `fit_on` (`calibrating`), `measure` (`measuring`), `write_queues` (`queues`).
"""
