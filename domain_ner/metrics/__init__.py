"""Scores and statistics: pure maths over spans and numbers, without spaCy and without files.

Public: `score_entities` (`scores`), `measure_agreement` (`agreement`), `calibration_error` (`calibration`),
`find_mistakes` (`mistakes`), `intervals` (`resampling`), `slices` (`slices`), `advise` (`advice`),
`draw` (`stratified`), `Estimator` (`design_based`), `allocate` (`allocation`), `parse_contracts` (`contracts`).
"""
