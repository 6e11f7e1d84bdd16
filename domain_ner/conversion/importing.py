"""Imports export files as passages: reads, locates and checks each record, and enters it in the ledger; no merging."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from domain_ner.annotations.passages import Passage
from domain_ner.annotations.records import ExportFile, Unit
from domain_ner.conversion.accounts import enter_records
from domain_ner.conversion.ledger import Ledger
from domain_ner.conversion.reading import read_records
from domain_ner.conversion.spans import Checks, locate_records


@dataclass(frozen=True)
class Import:
    """The content of the files: a passage for each accepted record, so that a text may occur twice, and the ledger."""

    passages: Sequence[Passage]
    ledger: Ledger


def import_files(
    files: Iterable[ExportFile],
    checks: Checks = Checks(),  # noqa: B008
    *,
    unit: Unit | None = None,
    on_file: Callable[[ExportFile], None] = lambda file: None,
    on_record: Callable[[], None] = lambda: None,
) -> Import:
    """Read and check every file. The arguments are those of `read_records` and `locate_records`.

    Raises DomainNerError for a file that cannot be read at all, or that holds no document.
    """
    ledger = Ledger()
    records = read_records(files, unit, on_file=on_file, on_record=on_record)
    return Import(enter_records(locate_records(records, checks), ledger), ledger)
