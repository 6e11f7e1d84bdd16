"""Detects common unsupported formats, and advises how to convert them."""
