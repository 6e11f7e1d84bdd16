"""Counts the training examples that really reach a batch in the first epoch, so that no loss goes unnoticed."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from spacy.training import Example


@dataclass
class CorpusCoverage:
    """Counts over the distinct examples that the pipeline was updated with.

    n_mentions: entities of the gold documents. n_learnable: those whose edges are token edges of the pipeline too, so
        that the recogniser can learn them; the others are missing values.
    """

    n_documents: int = 0
    n_mentions: int = 0
    n_learnable: int = 0
    seen: set[int] = field(default_factory=set, repr=False)

    def add(self, examples: Iterable[Example]) -> None:
        """Count the examples that were not counted yet."""
        for example in examples:
            if id(example) not in self.seen:
                self.seen.add(id(example))
                self.n_documents += 1
                self.n_mentions += len(example.reference.ents)
                self.n_learnable += _n_learnable(example)

    def to_json(self) -> dict[str, int]:
        """Return the counts in the form of `training/reports/reached.json`."""
        return {"documents": self.n_documents, "mentions": self.n_mentions, "learnable": self.n_learnable}


def _n_learnable(example: Example) -> int:
    spans = [(ent.start_char, ent.end_char) for ent in example.reference.ents]
    return sum(example.predicted.char_span(start, end) is not None for start, end in spans)
