"""Training: its config, the loop, checkpoints, seeds, and the search for settings.

The evaluation of a trained pipeline is the work of `evaluation`.
Public: `build_config` (`config`), `train` (`run`), `train_seeds` (`seeded`), `tune` (`tuning`), `train_part` (`parts`),
`save` (`saving`).
"""
