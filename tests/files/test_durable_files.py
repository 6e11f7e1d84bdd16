"""Writes survive a crash: files are synced before their rename, change together, and damage is found."""

import errno
import os
import stat
import sys
from pathlib import Path

import pytest

from domain_ner.errors import DomainNerError
from domain_ner.files import (
    DiskList,
    atomic_path,
    find_damage,
    link_folder,
    renaming,
    seal,
    syncing,
    together,
    write_text,
)


@pytest.fixture
def calls(monkeypatch):
    """The calls to `fsync` and `replace`, in order, with the name of the file or folder."""
    found = []

    def record(name):
        real = getattr(os, name)

        def recorded(*arguments):
            opened = arguments[0]
            path = Path(f"/proc/self/fd/{opened}").readlink() if isinstance(opened, int) else Path(opened)
            found.append((name, path.name))
            return real(*arguments)

        monkeypatch.setattr(os, name, recorded)

    for name in ("fsync", "replace"):
        record(name)
    return found


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_a_file_is_synced_before_its_rename_and_its_folder_after_it(tmp_path, calls):
    write_text(tmp_path / "a.txt", "one")
    (room, name), *others = calls
    assert room == "fsync"
    assert name.startswith(".a.txt-")  # the temporary folder, so that its lock tells later whose it was
    assert others == [("fsync", "a.txt"), ("replace", "a.txt"), ("fsync", tmp_path.name)]


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_every_file_and_folder_in_a_folder_is_synced_and_each_new_parent(tmp_path, calls):
    with atomic_path(tmp_path / "deep" / "model") as new:
        (new / "part").mkdir(parents=True)
        (new / "part" / "weights").write_text("w")
        (new / "meta.json").write_text("m")
    synced = [name for call, name in calls if call == "fsync"]
    assert synced[0] == tmp_path.name  # that holds the new folder `deep`
    assert synced[1].startswith(".model-")
    assert sorted(synced[2:6]) == ["meta.json", "model", "part", "weights"]
    assert synced[-1] == "deep"


def test_very_many_files_are_synced_by_one_call(tmp_path, monkeypatch):
    monkeypatch.setattr(syncing, "_MAX_SYNCED", 2)
    called = []
    monkeypatch.setattr(os, "sync", lambda: called.append("sync"), raising=False)
    with atomic_path(tmp_path / "many") as new:
        new.mkdir()
        for n in range(3):
            (new / str(n)).write_text("")
    assert called == ["sync"]


def test_a_failed_sync_keeps_the_old_file(tmp_path, monkeypatch):
    write_text(tmp_path / "a.txt", "former")
    monkeypatch.setattr(os, "fsync", lambda _: (_ for _ in ()).throw(OSError(errno.EIO, "Input/output error")))
    with pytest.raises(DomainNerError, match="Cannot write .*a.txt: Input/output error"):
        write_text(tmp_path / "a.txt", "new")
    assert (tmp_path / "a.txt").read_text() == "former"
    assert os.listdir(tmp_path) == ["a.txt"]


def write_all(folder, content):
    """Write two files, and a folder with one file, together."""
    with together():
        write_text(folder / "a.txt", content)
        with atomic_path(folder / "model") as new:
            new.mkdir()
            write_text(new / "weights", content)  # in a folder that is new itself
        write_text(folder / "deep" / "b.txt", content)


def contents(folder):
    return {path.relative_to(folder).as_posix(): path.read_text() for path in folder.rglob("*") if path.is_file()}


@pytest.fixture(params=["exchange", "two renames"])
def swapping(request, monkeypatch):
    """Both ways to replace a file or folder."""
    if request.param == "two renames":
        monkeypatch.setattr(renaming, "_exchange", lambda one, other: False)


@pytest.mark.usefixtures("swapping")
def test_files_written_together_change_together(tmp_path):
    write_all(tmp_path, "one")
    write_all(tmp_path, "two")
    assert contents(tmp_path) == dict.fromkeys(("a.txt", "model/weights", "deep/b.txt"), "two")


