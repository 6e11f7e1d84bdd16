"""Converts passages to documents: teaches the tokenizer where to split, and tokenises every split."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from spacy.tokens import Doc

from domain_ner.annotations.passages import Passage
from domain_ner.conversion.accounts import enter_doc
from domain_ner.conversion.ledger import Ledger
from domain_ner.corpus.assignments import DEV, SPLITS, TRAIN
from domain_ner.corpus.corpus_file import CorpusFile
from domain_ner.corpus.docs import SPLIT, DocRules, make_doc
from domain_ner.corpus.languages import blank
from domain_ner.corpus.overlaps import LONGEST
from domain_ner.corpus.splits import Division
from domain_ner.corpus.token_splits import LearnedSplits, learn_splits


@dataclass(frozen=True)
class TokenSettings:
    """How to tokenise texts and align spans; the fields are those of `DocRules`. lang: spaCy's code."""

    lang: str = "en"
    overlaps: str = LONGEST
    misaligned: str = SPLIT
    normalize: str = ""


@dataclass
class Corpus:
    """The documents of a split in spaCy's training format, and their statistics."""

    docs: CorpusFile = field(default_factory=CorpusFile)
    n_tokens: int = 0
    mentions: Counter[str] = field(default_factory=Counter)

    def add(self, doc: Doc) -> None:
        """Add a document; the caller need not keep it."""
        self.docs.add(doc)
        self.n_tokens += len(doc)
        self.mentions.update(ent.label_ for ent in doc.ents)


def learn(division: Division, versions: Iterable[Passage], settings: TokenSettings) -> LearnedSplits:
    """Learn the split rules of the tokenizer from train and dev, never from the test set.

    versions: every annotator's passages. Unless tokens are split at edges inside them, it learns only to split scripts
    without spaces into characters.
    """
    parts = [division.splits[TRAIN], division.splits[DEV]]
    tokenizer = _tokenizer(settings, ())
    return learn_splits(parts, tokenizer, versions=versions, only_scripts=settings.misaligned != SPLIT)


def doc_rules(learned: LearnedSplits, labels: Sequence[str], settings: TokenSettings) -> DocRules:
    """Return how to convert passages to documents, with the taught tokenizer. labels: of the guide, in its order."""
    tokenizer = _tokenizer(settings, [rule.pattern for rule in learned.rules])
    return DocRules(tokenizer, settings.overlaps, labels, settings.misaligned, settings.normalize)


def make_corpora(
    division: Division, rules: DocRules, ledger: Ledger, *, on_doc: Callable[[], None] = lambda: None
) -> Mapping[str, Corpus]:
    """Make the documents of each split and enter them in the ledger. on_doc: called after each, to show progress."""
    corpora = {name: Corpus() for name in SPLITS}
    for name in SPLITS:
        for passage in division.splits[name]:
            corpora[name].add(enter_doc(make_doc(passage, rules), ledger, split=name))
            on_doc()
    return corpora


def _tokenizer(settings: TokenSettings, splits: Sequence[str]) -> Any:
    tokenizer = {"@tokenizers": "domain_ner.Tokenizer.v1", "splits": list(splits), "normalize": settings.normalize}
    return blank(settings.lang, {"nlp": {"tokenizer": tokenizer}}).tokenizer
