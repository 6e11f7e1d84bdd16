"""Formats that people have and that are not read: how to tell them, and what to advise."""
