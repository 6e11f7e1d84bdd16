"""Determines which of several texts of a row the spans lie on, from all rows of a file."""
