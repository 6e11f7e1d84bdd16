"""One module for each recogniser that is compared: `train(task) -> Trained`."""
