"""Reads all documents of some inputs, one at a time: for what chooses among them, and annotates none."""

from collections.abc import Callable, Iterator, Sequence

from domain_ner.annotating.jobs import Settings
from domain_ner.annotating.reading import Document, read_shard
from domain_ner.annotating.shards import Limits, plan_shards
from domain_ner.annotating.sources import find_sources
from domain_ner.errors import DomainNerError


def read_documents(
    inputs: Sequence[str],
    *,
    text_column: str = "text",
    id_column: str = "id",
    lines: bool = False,
    on_problem: Callable[[Document], None] | None = None,
) -> Iterator[Document]:
    """Yield the documents of files, folders, globs and URLs in their order; the inputs are those of `annotate`.

    lines: each line of a `.txt` file is a document; else the whole file is.
    on_problem: called with a document that has no text, which is then left out; by default it is an error.
    Raises DomainNerError for inputs that cannot be read, and for a document without a text.
    """
    settings = Settings(text_column, id_column)
    for shard in plan_shards(find_sources(inputs, lines=lines), Limits()):
        for document in read_shard(shard, settings):
            if not document.problem:
                yield document
            elif on_problem is not None:
                on_problem(document)
            else:
                fix = "Correct it, or remove it; --text-column names another column. Nothing was written."
                raise DomainNerError(f"{document.place}: {document.problem}.", fix)
