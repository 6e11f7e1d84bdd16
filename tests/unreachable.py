"""An object store whose library has errors of its own, which are no OSError: as those of S3, Google and Azure."""

import fsspec
from fsspec.implementations.memory import MemoryFileSystem


class ConnectionLostError(Exception):
    """Of the store's library."""


class Unreachable(MemoryFileSystem):
    protocol = "unreachable"

    def _lost(self, *_, **__):
        raise ConnectionLostError("no answer from 127.0.0.1")

    ls = info = isdir = exists = cat_file = pipe_file = put_file = _open = open = _lost


fsspec.register_implementation("unreachable", Unreachable, clobber=True)
