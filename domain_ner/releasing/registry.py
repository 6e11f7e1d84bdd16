"""A registry of released versions: they are added, never changed and never removed; one of them is in use.

`versions/X.Y.Z/release.json` makes a version exist: without it, a folder is a half of one, which does not count.
`current.json` says which is in use. It holds all promotions as well, so that one atomic write changes both.
"""

import hashlib
import re
from pathlib import Path
from typing import IO

from pydantic import ValidationError

from domain_ner.errors import DomainNerError
from domain_ner.files import atomic_path
from domain_ner.releasing.records import (
    PROMOTED,
    RELEASED,
    ROLLED_BACK,
    Current,
    Event,
    Promotion,
    ReleaseRecord,
    content_of,
)
from domain_ner.releasing.stores import Store, open_store
from domain_ner.releasing.versions import VERSION, parts_of

VERSIONS, RECORD, CURRENT = "versions", "release.json", "current.json"


class Registry:
    """Versions of a pipeline. place: a folder, or a URL that fsspec opens; it need not exist."""

    def __init__(self, place: str) -> None:
        self._store: Store = open_store(place)
        self.place = self._store.place

    def tidy(self) -> None:
        """Remove what a killed process left beside a version; no version, and nothing of one."""
        with self._store.locked():
            pass

    def versions(self) -> list[ReleaseRecord]:
        """List all versions, the lowest first. Raises DomainNerError for a damaged record."""
        names = [name for name in self._store.folders(VERSIONS) if re.fullmatch(VERSION, name)]
        found = (self.find(name) for name in sorted(names, key=parts_of))
        return [record for record in found if record is not None]

    def find(self, version: str) -> ReleaseRecord | None:
        """Read the record of a version; None if there is no such version, or only a half of it."""
        name = f"{VERSIONS}/{version}/{RECORD}"
        content = self._store.read(name)
        if content is None:
            return None
        try:
            record = ReleaseRecord.model_validate_json(content)
        except ValidationError as err:
            raise DomainNerError(f"{self.place}/{name} is damaged: {err}", "Restore it from a backup.") from err
        if record.version != version or content_of(record.files) != record.content:
            raise DomainNerError(
                f"{self.place}/{name} is damaged: its version and its content hash do not agree with its files.",
                "Restore it from a backup of the registry.",
            )
        return record

    def get(self, version: str) -> ReleaseRecord:
        """Read the record of a version. Raises DomainNerError if there is no such version."""
        parts_of(version)
        record = self.find(version)
        if record is None:
            known = ", ".join(one.version for one in self.versions()) or "none"
            raise DomainNerError(f"{self.place} has no version {version}; expected one of: {known}.", "See `history`.")
        return record

    def current(self) -> Current | None:
        """Read which version is in use; None: none was promoted."""
        return self._current()[0]

    def in_use(self) -> ReleaseRecord | None:
        """Read the record of the version in use; None: none was promoted."""
        current = self.current()
        return self.get(current.version) if current else None

    def add(self, folder: Path) -> ReleaseRecord:
        """Add a version. folder: with release.json and the files that it lists.

        A version that exists with the same content is left as it is.
        Raises DomainNerError if it exists with other content.
        """
        record = ReleaseRecord.model_validate_json((folder / RECORD).read_bytes())
        with self._store.locked():
            name = f"{VERSIONS}/{record.version}"
            if not self._store.add(name, folder, last=RECORD, apart=record.content[:12]):
                known = self.get(record.version)
                if known != record:
                    raise DomainNerError(
                        f"{self.place} has {record.version} already, with other content ({known.content[:12]}, this is"
                        f" {record.content[:12]}). A version never changes.",
                        "Run release again: it takes the next number.",
                    )
        return record

    def promote(self, version: str, at: str) -> Current:
        """Take a version into use; nothing is written if it is in use. at: the time, ISO 8601.

        Raises DomainNerError if there is no such version, or a file of it is damaged.
        """
        record = self.get(version)
        self.verify(record)
        with self._store.locked():
            current, former = self._current()
            if current is not None and current.version == version:
                return current
            promotions = current.promotions if current else []
            return self._use(record, [*promotions, _promotion(PROMOTED, record, at)], former)

    def rollback(self, at: str) -> Current:
        """Take the version into use again that was promoted before; a second rollback goes back further.

        Raises DomainNerError if there is none, or a file of it is damaged.
        """
        with self._store.locked():
            current, former = self._current()
            if current is None or not current.previous:
                known = f"{current.version} is the first version that was promoted" if current else "none was promoted"
                fix = "Promote a version by its name." if self.versions() else "Run release first."
                raise DomainNerError(f"{self.place}: nothing to go back to: {known}.", fix)
            record = self.get(current.previous)
            self.verify(record)
            return self._use(record, [*current.promotions, _promotion(ROLLED_BACK, record, at)], former)

    def verify(self, record: ReleaseRecord) -> None:
        """Read every file of a version. Raises DomainNerError, with what was expected and found, for a damaged one."""
        for name in record.files:
            self._copy(record, name, None)

    def fetch(self, record: ReleaseRecord, folder: Path, names: list[str] | None = None) -> list[Path]:
        """Copy checked files of a version into a folder, whose content is replaced as a whole.

        names: of the files; None: the wheels. Returns their paths. Raises DomainNerError for a damaged file.
        """
        names = record.wheels if names is None else names
        self._require_replaceable(folder)
        with atomic_path(folder) as temporary:
            temporary.mkdir()
            for name in names:
                with (temporary / Path(name).name).open("wb") as stream:
                    self._copy(record, name, stream)
        return [folder / Path(name).name for name in names]

    def _require_replaceable(self, folder: Path) -> None:
        """Raise DomainNerError for a folder that holds anything but wheels, such as the registry itself."""
        others = [path.name for path in folder.iterdir() if path.suffix != ".whl"] if folder.is_dir() else []
        if others or (folder.exists() and folder.resolve() in (Path.cwd(), *Path.cwd().parents)):
            held = f"it holds {others[0]}" if others else "it is the current folder, or above it"
            raise DomainNerError(f"{folder} would be replaced as a whole, and {held}.", "Give a folder of its own.")

    def read(self, record: ReleaseRecord, name: str) -> bytes:
        """Read a checked file of a version."""
        content = b"".join(self._store.chunks(self._path(record, name)))
        self._require(record, name, hashlib.sha256(content).hexdigest())
        return content

    def history(self) -> list[Event]:
        """List what happened, the first event first."""
        records = {record.version: record for record in self.versions()}
        current = self.current()
        events = [(record.date, RELEASED, record.version, record.content) for record in records.values()]
        if current:
            events += [(one.at, one.action, one.version, one.content) for one in current.promotions]
        rank = {RELEASED: 0, PROMOTED: 1, ROLLED_BACK: 1}
        ordered = sorted(events, key=lambda event: (event[0], rank[event[1]]))
        # The last promotion or rollback put the version into use that is in use.
        last = max((n for n, event in enumerate(ordered) if event[1] != RELEASED), default=None)
        return [
            Event(
                at=at,
                action=action,
                version=version,
                content=content,
                f1=_f1(records.get(version)),
                is_current=number == last,
            )
            for number, (at, action, version, content) in enumerate(ordered)
        ]

    def _current(self) -> tuple[Current | None, bytes | None]:
        content = self._store.read(CURRENT)
        if content is None:
            return None, None
        try:
            return Current.model_validate_json(content), content
        except ValidationError as err:
            raise DomainNerError(f"{self.place}/{CURRENT} is damaged: {err}", "Restore it from a backup.") from err

    def _use(self, record: ReleaseRecord, promotions: list[Promotion], former: bytes | None) -> Current:
        current = Current(
            package=record.package,
            version=record.version,
            content=record.content,
            previous="",
            wheels={self._path(record, name): record.files[name] for name in record.wheels},
            promotions=promotions,
        )
        stack = current.stack
        current = current.model_copy(update={"previous": stack[-2].version if len(stack) > 1 else ""})
        self._store.replace(CURRENT, former, (current.model_dump_json(indent=1) + "\n").encode())
        return current

    def _path(self, record: ReleaseRecord, name: str) -> str:
        """The path of a version's file in the store: stores without renames keep it a folder lower."""
        folder = f"{VERSIONS}/{record.version}"
        flat = f"{folder}/{name}"
        return flat if self._store.exists(flat) else f"{folder}/{record.content[:12]}/{name}"

    def _copy(self, record: ReleaseRecord, name: str, target: IO[bytes] | None) -> None:
        digest = hashlib.sha256()
        for chunk in self._store.chunks(self._path(record, name)):
            digest.update(chunk)
            if target is not None:
                target.write(chunk)
        self._require(record, name, digest.hexdigest())

    def _require(self, record: ReleaseRecord, name: str, found: str) -> None:
        if found != record.files[name]:
            raise DomainNerError(
                f"{self.place}/{self._path(record, name)} is damaged: expected SHA-256 {record.files[name]}, found"
                f" {found}.",
                "Restore it from a backup of the registry; nothing was changed.",
            )


def _promotion(action: str, record: ReleaseRecord, at: str) -> Promotion:
    return Promotion(action=action, version=record.version, content=record.content, at=at)


def _f1(record: ReleaseRecord | None) -> float | None:
    return record.micro.f1.value if record and record.micro else None
