"""Shared code of token-and-tag formats: token offsets, spaces between tokens, and repairs of tags."""
