"""Converts exports to a corpus: read, locate, merge, split, tokenise, write.

A step takes passages and returns them with the outcomes of their annotations; `accounts` enters these in the ledger.
Prints nothing: callbacks report progress, and the result holds the rest.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from domain_ner.annotations.records import ExportFile
from domain_ner.conversion.accounts import enter_learned_splits, enter_merged, enter_records
from domain_ner.conversion.exports import Annotations, ImportSettings, open_exports, require_usable
from domain_ner.conversion.ledger import Ledger
from domain_ner.conversion.merging import merge
from domain_ner.conversion.reading import read_records
from domain_ner.conversion.spans import locate_records
from domain_ner.conversion.splitting import SplitSettings, group_warnings, read_split_rules, split_passages
from domain_ner.conversion.tokenising import Corpus, TokenSettings, doc_rules, learn, make_corpora
from domain_ner.conversion.writing import write_corpora, write_json, write_ledger, write_tokenizer
from domain_ner.corpus.splits import Division
from domain_ner.corpus.token_splits import LearnedSplits
from domain_ner.files import together


@dataclass(frozen=True)
class ConvertSettings:
    """The input and output folders, and the settings of each step.

    annotations: folder with the exports. corpus: folder for the corpora and tokenizer.json. reports: folder for the
        ledger.
    max_loss: share of the annotations, of the documents and of the tokens (0..1) that may be lost.
    """

    annotations: Path
    corpus: Path
    reports: Path
    importing: ImportSettings = field(default_factory=ImportSettings)
    splitting: SplitSettings = field(default_factory=SplitSettings)
    tokens: TokenSettings = field(default_factory=TokenSettings)
    max_loss: float = 0.005


@contextmanager
def no_progress(name: str, total: int | None) -> Iterator[Callable[[], None]]:
    """Show no progress."""
    yield lambda: None


@dataclass(frozen=True)
class Callbacks:
    """Functions called during conversion, so that information is available even if a later step fails.

    progress: called with a name and the number of items (None: unknown); yields a function to call after each item.
    on_file: before a file is read. on_read: after all are read. on_groups: with warnings on the grouping of passages.
    on_learned: with what the tokenizer learns.
    """

    progress: Callable[[str, int | None], AbstractContextManager[Callable[[], None]]] = no_progress
    on_file: Callable[[ExportFile], None] = lambda file: None
    on_read: Callable[[Annotations], None] = lambda read: None
    on_groups: Callable[[list[str]], None] = lambda warnings: None
    on_learned: Callable[[LearnedSplits], None] = lambda learned: None


@dataclass(frozen=True)
class Converted:
    """What was written. corpora: by name of the split."""

    read: Annotations
    division: Division
    learned: LearnedSplits
    corpora: Mapping[str, Corpus]

    @property
    def ledger(self) -> Ledger:
        """The outcome of each annotation and document."""
        return self.read.ledger


def convert(settings: ConvertSettings, callbacks: Callbacks = Callbacks()) -> Converted:
    """Convert a folder of exports to train.spacy, dev.spacy and test.spacy, and write the ledger.

    Raises DomainNerError, and writes nothing, for unreadable files, contradictions, a loss above the limit, or an empty
    split.
    """
    split_rules = read_split_rules(settings.splitting)
    exports, ledger = open_exports(settings.annotations, settings.importing), Ledger()
    with callbacks.progress("reading", None) as on_record:
        records = read_records(exports.files, exports.unit, on_file=callbacks.on_file, on_record=on_record)
        passages = enter_records(locate_records(records, exports.checks), ledger)
        merged, conflicts = enter_merged(merge(passages, exports.rules), ledger)
    read = Annotations(passages, merged, conflicts, ledger)
    _check(read, settings, callbacks)
    division = split_passages(merged, split_rules)
    learned, corpora = _tokenise(division, read, settings, callbacks)
    converted = Converted(read, division, learned, corpora)
    write(converted, settings)
    return converted


def _check(read: Annotations, settings: ConvertSettings, callbacks: Callbacks) -> None:
    """Report what was read, and raise if it cannot become a corpus."""
    callbacks.on_read(read)
    require_usable(read, max_loss=settings.max_loss)
    callbacks.on_groups(group_warnings(read, settings.splitting))


def _tokenise(
    division: Division, read: Annotations, settings: ConvertSettings, callbacks: Callbacks
) -> tuple[LearnedSplits, Mapping[str, Corpus]]:
    """Teach the tokenizer, make the documents, and check that every annotation and document is accounted for."""
    ledger = read.ledger
    learned = learn(division, read.passages, settings.tokens)
    enter_learned_splits(learned, ledger)
    callbacks.on_learned(learned)
    rules = doc_rules(learned, tuple(settings.importing.labels or ()), settings.tokens)
    with callbacks.progress("converting", sum(map(len, division.splits.values()))) as on_doc:
        corpora = make_corpora(division, rules, ledger, on_doc=on_doc)
    ledger.check_balance()
    ledger.require_loss_below(settings.max_loss)
    return learned, corpora


def write(converted: Converted, settings: ConvertSettings) -> None:
    """Write all files, or none."""
    with together():
        write_corpora(converted.corpora, settings.corpus)
        write_tokenizer(converted.learned.rules, settings.corpus, normalize=settings.tokens.normalize)
        write_ledger(converted.ledger, settings.reports)
        if settings.splitting.assigned is not None and not settings.splitting.by_files:
            write_json(converted.division.assigned.to_json(), settings.splitting.assigned)
