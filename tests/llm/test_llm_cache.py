"""The answers on disk: several threads and processes, damage, and folders that cannot be written to."""

import os
import sqlite3
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from conftest import ROOT

from domain_ner.errors import DomainNerError
from domain_ner.llm.answers import Answer
from domain_ner.llm.budget import Tokens
from domain_ner.llm.cache import FILE, Cache, key_of

ANSWER = Answer('é "x" 😀', Tokens(5, 7), is_cut_off=True)
WRITER = """
import sys
from pathlib import Path
from domain_ner.llm.answers import Answer
from domain_ner.llm.budget import Tokens
from domain_ner.llm.cache import Cache
with Cache(Path(sys.argv[1])) as cache:
    for number in range(200):
        cache.put(f"{sys.argv[2]}-{number}", Answer(str(number), Tokens(1, 1)))
    sys.stdout.write("done")
    sys.stdout.flush()
    if sys.argv[3] == "die":
        import os, signal
        os.kill(os.getpid(), signal.SIGKILL)
"""


def test_an_answer_comes_back_as_it_was(tmp_path):
    with Cache(tmp_path) as cache:
        assert cache.get("a") is None
        cache.put("a", ANSWER)
        cache.put("b", Answer("half \ud83d", None))
    with Cache(tmp_path) as cache:
        assert cache.get("a") == ANSWER and cache.get("b") == Answer("half \ud83d", Tokens()) and len(cache) == 2


def test_without_a_folder_it_is_in_memory():
    with Cache(None) as cache:
        cache.put("a", ANSWER)
        assert cache.get("a") == ANSWER


def test_keys_depend_on_every_part_and_on_nothing_else():
    keys = {key_of("a", "b"), key_of("ab"), key_of("a", ["b"]), key_of("b", "a"), key_of("a\ud83d")}
    assert len(keys) == 5 and all(len(key) == 64 for key in keys)
    assert key_of({"x": 1, "y": 2}) == key_of({"y": 2, "x": 1})


def test_several_threads_share_one(tmp_path):
    with Cache(tmp_path) as cache, ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda n: cache.put(str(n), Answer(str(n), None)), range(300)))
        assert [cache.get(str(n)).content for n in range(300)] == [str(n) for n in range(300)]


def test_several_processes_share_one_and_lose_nothing_to_kill_9(tmp_path):
    ends = {"a": "live", "b": "die", "c": "live"}
    command = [sys.executable, "-c", WRITER, str(tmp_path)]
    running = [subprocess.Popen([*command, *end], cwd=ROOT, stdout=subprocess.PIPE) for end in ends.items()]
    codes = [process.communicate(timeout=60) and process.returncode for process in running]
    assert codes[0] == codes[2] == 0 and codes[1] == -9
    with Cache(tmp_path) as cache:
        assert len(cache) == 600 and cache.get("b-199").content == "199"


@pytest.mark.parametrize("content", [b"no database" * 500, b"SQLite format 3\0" + b"\xff" * 5000])
def test_a_damaged_file_is_named_with_what_to_do(tmp_path, content):
    (tmp_path / FILE).write_bytes(content)
    with pytest.raises(DomainNerError, match="is damaged") as told:
        Cache(tmp_path)
    assert FILE in told.value.message and "Move it away" in told.value.fix


def test_a_file_damaged_inside_is_named_when_it_is_read(tmp_path):
    with Cache(tmp_path) as cache:
        for number in range(300):
            cache.put(str(number), Answer("x" * 100, None))
    path = tmp_path / FILE
    content = bytearray(path.read_bytes())
    content[4096:] = b"\xa5" * (len(content) - 4096)
    path.write_bytes(content)
    with pytest.raises(DomainNerError, match="is damaged"), Cache(tmp_path) as cache:
        for number in range(300):
            cache.get(str(number))


def test_a_row_that_is_no_answer_is_damage_too(tmp_path):
    with Cache(tmp_path):
        pass
    with sqlite3.connect(tmp_path / FILE) as db:
        db.execute("INSERT INTO answers VALUES ('a', '[]')")
    db.close()
    with Cache(tmp_path) as cache, pytest.raises(DomainNerError, match="is damaged"):
        cache.get("a")


@pytest.mark.parametrize(("pragma", "message"), [("", "something else"), ("application_id = 1682851154", "version 0")])
def test_another_database_is_left_alone(tmp_path, pragma, message):
    with sqlite3.connect(tmp_path / FILE) as db:
        db.execute("CREATE TABLE mine (x)")
        db.execute(f"PRAGMA {pragma}" if pragma else "SELECT 1")
    db.close()
    with pytest.raises(DomainNerError, match=message):
        Cache(tmp_path)
    with sqlite3.connect(tmp_path / FILE) as db:
        assert db.execute("SELECT name FROM sqlite_master").fetchall() == [("mine",)]
    db.close()


def test_a_folder_that_cannot_be_written_to_is_named(tmp_path):
    (tmp_path / "file").write_text("x")
    with pytest.raises(DomainNerError, match="Cannot write"):
        Cache(tmp_path / "file" / "cache")
    with pytest.raises(DomainNerError, match="Cannot use the cache"):
        (tmp_path / FILE).mkdir()
        Cache(tmp_path)


def test_a_read_only_folder_is_named():
    """In a child that is nobody: root may write everywhere."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o555)
        child = os.fork()
        if not child:
            try:
                if os.geteuid() == 0:
                    os.setuid(65534)
                Cache(folder)
            except DomainNerError as err:
                os._exit(7 if "Cannot use the cache" in err.message and name in err.message else 2)
            finally:
                os._exit(1)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 7
        folder.chmod(0o755)


def test_processes_that_make_one_at_the_same_time_all_get_it(tmp_path):
    command = [sys.executable, "-c", WRITER, str(tmp_path)]
    running = [subprocess.Popen([*command, str(n), "live"], cwd=ROOT, stdout=subprocess.PIPE) for n in range(6)]
    assert [process.communicate(timeout=60) and process.returncode for process in running] == [0] * 6
    with Cache(tmp_path) as cache:
        assert len(cache) == 1200
