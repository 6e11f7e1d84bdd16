"""The record of a run, in its output folder: what was asked for, the shards, and which are done.

`run.json` says which pipeline and settings the folder belongs to, and `plan.jsonl` lists the shards. `manifest.jsonl`
has a row for each that is done, with hashes of its input and its output.
"""

import json
import os
from collections.abc import Iterable, Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

from domain_ner.annotating.jobs import Settings, Shard, ShardResult, shard_from_json
from domain_ner.annotating.sources import Source
from domain_ner.errors import DomainNerError
from domain_ner.files import sync, together, write_text

RUN, PLAN, MANIFEST = "run.json", "plan.jsonl", "manifest.jsonl"
ANOTHER = "Give another output folder: results of two pipelines, or of two settings, are never mixed."


class Manifest:
    """The record of the run in a folder. Only the process that leads the run writes to it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.shards: list[Shard] = []
        self.done: dict[int, ShardResult] = {}

    def open(self, identity: dict[str, str], settings: Settings) -> dict[str, Any]:
        """Read the record, or begin one; returns `run.json`.

        identity: of the pipeline. Raises DomainNerError when the folder belongs to another pipeline or other settings,
        or holds something else.
        """
        path = self.folder / RUN
        wanted = {"pipeline": identity, "settings": asdict(settings)}
        if not path.exists():
            if self.folder.is_dir() and any(not path.name.startswith(".") for path in self.folder.iterdir()):
                raise DomainNerError(f"{self.folder} is not empty, and holds no {RUN}.", "Give a new output folder.")
            return wanted
        run: dict[str, Any] = _read_json(path)
        for part, name in (("pipeline", "pipeline"), ("settings", "settings")):
            for key, value in wanted[part].items():
                if run.get(part, {}).get(key) != value:
                    raise DomainNerError(
                        f"{self.folder} was begun with {name} {key} {run.get(part, {}).get(key)!r}; this is {value!r}.",
                        ANOTHER,
                    )
        self.shards = [shard_from_json(row) for row in _lines(self.folder / PLAN)]
        for row in _lines(self.folder / MANIFEST):
            result = ShardResult(**row)
            self.done[result.number] = result
        return run

    def new_sources(self, sources: Iterable[Source]) -> list[Source]:
        """Return the sources that no shard has yet.

        Raises DomainNerError when one changed after its shards were planned.
        """
        planned = {url: stamp for shard in self.shards for url, stamp in zip(shard.urls, shard.stamps, strict=True)}
        new = []
        for source in sources:
            known = planned.get(source.url)
            if known is None:
                new.append(source)
            elif known != source.stamp:
                raise DomainNerError(
                    f"{source.url} changed after {self.folder} was begun.", "Give another output folder."
                )
        return new

    def save(self, run: dict[str, Any], shards: list[Shard]) -> None:
        """Write the run and its plan, with these new shards."""
        self.shards += shards
        text = "".join(json.dumps(asdict(shard), ensure_ascii=False) + "\n" for shard in self.shards)
        with together():
            write_text(self.folder / PLAN, text)
            write_text(self.folder / RUN, json.dumps(run, indent=1, ensure_ascii=False) + "\n")

    def add(self, result: ShardResult) -> None:
        """Append a shard that is done. It is on the disk when this returns."""
        path = self.folder / MANIFEST
        line = json.dumps(asdict(result)) + "\n"
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
        try:
            os.write(descriptor, line.encode())
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
        self.done[result.number] = result

    def mend(self) -> None:
        """Remove the half of a line that a killed process left at the end of the manifest."""
        path = self.folder / MANIFEST
        if not path.exists():
            return
        content = path.read_bytes()
        whole = content[: content.rfind(b"\n") + 1]
        if whole != content:
            os.truncate(path, len(whole))
            sync(path)

    def left(self) -> list[Shard]:
        """The shards that are not done."""
        return [shard for shard in self.shards if shard.number not in self.done]


def _lines(path: Path) -> Iterator[dict[str, Any]]:
    if not path.exists():
        return
    with path.open(encoding="utf8") as stream:
        for number, line in enumerate(stream, 1):
            if line.endswith("\n"):
                try:
                    yield json.loads(line)
                except ValueError as err:
                    raise DomainNerError(f"{path}:{number}: {err}.", "The file is damaged: give a new folder.") from err


def _read_json(path: Path) -> dict[str, Any]:
    try:
        content = json.loads(path.read_text(encoding="utf8"))
    except ValueError as err:
        raise DomainNerError(f"{path}: {err}.", "The file is damaged: give a new output folder.") from err
    return content if isinstance(content, dict) else {}
