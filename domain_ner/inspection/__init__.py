"""Inspects a corpus before training: passages, the outcome of their annotations, and suspicious ones.

`reports` renders it.
Public: `inspect` (`passages`), `Inspection` (`passages`), `locate_rows` (`ledger_places`), `wordpieces` (`wordpieces`).
"""
