"""Temporary files of killed processes are swept, those of running ones are not, and locks name their holder."""

import os
import signal
import subprocess
import sys
import tempfile
import textwrap

import pytest

from domain_ner.errors import DomainNerError
from domain_ner.files import hold_lock, require_free, scratch_folder, sweep, write_text

needs_locks = pytest.mark.skipif(sys.platform == "win32", reason="locks are flock(2)")
BEFORE = "import sys; from pathlib import Path; from domain_ner.files import *; from domain_ner.files import hold_lock"


def start(code):
    """Start a process that runs the code, and return when it waits at HERE to be killed."""
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
    """A running process inside `atomic_path` that has written half of a folder."""
    running = start(f"""
        with atomic_path(Path({str(tmp_path)!r}) / "model") as new:
            new.mkdir()
            (new / "half").write_text("half")
            {HERE}
    """)
    yield running
    kill(running)


@needs_locks
def test_leftovers_of_a_killed_process_are_swept_by_the_next_write_to_the_folder(tmp_path, in_atomic_path):
    kill(in_atomic_path)
    assert len(os.listdir(tmp_path)) == 1
    write_text(tmp_path / "other.txt", "")
    assert os.listdir(tmp_path) == ["other.txt"]


@needs_locks
def test_files_of_a_running_process_are_not_swept(tmp_path, in_atomic_path):
    write_text(tmp_path / "other.txt", "")
    in_atomic_path.communicate("")  # it goes on to its end
    assert in_atomic_path.returncode == 0
    assert (tmp_path / "model" / "half").read_text() == "half"
    assert sorted(os.listdir(tmp_path)) == ["model", "other.txt"]


@needs_locks
def test_many_processes_that_write_and_sweep_at_once_lose_no_file(tmp_path):
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
def test_the_folder_of_a_process_killed_before_it_locked_it_is_swept(tmp_path):
    (tmp_path / ".model-abcdefgh").mkdir()
    sweep(tmp_path)
    assert os.listdir(tmp_path) == []


@needs_locks
def test_an_old_folder_that_was_moved_aside_is_restored(tmp_path, monkeypatch):
    """Where two folders cannot be exchanged in one step, the target is missing for a moment."""
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
def test_a_scratch_folder_is_swept_only_if_its_process_was_killed(tmp_path, monkeypatch):
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
def test_a_second_writer_is_told_which_process_holds_the_lock(tmp_path):
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
def test_a_shared_lock_admits_readers_and_no_writer(tmp_path):
    with hold_lock(tmp_path / "corpus", "train", shared=True):
        with hold_lock(tmp_path / "corpus", "tune", shared=True):
            pass
        with pytest.raises(DomainNerError, match="train, since"), hold_lock(tmp_path / "corpus", "convert"):
            pass
    with hold_lock(tmp_path / "corpus", "convert"):
        pass
    assert os.listdir(tmp_path) == []


def test_without_a_place_for_the_lock_file_nothing_is_locked(tmp_path):
    (tmp_path / "file").write_text("")
    with hold_lock(tmp_path / "file" / "corpus", "train"):
        assert os.listdir(tmp_path) == ["file"]
