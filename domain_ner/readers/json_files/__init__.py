"""Reads untrusted JSON and Python literals in rows, with limits; knows no format."""
