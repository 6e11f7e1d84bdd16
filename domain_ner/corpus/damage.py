"""Detects a damaged `.spacy` file before it is read. Does not look at documents."""

import zlib
from pathlib import Path

from domain_ner.errors import DomainNerError
from domain_ner.files import CHUNK_BYTES


def require_whole(path: Path) -> None:
    """Raise DomainNerError if a `.spacy` file is missing, truncated or corrupt.

    The check uses the checksum of the compression, and does not read the documents.
    """
    unpacker, n_bytes = zlib.decompressobj(), 0
    try:
        with path.open("rb") as stream:
            while chunk := stream.read(CHUNK_BYTES):
                n_bytes += len(chunk)
                unpacker.decompress(chunk)
    except OSError as err:
        raise DomainNerError(f"Cannot read the corpus {path}: {err.strerror}.", "Run convert first.") from err
    except zlib.error as err:
        raise DomainNerError(f"The corpus {path} is damaged or not a corpus: {err}.", "Run convert again.") from err
    if not unpacker.eof:
        raise DomainNerError(f"The corpus {path} is damaged: truncated after {n_bytes} bytes.", "Run convert again.")
