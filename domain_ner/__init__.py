"""domain-ner: what a team needs to train, measure and ship its own named-entity recogniser with spaCy."""

__version__ = "0.1.0"
