"""Reads the exports of annotation tools: one module or folder per format, detected by content.

A reader knows only its own format. `conversion` does what all formats share.
Public: `find_exports` (`folder`), `FORMATS` (`formats`).
"""
