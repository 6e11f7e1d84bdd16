"""Populations with known truth, and repeated samples of them, for review_coverage.py."""
