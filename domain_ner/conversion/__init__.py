"""From exports to passages, with an account of every annotation.

Reads with `readers`; the only room that writes the ledger.
Public: `read_annotations` (`exports`), `ImportSettings` (`exports`), `Ledger` (`ledger`), `locate` (`offsets`),
`merge` (`merging`).
"""
