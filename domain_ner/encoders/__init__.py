"""The pretrained encoders: which there are, and how to bring one here."""
