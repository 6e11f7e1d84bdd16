"""The fuzzer itself: it damages every format, the same way each time, and tells each way to fail from the others."""

import os
import random
import signal
import sys
import time

import pytest
from conftest import ROOT

from domain_ner.conversion.ledger import BUG_ADVICE
from domain_ner.errors import DomainNerError
from domain_ner.readers.folder import FORMATS, detect

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="forks")
sys.path.append(str(ROOT / "benchmarks"))


@pytest.fixture(scope="module")
def sources(tmp_path_factory):
    from _fuzz.exports import small_exports

    return small_exports(tmp_path_factory.mktemp("exports") / "small")


def test_there_is_a_small_export_of_every_format_and_all_are_read(sources, tmp_path):
    from _fuzz.reading import READ, watch

    files = [path for source in sources for path in ([source] if source.is_file() else source.glob("*.ann"))]
    assert {detect(path).NAME for path in files} == {format.NAME for format in FORMATS}
    for source in sources:
        (tmp_path / source.name).mkdir()
        (tmp_path / source.name / source.name).symlink_to(source)
    assert {(one.what, one.told.split()[-1]) for one in watch(sorted(tmp_path.iterdir()))} == {(READ, "passages")}


def test_a_number_says_all_about_a_damaged_file(sources, tmp_path):
    from import_fuzz import damaged

    def contents(name, seed):
        folders = [folder for _, folder in damaged(sources, tmp_path / name, range(40), seed)]
        return [[(path.name, path.read_bytes()) for path in sorted(folder.iterdir())] for folder in folders]

    assert contents("a", 1) == contents("b", 1) != contents("c", 2)


def test_each_way_to_damage_changes_something(sources):
    from _fuzz.mutations import MUTATIONS

    data = next(path for path in sources if path.name == "ls.json").read_bytes()
    for mutation in set(MUTATIONS):
        assert any(mutation(data, b"other 1", random.Random(seed)) != data for seed in range(9)), mutation.__name__


def test_each_way_to_end_is_told_and_the_next_file_is_read_all_the_same(tmp_path, monkeypatch):
    from _fuzz import reading

    monkeypatch.setattr(reading, "MAX_S", 0.5)
    monkeypatch.setattr(reading, "WAITING", 4)

    def read(folder):
        if folder.name == "refused":
            raise DomainNerError("line 3: no")
        if folder.name == "wrong sums":
            raise DomainNerError("12 and 13", BUG_ADVICE)
        if folder.name == "traceback":
            raise ValueError("oops")
        if folder.name == "memory":
            raise MemoryError
        if folder.name == "crash":
            os.kill(os.getpid(), signal.SIGKILL)
        if folder.name == "hang":
            time.sleep(60)
        while folder.name == "busy":
            pass
        return "3 passages"

    names = ["read", "refused", "crash", "wrong sums", "hang", "traceback", "busy", "memory", "read"]
    found = [one.what for one in reading.watch([tmp_path / name for name in names], read)]
    assert found == ["hang" if name == "busy" else name for name in names]
