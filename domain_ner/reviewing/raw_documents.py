"""The documents that a sample is drawn from, read as often as needed."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from domain_ner.annotating.documents import read_documents
from domain_ner.annotating.reading import Document
from domain_ner.annotating.shards import Limits, plan_shards
from domain_ner.annotating.sources import find_sources
from domain_ner.errors import DomainNerError


@dataclass(frozen=True)
class RawDocuments:
    """inputs: files, folders, globs and URLs, as for `annotate`, and its settings."""

    inputs: Sequence[str]
    text_column: str = "text"
    id_column: str = "id"
    lines: bool = False

    def read(self, on_problem: Callable[[Document], None] | None = None) -> Iterator[Document]:
        """Yield the documents in their order. on_problem: as of `read_documents`."""
        return read_documents(
            self.inputs,
            text_column=self.text_column,
            id_column=self.id_column,
            lines=self.lines,
            on_problem=on_problem,
        )

    def count(self) -> int:
        """Count the documents."""
        shards = plan_shards(find_sources(self.inputs, lines=self.lines), Limits())
        return sum(shard.n_documents for shard in shards)

    def require_apart_from(self, output: Path) -> None:
        """Raise DomainNerError if the output lies in an input folder: its tasks would be documents the next time."""
        for given in self.inputs:
            if Path(given).is_dir() and Path(given).resolve() in (output.resolve(), *output.resolve().parents):
                raise DomainNerError(f"The output {output} lies in the input {given}.", "Give another folder.")
