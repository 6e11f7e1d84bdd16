"""What the formats of tokens and tags share: offsets of tokens, spaces between them, and repairs of tags."""
