"""What a pipeline is worth: scores, where it errs, against another pipeline, and against more data."""
