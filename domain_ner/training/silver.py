"""`domain_ner.WithSilver.v1`, a corpus reader that adds passages which no person annotated, to learn from.

Such a passage counts less than an annotated one, and there is a limit to their number. Imports nothing but spaCy,
which loads its entry point.
"""

import random
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from spacy.language import Language
from spacy.tokens import Doc, DocBin
from spacy.training import Example
from spacy.util import registry
from spacy.vocab import Vocab
from thinc.api import Config

from domain_ner.annotations.doc_keys import MARGINALS_KEY, WEIGHT_KEY
from domain_ner.errors import DomainNerError

NAME = "domain_ner.WithSilver.v1"
Corpus = Callable[[Language], Iterable[Example]]


@registry.readers(NAME)
def create_with_silver(corpus: Corpus, silver: Path, share: float, weight: float, seed: int) -> Corpus:
    """Add silver passages to those of another reader, after them.

    silver: folder with corpora (.spacy) of `pseudo-label` or `distil`.
    share: number of silver passages for each of the reader's, at most; the same ones in each epoch.
    weight: how much the loss of a silver passage counts; that of an annotated one counts 1. seed: for the choice.
    """
    check_silver(share, weight)
    silver = Path(silver)

    def read(nlp: Language) -> Iterator[Example]:
        n_read = 0
        for n_read, example in enumerate(corpus(nlp), start=1):  # noqa: B007 (counted)
            yield example
        for doc in silver_docs(silver, nlp.vocab, n_read * share, seed) if share else ():
            doc.user_data[WEIGHT_KEY] = weight
            yield Example(nlp.make_doc(doc.text), doc)

    return read


@dataclass(frozen=True)
class Silver:
    """Silver passages to learn from: folder, share and weight as of `create_with_silver`."""

    folder: Path
    share: float
    weight: float

    def settings(self) -> dict[str, Any]:
        """The settings of the reader."""
        return {"silver": str(self.folder), "share": self.share, "weight": self.weight}


NO_SILVER = Silver(Path("assets/silver"), 0.0, 1.0)


def check_silver(share: float, weight: float) -> None:
    """Raise DomainNerError for a share below 0, or a weight that is not above 0 and at most 1."""
    if share < 0:
        raise DomainNerError(f"vars.silver is {share}; expected a number of at least 0.")
    if not 0 < weight <= 1:
        raise DomainNerError(f"vars.silver_weight is {weight}; expected a number above 0, and at most 1.")


def silver_docs(folder: Path, vocab: Vocab, most: float, seed: int) -> Iterator[Doc]:
    """Yield the silver documents of a folder, at most so many, chosen at random, in their order.

    A text that is in two files is taken from the first.
    Raises DomainNerError if a file is damaged, or if there is none at all.
    """
    bins = [_read(path) for path in sorted(folder.glob("*.spacy"))]
    numbers = _distinct(doc for one in bins for doc in one.get_docs(vocab))
    if not numbers:
        raise DomainNerError(
            f"There is no silver passage in {folder}, and vars.silver asks for some.",
            "pseudo-label and distil write them; or set vars.silver to 0.",
        )
    chosen = set(random.Random(seed).sample(numbers, round(min(len(numbers), most))))
    number = 0
    for one in bins:
        for doc in one.get_docs(vocab):
            if number in chosen:
                yield doc
            number += 1


def silver_files(config: Config) -> list[Path]:
    """List the corpora of silver passages that a training config learns from. config: interpolated."""
    reader = config["corpora"]["train"]
    return sorted(Path(reader["silver"]).glob("*.spacy")) if reader.get("@readers") == NAME and reader["share"] else []


def _distinct(docs: Iterable[Doc]) -> list[int]:
    """The numbers of the first documents of each text."""
    first = dict[int, int]()
    for number, doc in enumerate(docs):
        first.setdefault(hash(doc.text), number)
    return list(first.values())


def taught_labels(doc: Doc) -> set[str]:
    """The types that a silver document teaches."""
    return {ent.label_ for ent in doc.ents} | set(doc.user_data.get(MARGINALS_KEY, {}).get("labels", ()))


def has_marginals(doc: Doc) -> bool:
    """Whether a document teaches a model's marginals, which only `crf_ner` can learn."""
    return MARGINALS_KEY in doc.user_data


def _read(path: Path) -> DocBin:
    try:
        return DocBin().from_disk(path)
    except Exception as error:
        raise DomainNerError(
            f"{path} is no corpus, or damaged ({type(error).__name__}).", "Write it anew, or remove it."
        ) from error
