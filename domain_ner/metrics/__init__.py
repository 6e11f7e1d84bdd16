"""What a test set says of a pipeline: schemes, mistakes, slices, and how sure the figures are; pure maths."""