@pytest.mark.usefixtures("swapping")
def test_an_error_before_the_end_changes_nothing(tmp_path):
    write_all(tmp_path, "one")
    before = contents(tmp_path)
    (tmp_path / "file").write_text("in the place of a folder")
    with pytest.raises(DomainNerError, match="Cannot write"), together():
        write_text(tmp_path / "a.txt", "two")
        write_text(tmp_path / "file" / "b.txt", "two")
    assert contents(tmp_path) == before | {"file": "in the place of a folder"}


@pytest.mark.usefixtures("swapping")
@pytest.mark.parametrize("is_there", [True, False])
def test_a_failed_rename_undoes_the_earlier_ones(tmp_path, monkeypatch, is_there):
    if is_there:
        write_all(tmp_path, "one")
    before = contents(tmp_path)
    swap = renaming._swap

    def refuse_the_last(temporary, target, undo):
        if target.name == "b.txt":
            raise OSError(errno.EROFS, "Read-only file system")
        swap(temporary, target, undo)

    monkeypatch.setattr(renaming, "_swap", refuse_the_last)
    with pytest.raises(DomainNerError, match="Cannot write .*b.txt: Read-only file system"):
        write_all(tmp_path, "two")
    assert contents(tmp_path) == before


def test_a_full_disk_is_an_error_that_names_the_file(tmp_path):
    resource = pytest.importorskip("resource")
    write_text(tmp_path / "a.txt", "former")
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 12, before[1]))
    try:
        with pytest.raises(DomainNerError, match="Cannot write .*a.txt: File too large"):
            write_text(tmp_path / "a.txt", "new" * (1 << 12))
        with pytest.raises(DomainNerError, match="temporary files: File too large"):
            list(DiskList([b"x" * (1 << 13), b"y" * (1 << 13)]))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert contents(tmp_path) == {"a.txt": "former"}


def test_a_folder_that_cannot_be_synced_is_still_written_to(tmp_path, monkeypatch):
    real = os.fsync

    def refuse_folders(opened):
        if stat.S_ISDIR(os.fstat(opened).st_mode):
            raise OSError(errno.EINVAL, "Invalid argument")
        real(opened)

    monkeypatch.setattr(os, "fsync", refuse_folders)
    write_text(tmp_path / "a.txt", "new")
    assert (tmp_path / "a.txt").read_text() == "new"


@pytest.mark.parametrize(
    ("damage", "told"),
    [
        (lambda folder: None, ""),
        (lambda folder: (folder / "a").unlink(), "a is missing"),
        (lambda folder: (folder / "a").write_bytes(b""), "a is empty"),
        (lambda folder: (folder / "a").write_bytes(b"on"), "a holds other bytes"),
        (lambda folder: (folder / "in" / "b").write_bytes(b"\0\0\0"), "in/b holds other bytes"),
        (lambda folder: (folder / "checksums.json").unlink(), "checksums.json is missing"),
        (lambda folder: (folder / "checksums.json").write_text("{"), "cannot read checksums.json"),
        (lambda folder: (folder / "checksums.json").write_text("[]"), "cannot read checksums.json"),
    ],
)
def test_damage_is_found_and_named(tmp_path, damage, told):
    (tmp_path / "in").mkdir()
    (tmp_path / "a").write_text("one")
    (tmp_path / "in" / "b").write_text("two")
    seal(tmp_path)
    damage(tmp_path)
    found = find_damage(tmp_path)
    assert found.startswith(told) and bool(found) == bool(told)


def test_a_linked_folder_has_the_same_files_and_takes_no_space(tmp_path):
    (tmp_path / "a" / "in").mkdir(parents=True)
    (tmp_path / "a" / "in" / "file").write_text("one")
    link_folder(tmp_path / "a", tmp_path / "b")
    assert (tmp_path / "b" / "in" / "file").read_text() == "one"
    assert (tmp_path / "b" / "in" / "file").stat().st_nlink == 2
