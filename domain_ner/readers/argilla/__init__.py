"""Argilla's records."""
