"""Drafts annotations before anyone has annotated: sources propose spans and vote; disputed passages come first.

Public: `Source` (`proposals`), `Proposals` (`proposals`), `make_sources` (`sources`), `vote` (`voting`), `draft`
(`run`), `write_draft` (`writing`).
"""
