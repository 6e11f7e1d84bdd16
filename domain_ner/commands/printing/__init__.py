"""Prints the results of commands as tables and lines, one module per result."""
