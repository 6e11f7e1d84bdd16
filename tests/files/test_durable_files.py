"""What a power cut and kill -9 leave: synced files, swept folders, locks of the living."""

import errno
import os
import signal
import stat
import subprocess
import sys
import tempfile
import textwrap
from pathlib import Path

import pytest

from domain_ner.errors import DomainNerError
from domain_ner.files import (
    DiskList,
    atomic_path,
    find_damage,
    hold_lock,
    link_folder,
    renaming,
    require_free,
    scratch_folder,
    seal,
    sweep,
    syncing,
    together,
    write_text,
)

needs_locks = pytest.mark.skipif(sys.platform == "win32", reason="locks are flock(2)")
BEFORE = "import sys; from pathlib import Path; from domain_ner.files import *; from domain_ner.files import hold_lock"


def start(code):
    """A process that runs this and says when it is at its end, where it waits to be killed."""
    script = f"{BEFORE}\n{textwrap.dedent(code)}"
    running = subprocess.Popen([sys.executable, "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert running.stdout.readline() == "here\n"
    return running


def kill(running):
    running.send_signal(signal.SIGKILL)
    running.communicate()


HERE = 'print("here", flush=True); sys.stdin.read()'


@pytest.fixture
def in_atomic_path(tmp_path):
    """A process within `atomic_path`, with half of a folder written."""
    running = start(f"""
        with atomic_path(Path({str(tmp_path)!r}) / "model") as new:
            new.mkdir()
            (new / "half").write_text("half")
            {HERE}
    """)
    yield running
    kill(running)


@pytest.fixture
def calls(monkeypatch):
    """What is synced and renamed, in order: names of files and folders."""
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
def test_a_file_is_on_the_disk_before_it_gets_its_name_and_its_name_before_it_is_told(tmp_path, calls):
    write_text(tmp_path / "a.txt", "one")
    (room, name), *others = calls
    assert room == "fsync"
    assert name.startswith(".a.txt-")  # the temporary folder, so that its lock tells later whose it was
    assert others == [("fsync", "a.txt"), ("replace", "a.txt"), ("fsync", tmp_path.name)]


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_every_file_and_folder_of_a_folder_is_synced_and_each_new_one_above_it(tmp_path, calls):
    with atomic_path(tmp_path / "deep" / "model") as new:
        (new / "part").mkdir(parents=True)
        (new / "part" / "weights").write_text("w")
        (new / "meta.json").write_text("m")
    synced = [name for call, name in calls if call == "fsync"]
    assert synced[0] == tmp_path.name  # that holds the new folder `deep`
    assert synced[1].startswith(".model-")
    assert sorted(synced[2:6]) == ["meta.json", "model", "part", "weights"]
    assert synced[-1] == "deep"


def test_very_many_files_are_synced_at_once(tmp_path, monkeypatch):
    monkeypatch.setattr(syncing, "_MAX_SYNCED", 2)
    called = []
    monkeypatch.setattr(os, "sync", lambda: called.append("sync"), raising=False)
    with atomic_path(tmp_path / "many") as new:
        new.mkdir()
        for n in range(3):
            (new / str(n)).write_text("")
    assert called == ["sync"]


def test_a_sync_that_fails_leaves_the_former_file(tmp_path, monkeypatch):
    write_text(tmp_path / "a.txt", "former")
    monkeypatch.setattr(os, "fsync", lambda _: (_ for _ in ()).throw(OSError(errno.EIO, "Input/output error")))
    with pytest.raises(DomainNerError, match="Cannot write .*a.txt: Input/output error"):
        write_text(tmp_path / "a.txt", "new")
    assert (tmp_path / "a.txt").read_text() == "former"
    assert os.listdir(tmp_path) == ["a.txt"]


def write_all(folder, content):
    """Two files and a folder of one, written together."""
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
    """Both ways of putting something in the place of what is there."""
    if request.param == "two renames":
        monkeypatch.setattr(renaming, "_exchange", lambda one, other: False)


@pytest.mark.usefixtures("swapping")
def test_what_is_written_together_changes_together(tmp_path):
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
def test_a_name_that_cannot_be_given_takes_back_those_before_it(tmp_path, monkeypatch, is_there):
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


def test_a_full_disk_is_told_with_the_name_of_what_was_written(tmp_path):
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


def test_a_folder_without_sync_is_still_written_to(tmp_path, monkeypatch):
    real = os.fsync

    def refuse_folders(opened):
        if stat.S_ISDIR(os.fstat(opened).st_mode):
            raise OSError(errno.EINVAL, "Invalid argument")
        real(opened)

    monkeypatch.setattr(os, "fsync", refuse_folders)
    write_text(tmp_path / "a.txt", "new")
    assert (tmp_path / "a.txt").read_text() == "new"


@needs_locks
def test_what_a_killed_process_left_is_swept_by_the_next_write_to_the_folder(tmp_path, in_atomic_path):
    kill(in_atomic_path)
    assert len(os.listdir(tmp_path)) == 1
    write_text(tmp_path / "other.txt", "")
    assert os.listdir(tmp_path) == ["other.txt"]


@needs_locks
def test_what_a_living_process_uses_is_not_swept(tmp_path, in_atomic_path):
    write_text(tmp_path / "other.txt", "")
    in_atomic_path.communicate("")  # it goes on to its end
    assert in_atomic_path.returncode == 0
    assert (tmp_path / "model" / "half").read_text() == "half"
    assert sorted(os.listdir(tmp_path)) == ["model", "other.txt"]


@needs_locks
def test_many_processes_that_write_and_sweep_at_once_lose_nothing(tmp_path):
    code = f"""
        for n in range(60):
            write_text(Path({str(tmp_path)!r}) / f"{{sys.argv[1]}}-{{n}}", "whole")
    """
    script = f"{BEFORE}\n{textwrap.dedent(code)}"
    running = [subprocess.Popen([sys.executable, "-c", script, str(n)]) for n in range(4)]
    assert [one.wait() for one in running] == [0] * 4
    assert sorted(os.listdir(tmp_path)) == sorted(f"{k}-{n}" for k in range(4) for n in range(60))
    assert {path.read_text() for path in tmp_path.iterdir()} == {"whole"}


def test_only_our_own_temporary_folders_are_swept(tmp_path):
    for name in (
        ".model-20251128/model",
        ".config-template/domain-ner.txt",
        "model-abcdefgh/domain-ner.lock",
        ".git/a",
    ):
        (tmp_path / name).parent.mkdir()
        (tmp_path / name).write_text("mine")
    sweep(tmp_path)
    assert len([path for path in tmp_path.rglob("*") if path.is_file()]) == 4


@needs_locks
def test_one_killed_before_its_folder_was_locked_leaves_nothing(tmp_path):
    (tmp_path / ".model-abcdefgh").mkdir()
    sweep(tmp_path)
    assert os.listdir(tmp_path) == []


@needs_locks
def test_a_former_folder_that_was_put_aside_comes_back(tmp_path, monkeypatch):
    """Where two folders cannot change places at once, there is a moment with neither in its place."""
    target = tmp_path / "model"
    target.mkdir()
    (target / "former").write_text("")
    running = start(f"""
        from domain_ner.files import renaming
        renaming._exchange = lambda *_: False
        def rename(self, other, real=Path.rename):
            if not str(other).endswith(".old"):
                {HERE}
            return real(self, other)
        Path.rename = rename
        with atomic_path(Path({str(target)!r})) as new:
            new.mkdir()
    """)
    kill(running)
    assert not target.exists()
    sweep(tmp_path)
    assert os.listdir(target) == ["former"]
    assert os.listdir(tmp_path) == ["model"]


@needs_locks
def test_a_scratch_folder_of_a_killed_process_is_swept_and_that_of_a_living_one_is_not(tmp_path, monkeypatch):
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr(tempfile, "tempdir", None)
    code = f"""
        with scratch_folder() as folder:
            (folder / "venv").write_text("")
            {HERE}
    """
    killed, living = start(code), start(code)
    kill(killed)
    with scratch_folder() as folder:
        assert folder.is_dir() and not os.listdir(folder)
        assert len(os.listdir(tmp_path)) == 2
    living.communicate("")
    assert living.returncode == 0
    assert os.listdir(tmp_path) == []
    monkeypatch.setattr(tempfile, "tempdir", None)


@needs_locks
def test_two_that_write_the_same_are_told_who_holds_it(tmp_path):
    running = start(f"""
        with hold_lock(Path({str(tmp_path / "corpus")!r}), "convert_annotations.py"):
            {HERE}
    """)
    told = rf"corpus is in use by process {running.pid} \(convert_annotations.py, since 2"
    for shared in (False, True):
        with pytest.raises(DomainNerError, match=told), hold_lock(tmp_path / "corpus", "other", shared=shared):
            pass
    with pytest.raises(DomainNerError, match=told):
        require_free(tmp_path)
    with hold_lock(tmp_path / "other", "other"):
        pass
    kill(running)
    with hold_lock(tmp_path / "corpus", "other"):
        require_free(tmp_path / "corpus")
    assert os.listdir(tmp_path) == []


@needs_locks
def test_several_may_read_what_none_may_write_meanwhile(tmp_path):
    with hold_lock(tmp_path / "corpus", "train", shared=True):
        with hold_lock(tmp_path / "corpus", "tune", shared=True):
            pass
        with pytest.raises(DomainNerError, match="train, since"), hold_lock(tmp_path / "corpus", "convert"):
            pass
    with hold_lock(tmp_path / "corpus", "convert"):
        pass
    assert os.listdir(tmp_path) == []


def test_where_there_is_no_place_for_a_lock_nothing_is_held(tmp_path):
    (tmp_path / "file").write_text("")
    with hold_lock(tmp_path / "file" / "corpus", "train"):
        assert os.listdir(tmp_path) == ["file"]


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


def test_a_linked_folder_holds_the_same_and_takes_no_room(tmp_path):
    (tmp_path / "a" / "in").mkdir(parents=True)
    (tmp_path / "a" / "in" / "file").write_text("one")
    link_folder(tmp_path / "a", tmp_path / "b")
    assert (tmp_path / "b" / "in" / "file").read_text() == "one"
    assert (tmp_path / "b" / "in" / "file").stat().st_nlink == 2
