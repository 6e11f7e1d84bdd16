"""What the commands print of results: tables and lines, one module a result."""
