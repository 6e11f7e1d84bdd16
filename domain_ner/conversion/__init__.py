"""Converts exports to a corpus and accounts for every annotation: read, locate, merge, split, tokenise, write.

Each step returns the outcomes of annotations; only `accounts` writes the ledger.
Public: `convert` (`run`), `ConvertSettings` (`run`), `read_annotations` (`exports`), `ImportSettings` (`exports`),
`Ledger` (`ledger`), `locate` (`offsets`), `merge` (`merging`).
"""
