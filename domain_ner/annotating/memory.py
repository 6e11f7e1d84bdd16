"""Keeps the memory of a process that predicts for days within bounds.

`nlp.memory_zone` forgets the words of a batch, but spaCy's hash tables keep the room of every word that there ever was:
they double when they are full, and removed words count as room that is taken. A pipeline that is loaded anew has none.
"""

import gc
import os
from collections.abc import Callable
from pathlib import Path

from spacy.language import Language

# Bytes by which a process may grow before its pipeline is loaded anew.
MAX_GROWTH = 128_000_000


def resident() -> int:
    """Bytes of memory of this process; 0 where the system does not say (no Linux)."""
    try:
        return int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except (OSError, ValueError):
        return 0


class FreshPipeline:
    """A pipeline that is loaded when it is first needed, and anew when the process has grown.

    load: loads it. max_growth: bytes.
    """

    def __init__(self, load: Callable[[], Language], max_growth: int = MAX_GROWTH) -> None:
        self._load, self._max_growth = load, max_growth
        self._nlp: Language | None = None
        self._base = 0
        self.n_loaded = 0

    def get(self) -> Language:
        """Return the pipeline; call it between batches."""
        if self._nlp is not None and resident() > self._base + self._max_growth:
            self._nlp = None
            gc.collect()
        if self._nlp is None:
            self._nlp = self._load()
            self._base = max(self._base, resident())
            self.n_loaded += 1
        return self._nlp
