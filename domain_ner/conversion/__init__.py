"""From exports to a corpus, with an account of every annotation: read, locate, merge, split, tokenise, write.

Each step returns what became of annotations; `accounts` alone writes the ledger.
Public: `convert` (`run`), `ConvertSettings` (`run`), `read_annotations` (`exports`), `ImportSettings` (`exports`),
`Ledger` (`ledger`), `locate` (`offsets`), `merge` (`merging`).
"""
