"""Commands killed at a chosen moment, and a power cut after it: what was not synced is damaged or gone."""

import json
import os
import random
import re
import shutil
import signal
import stat
import sys
import tempfile
import threading
from dataclasses import dataclass
from pathlib import Path

import pipelines

LEFT = re.compile(r"\..+-[a-z0-9_]{8}|.*\.old|\..*\.lock|unfinished|.*\.unfinished")
WATCHED = {"open", "os.rename", "os.mkdir", "os.remove", "os.rmdir", "os.link"}


def watch(root, log, moment):
    """Count what this process does to files below `root`, and kill it at a moment; note what it syncs, by inode."""
    out = os.open(log, os.O_WRONLY | os.O_APPEND)
    (number, delay), here, fsync = moment, os.getpid(), os.fsync
    count, prefix = 0, str(root)

    def die():
        os.kill(here, signal.SIGKILL)

    def happened():
        nonlocal count
        count += 1
        os.write(out, b'{"event": 1}\n')
        if count == number:
            threading.Timer(delay, die).start() if delay else die()

    def hook(event, arguments):
        if os.getpid() != here or event not in WATCHED:
            return
        is_read = event == "open" and not arguments[2] & (os.O_WRONLY | os.O_RDWR | os.O_CREAT)
        if not is_read and any(str(one).startswith(prefix) for one in arguments[:2]):
            happened()

    def noted_fsync(file):
        opened = file if isinstance(file, int) else file.fileno()
        found = os.fstat(opened)
        row = {"inode": found.st_ino, "mtime": found.st_mtime_ns, "size": found.st_size}
        if stat.S_ISDIR(found.st_mode):
            with os.scandir(opened) as entries:
                row["entries"] = {entry.name: entry.inode() for entry in entries}
        happened()
        fsync(opened)
        os.write(out, json.dumps(row).encode() + b"\n")
        happened()

    os.fsync = noted_fsync
    sys.addaudithook(hook)


@dataclass
class Project:
    """A folder in which a command is run, and its disk. tmp: the system's temporary folder to it."""

    root: Path
    log: Path

    @property
    def tmp(self):
        return self.root / "tmp"

    def run(self, script, *arguments, cwd=None, moment=(0, 0)):
        """Run a script, killed at the moment if there is one: the number of a change to a file, seconds after it.

        In a process of its own that is forked from this one, so that spaCy is not imported again and again.
        """
        self.tmp.mkdir(parents=True, exist_ok=True)
        self.log.write_bytes(b"")
        told = self.log.with_suffix(".told")
        child = os.fork()
        if not child:
            try:
                os.environ["TMPDIR"], tempfile.tempdir = str(self.tmp), None
                watch(self.root, self.log, moment)
                ran = pipelines.run(script, *arguments, cwd=cwd, check=False)
                told.write_text(ran.stdout + ran.stderr)
                os._exit(ran.returncode)
            finally:
                os._exit(99)
        code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        return code, told.read_text() if code >= 0 else ""

    def n_moments(self):
        """How many changes to files the last run made."""
        return sum('"event"' in line for line in self.log.read_text().splitlines())

    def state(self):
        """Every file and folder, as far as it tells whether it was changed."""
        return {one.inode: one for one in self._walk()}

    def cut_power(self, before, rng):
        """Damage what was written since `before` and not synced, and let new names vanish that were not."""
        rows = [json.loads(line) for line in self.log.read_text().splitlines()]
        synced = {(row["inode"], row["mtime"], row["size"]) for row in rows if "inode" in row}
        named = {(row["inode"], *entry) for row in rows for entry in row.get("entries", {}).items()}
        damaged = []
        for one in list(self._walk()):
            if not os.path.lexists(one.path):
                continue
            was = before.get(one.inode)
            is_new_name = was is None and one.path not in {old.path for old in before.values()}
            if is_new_name and (one.folder, one.path.name, one.inode) not in named and rng.random() < 0.5:
                damaged.append(f"gone: {one.path}")
                one.path.unlink() if one.is_file else shutil.rmtree(one.path)
            elif one.is_file and was != one and (one.inode, one.mtime, one.size) not in synced and one.size:
                damaged.append(f"damaged: {one.path}")
                damage(one.path, rng)
        return damaged

    def left_behind(self):
        """What should not be there when a command has ended."""
        return [str(one.path) for one in self._walk() if LEFT.fullmatch(one.path.name)] + os.listdir(self.tmp)

    def _walk(self):
        for folder, folders, files in os.walk(self.root):
            number = Path(folder).stat().st_ino
            for name in (*folders, *files):
                path = Path(folder) / name
                found = path.lstat()
                yield Entry(path, number, found.st_ino, found.st_mtime_ns, found.st_size, name in files)


@dataclass(frozen=True)
class Entry:
    path: Path
    folder: int
    inode: int
    mtime: int
    size: int
    is_file: bool


def damage(path, rng):
    """Cut a file off, empty it, or fill it with zeros, as file systems do after a crash without sync."""
    size = path.stat().st_size
    kept = rng.choice([0, rng.randrange(size), size])
    content = path.read_bytes()[:kept] if kept < size else bytes(size)
    path.write_bytes(content)


def moments(n_changes, seed):
    """Moments of a run: after which change, and how many seconds."""
    rng = random.Random(seed)
    while True:
        yield rng.randint(1, n_changes), rng.choice([0, 0, 0.01, 0.1])
