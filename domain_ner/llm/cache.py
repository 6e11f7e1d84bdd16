"""Answers on disk, so that no call is made twice: SQLite in WAL mode, for several threads and processes at once.

An answer is committed before it is used: `kill -9` loses only what has not come back yet.
"""

import hashlib
import json
import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any

from domain_ner.errors import DomainNerError
from domain_ner.files import cannot_write
from domain_ner.llm.answers import Answer
from domain_ner.llm.budget import Tokens

FILE = "answers.sqlite"
# "dNER" and the version of the table, in the header of the file.
APPLICATION_ID, TABLE_VERSION = 0x644E4552, 1
# Seconds to wait for another process that writes.
BUSY_S = 60.0


def key_of(*parts: Any) -> str:
    """Compute a key of the cache, SHA-256 in hexadecimal. parts: JSON values."""
    packed = json.dumps(parts, ensure_ascii=False, sort_keys=True)
    return hashlib.sha256(packed.encode("utf8", "surrogatepass")).hexdigest()


class Cache:
    """The answers in a folder; without one, in memory.

    folder: is made if it is missing; the file in it is `answers.sqlite`. It must be on a disk of this machine: WAL does
    not work on network drives (https://www.sqlite.org/wal.html).
    Raises DomainNerError when the folder cannot be written to, and for a file that is damaged or of something else.
    """

    def __init__(self, folder: Path | None) -> None:
        self._lock = threading.Lock()
        self._path = Path(":memory:") if folder is None else folder / FILE
        try:
            if folder is not None:
                folder.mkdir(parents=True, exist_ok=True)
            with self._damage_named():
                self._db = sqlite3.connect(self._path, timeout=BUSY_S, isolation_level=None, check_same_thread=False)
                try:
                    self._prepare()
                except BaseException:
                    self._db.close()
                    raise
        except OSError as err:
            raise cannot_write(self._path, err) from err

    def __enter__(self) -> "Cache":
        return self

    def __exit__(self, kind: type[BaseException] | None, err: BaseException | None, at: TracebackType | None) -> None:
        with self._lock:
            self._db.close()

    def get(self, key: str) -> Answer | None:
        """Look an answer up; None if there is none."""
        with self._damage_named(), self._lock:
            row = self._db.execute("SELECT answer FROM answers WHERE key = ?", (key,)).fetchone()
        if row is None:
            return None
        try:
            kept = json.loads(row[0])
            return Answer(str(kept["content"]), Tokens(*map(int, kept["tokens"])), bool(kept["is_cut_off"]))
        except (ValueError, KeyError, TypeError) as err:
            raise self._damaged() from err

    def put(self, key: str, answer: Answer) -> None:
        """Keep an answer; on disk when this returns."""
        tokens = answer.tokens or Tokens()
        kept = {"content": answer.content, "tokens": [tokens.prompt, tokens.answer], "is_cut_off": answer.is_cut_off}
        with self._damage_named(), self._lock:
            # ASCII, so that half of a surrogate pair can be kept too.
            self._db.execute("INSERT OR REPLACE INTO answers VALUES (?, ?)", (key, json.dumps(kept)))

    def __len__(self) -> int:
        with self._damage_named(), self._lock:
            return int(self._db.execute("SELECT count(*) FROM answers").fetchone()[0])

    def _prepare(self) -> None:
        # In one transaction: another process may be making the table.
        self._db.execute("BEGIN")
        n_tables = self._db.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]
        owner = self._db.execute("PRAGMA application_id").fetchone()[0]
        version = self._db.execute("PRAGMA user_version").fetchone()[0]
        self._db.execute("COMMIT")
        if n_tables and owner != APPLICATION_ID:
            raise self._damaged("is a database of something else")
        if n_tables and version != TABLE_VERSION:
            raise self._damaged(f"is of version {version}; expected {TABLE_VERSION}")
        self._in_wal_mode()
        # The write-ahead log is synced at checkpoints: a power cut may lose the last answers, never the file.
        self._db.execute("PRAGMA synchronous = NORMAL")
        if not n_tables:
            self._db.execute("BEGIN IMMEDIATE")
            self._db.execute("CREATE TABLE IF NOT EXISTS answers (key TEXT PRIMARY KEY, answer TEXT) WITHOUT ROWID")
            self._db.execute(f"PRAGMA application_id = {APPLICATION_ID}")
            self._db.execute(f"PRAGMA user_version = {TABLE_VERSION}")
            self._db.execute("COMMIT")

    def _in_wal_mode(self) -> None:
        """Change to WAL mode; SQLite does not wait by itself for another process that does the same."""
        end_s = time.monotonic() + BUSY_S
        while True:
            try:
                self._db.execute("PRAGMA journal_mode = WAL")
                return
            except sqlite3.OperationalError as err:
                if "locked" not in str(err) or time.monotonic() > end_s:
                    raise
                time.sleep(0.02)

    @contextmanager
    def _damage_named(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.OperationalError as err:
            # Not a damaged file: it cannot be opened, written, or locked in time.
            raise DomainNerError(
                f"Cannot use the cache {self._path}: {err}.",
                f"Make {self._path.parent} a folder that you may write to, with free space, or name another.",
            ) from err
        except sqlite3.DatabaseError as err:
            raise self._damaged() from err

    def _damaged(self, why: str = "is damaged") -> DomainNerError:
        return DomainNerError(
            f"The cache {self._path} {why}.",
            "Move it away, with the files of its name that end in -wal and -shm; what it held is asked again.",
        )
