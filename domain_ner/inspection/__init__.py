"""What to look at before training: passages, what became of their annotations, and what is suspicious.

`reports` draws it.
Public: `inspect` (`passages`), `Inspection` (`passages`), `place` (`ledger_places`), `wordpieces` (`wordpieces`).
"""
