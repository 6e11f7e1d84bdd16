"""JSON and Python literals from elsewhere, bounded and read in rows; knows no format."""
