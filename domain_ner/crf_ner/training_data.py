"""Statistics of the training data that the CRF needs before training, and warnings about them."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from spacy.tokens import Doc
from spacy.training import Example
from spacy.util import logger

from domain_ner.annotations.doc_keys import REJECTED_KEY

N_SAMPLES = 10
FEW = 10  # entities of a type


@dataclass
class TrainingData:
    """Entities by type (0 if only rejected), entities at white space, and documents to infer the shapes from."""

    counts: Counter[str] = field(default_factory=Counter)
    n_at_space: int = 0
    sample: list[Doc] = field(default_factory=list)

    @classmethod
    def read(cls, examples: Iterable[Example]) -> "TrainingData":
        """Count the entities of examples; only a few documents are kept."""
        data = cls()
        for example in examples:
            gold = example.reference
            data.counts.update(ent.label_ for ent in gold.ents)
            data.counts.update({span.label_: 0 for span in gold.spans.get(REJECTED_KEY, ())})
            data.n_at_space += sum(ent[0].is_space or ent[-1].is_space for ent in gold.ents)
            if len(data.sample) < N_SAMPLES and len(example.predicted):
                data.sample.append(example.predicted)
        return data

    def warn(self, name: str, labels: Sequence[str]) -> None:
        """Warn of types that training will hardly learn; `spacy debug data` shows them too. name: of the component."""
        rare = [f"{label} ({self.counts[label]})" for label in labels if 0 < self.counts[label] < FEW]
        if rare:
            message = "%s: types with fewer than %d entities in the training data: %s."
            logger.warning(message, name, FEW, ", ".join(rare))
        if self.n_at_space:
            message = (
                "%s: %d entities of the training data begin or end with white space; it never predicts such spans."
            )
            logger.warning(message, name, self.n_at_space)
