"""Training: its config, the loop, checkpoints, seeds, and the search for settings.

`evaluation` evaluates the trained pipeline.
Public: `build_config` (`config`), `train` (`run`), `train_seeds` (`seeded`), `tune` (`tuning`), `train_part` (`parts`),
`save` (`saving`), `create_with_silver` (`silver`).
"""
