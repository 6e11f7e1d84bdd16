"""The step that makes documents of passages: the tokenizer learns where to split, and cuts the texts of every split."""

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
from domain_ner.corpus.token_splits import Learned, learn_splits


@dataclass(frozen=True)
class TokenSettings:
    """How texts are cut into tokens, and spans made to fit: as `DocRules` has it. lang: spaCy's code."""

    lang: str = "en"
    overlaps: str = LONGEST
    misaligned: str = SPLIT
    normalize: str = ""


@dataclass
class Corpus:
    """The documents of a split in spaCy's training format, and what there is to tell of them."""

    docs: CorpusFile = field(default_factory=CorpusFile)
    n_tokens: int = 0
    mentions: Counter[str] = field(default_factory=Counter)

    def add(self, doc: Doc) -> None:
        """Add a document, which need not be kept."""
        self.docs.add(doc)
        self.n_tokens += len(doc)
        self.mentions.update(ent.label_ for ent in doc.ents)


def learn(division: Division, versions: Iterable[Passage], settings: TokenSettings) -> Learned:
    """What the tokenizer must split, learned from train and dev; the test set is not looked at.

    versions: every annotator's passages. Where edges inside tokens are not split, it learns nothing but scripts without
    spaces into characters.
    """
    parts = [division.splits[TRAIN], division.splits[DEV]]
    tokenizer = _tokenizer(settings, ())
    return learn_splits(parts, tokenizer, versions=versions, only_scripts=settings.misaligned != SPLIT)


def doc_rules(learned: Learned, labels: Sequence[str], settings: TokenSettings) -> DocRules:
    """How passages become documents, with the tokenizer that was taught. labels: of the guide, in its order."""
    tokenizer = _tokenizer(settings, [rule.pattern for rule in learned.rules])
    return DocRules(tokenizer, settings.overlaps, labels, settings.misaligned, settings.normalize)


def make_corpora(
    division: Division, rules: DocRules, ledger: Ledger, *, on_doc: Callable[[], None] = lambda: None
) -> Mapping[str, Corpus]:
    """The documents of each split, entered in the ledger. on_doc: called after each, to show progress."""
    made = {name: Corpus() for name in SPLITS}
    for name in SPLITS:
        for passage in division.splits[name]:
            made[name].add(enter_doc(make_doc(passage, rules), ledger, split=name))
            on_doc()
    return made


def _tokenizer(settings: TokenSettings, splits: Sequence[str]) -> Any:
    tokenizer = {"@tokenizers": "domain_ner.Tokenizer.v1", "splits": list(splits), "normalize": settings.normalize}
    return blank(settings.lang, {"nlp": {"tokenizer": tokenizer}}).tokenizer
