"""Reviews what a pipeline finds in raw documents: draws a stratified random sample, and reads its review back.

Public: `draw_sample`, `extend_sample` (`drawing`), `write_sample`, `read_sample` (`storing`), `match` (`matching`),
`judge` (`judging`), `Sample` (`sample_schema`), `Review` (`review_schema`), `strata_of` (`strata`).
"""
