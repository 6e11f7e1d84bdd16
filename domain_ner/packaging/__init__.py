"""Builds the wheels of a pipeline, and tests them in a clean environment.

Public: `build_wheels` (`wheels`), `predict_in_clean_environment` (`wheels`), `describe` (`documents`),
`build_tested_wheels` (`building`).
"""
