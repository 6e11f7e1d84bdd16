"""Chooses which passages to annotate next (active learning), and measures what that saves.

Public: `measure_texts` (`measuring`), `choose` (`choosing`), `STRATEGIES` (`strategies`), `make_task` (`tasks`),
`simulate` (`simulation`), `Simulation` (`schema`).
It takes texts from anywhere, and knows no files of them.
"""
