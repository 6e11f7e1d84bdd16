"""Label Studio's exports: JSON with tasks, and JSON_MIN, CSV and TSV with a row per annotation."""
