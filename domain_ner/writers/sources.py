"""Where the passages to write come from: a corpus, predictions, or exports."""

from collections.abc import Callable, Iterable
from pathlib import Path

from domain_ner.annotations.passages import Passage
from domain_ner.conversion.exports import ImportSettings, read_annotations, require_usable
from domain_ner.errors import DomainNerError
from domain_ner.writers.passages import read_docbin

DOCBIN = ".spacy"


def read_passages(
    source: Path, settings: ImportSettings, *, max_loss: float, say: Callable[[str], None]
) -> Iterable[Passage]:
    """The passages of a corpus, one at a time; those of exports, one for each text.

    source: a DocBin file, or a file or folder of exports. settings, max_loss (0..1): for exports. say: told what is
    read, and what of it is lost.
    Raises DomainNerError for what cannot be read.
    """
    if source.suffix == DOCBIN and not source.is_dir():
        return read_docbin(source)
    read = read_annotations(source, settings, on_file=lambda file: say(f"reading {file.name} ({file.title})"))
    require_usable(read, max_loss=max_loss)
    for line in read.problems:
        say(f"lost: {line}")
    say(", ".join(f"{n} documents {outcome}" for outcome, n in read.documents.items()))
    return read.merged


def require_apart(source: Path, output: Path) -> None:
    """Raise DomainNerError where writing `output` would replace `source`."""
    if output.resolve() in (source.resolve(), *source.resolve().parents):
        raise DomainNerError(f"{output} would replace {source}.", "Name another file or folder to write.")
