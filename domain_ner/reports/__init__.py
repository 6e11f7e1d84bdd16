"""Pages and files that people read: made from results, never making any."""
