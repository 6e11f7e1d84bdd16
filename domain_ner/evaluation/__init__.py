"""What a pipeline is worth: scores, mistakes, a second pipeline beside it, label errors, and more data.

Decides what a report says; `reports` draws it, `metrics` has the maths.
Public: `evaluate_pipeline` (`predicting`), `load_pipeline` (`predicting`), `make_report` (`report`),
`compare_pipelines` (`comparison`), `fit_on` (`calibrating`), `measure` (`measuring`), `write_queues` (`queues`).
"""
