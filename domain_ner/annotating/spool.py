"""Keeps the results of a shard that is not finished, for the process that goes on with it.

A line for each document, and how often a batch was tried: a document whose annotation ends the process is found so, and
costs only itself. What a killed process wrote is there; only a power cut may lose it, and the shard is done again.
"""

import json
import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

from domain_ner.errors import DomainNerError
from domain_ner.files.locks import acquire

# A batch is tried so often together, then each of its documents so often alone.
TRIES = 3
# Of what is neither: reading and writing the shard.
MAX_TRIES = 20


class Spool:
    """The unfinished results of one shard; locked while open. folder: where it lies. name: of the shard."""

    def __init__(self, folder: Path, name: str, key: str) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._lines_path, self._state_path = folder / f"{name}.jsonl", folder / f"{name}.state"
        self._lock_path, self._key, self.name = folder / f"{name}.lock", key, name

    def __enter__(self) -> "Spool":
        lock = acquire(self._lock_path)
        if lock is None:
            raise BusyError(self.name)
        self._lock = lock
        self._state = self._read_state()
        if self._state.get("key") != self._key:
            self._state = {"key": self._key}
            self._lines_path.unlink(missing_ok=True)
        self._stream = self._lines_path.open("ab")
        return self

    def __exit__(self, *_: object) -> None:
        self._stream.close()
        os.close(self._lock)

    def resume(self, batch_ends: list[int]) -> int:
        """Drop what is not whole; return the number of documents that are done.

        batch_ends: the number of documents up to the end of each batch.
        """
        lines = self._lines_path.read_bytes().splitlines(keepends=True)
        whole = len(lines) - bool(lines and not lines[-1].endswith(b"\n"))
        if not self.is_alone:
            whole = max((end for end in [0, *batch_ends] if end <= whole), default=0)
        self._stream.truncate(sum(map(len, lines[:whole])))
        return whole

    @property
    def is_alone(self) -> bool:
        """Whether the batch in work ended its process so often that its documents are annotated alone."""
        return int(self._state.get("tries", 0)) > TRIES

    def begin(self, step: str, batch: int = -1) -> int:
        """Note that a step begins, before it may end the process; returns how often it was begun.

        step: `batch`, `alone` or `write`. batch: its number, or the document's.
        Raises DomainNerError after too many tries.
        """
        now = [step, batch]
        key = "alone" if step == "alone" else "step"
        count = "alone_tries" if step == "alone" else "tries"
        is_again = self._state.get(key) == now
        tries = self._state.get(count, 0) + 1 if is_again else 1
        self._state = {**self._state, key: now, count: tries}
        if step == "alone" and not is_again:  # the batch got on: its tries count from here
            self._state["tries"] = TRIES + 1
        if tries > MAX_TRIES:
            raise DomainNerError(
                f"The process that annotates {self.name} ended {MAX_TRIES} times without getting on.",
                "It may need more memory: try fewer processes, or smaller shards.",
            )
        temporary = self._state_path.with_suffix(".new")
        temporary.write_text(json.dumps(self._state), encoding="utf8")
        temporary.replace(self._state_path)
        return int(tries)

    def add(self, results: list[dict[str, Any]]) -> None:
        """Append the results of some documents."""
        lines = "".join(json.dumps(result, ensure_ascii=False) + "\n" for result in results)
        self._stream.write(lines.encode("utf8"))
        self._stream.flush()

    def results(self) -> Iterator[dict[str, Any]]:
        """Yield the results of all documents so far."""
        with self._lines_path.open("rb") as stream:
            yield from map(json.loads, stream)

    def remove(self) -> None:
        """Remove the files; the lock's too, which this process still holds."""
        for path in (self._lines_path, self._state_path, self._lock_path):
            path.unlink(missing_ok=True)

    def _read_state(self) -> dict[str, Any]:
        with suppress(OSError, ValueError):
            state = json.loads(self._state_path.read_text(encoding="utf8"))
            if isinstance(state, dict):
                return state
        return {}


class BusyError(Exception):
    """Another process, perhaps of a run that was killed, still holds the shard."""
