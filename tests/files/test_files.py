import os

import pytest

from domain_ner.errors import DomainNerError, raise_for
from domain_ner.files import atomic_path, remove_within, sha256, sha256_of_folder, write_text


def test_a_file_appears_whole(tmp_path):
    write_text(tmp_path / "new" / "a.txt", "one\ntwo\n")
    assert (tmp_path / "new" / "a.txt").read_bytes() == b"one\ntwo\n"
    assert os.listdir(tmp_path / "new") == ["a.txt"]


def test_a_failure_leaves_the_former_file_and_nothing_else(tmp_path):
    target = tmp_path / "a.txt"
    target.write_text("former")
    with pytest.raises(RuntimeError), atomic_path(target) as temporary:
        temporary.write_text("half")
        raise RuntimeError
    assert target.read_text() == "former"
    assert os.listdir(tmp_path) == ["a.txt"]


def test_a_folder_takes_the_place_of_a_full_one(tmp_path):
    target = tmp_path / "model"
    target.mkdir()
    (target / "old").write_text("")
    with atomic_path(target) as temporary:
        temporary.mkdir()
        (temporary / "new").write_text("")
    assert os.listdir(target) == ["new"]
    assert os.listdir(tmp_path) == ["model"]


def test_a_place_that_cannot_be_written_to_is_an_error_that_names_it(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(DomainNerError, match="Cannot write"):
        write_text(tmp_path / "file" / "a.txt", "")


def test_sha256(tmp_path):
    (tmp_path / "a").write_bytes(b"abc")
    assert sha256(tmp_path / "a") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"


def test_many_problems_are_counted_and_the_first_listed():
    with pytest.raises(DomainNerError) as caught:
        raise_for([f"a:{n}: bad" for n in range(25)], summary="{n} rows are bad:", fix="Mend them.")
    message = str(caught.value)
    assert message.startswith("25 rows are bad:\n  a:0: bad")
    assert "… and 5 more" in message
    assert message.endswith("Mend them.")


def test_no_problems_is_no_error():
    raise_for([], summary="{n}", fix="")


def test_only_what_is_named_is_removed(tmp_path):
    for name in ("a", "b", "mine"):
        (tmp_path / "work" / name).mkdir(parents=True)
    remove_within(tmp_path / "work", ["a", "b", "c"])
    assert [path.name for path in (tmp_path / "work").iterdir()] == ["mine"]
    remove_within(tmp_path / "work", ["mine"])
    assert not (tmp_path / "work").exists()


def test_a_folder_is_told_apart_by_names_and_bytes(tmp_path):
    found = set()
    for name, content in (("a", "1"), ("a", "2"), ("b", "2"), ("c/b", "2")):
        folder = tmp_path / str(len(found))
        (folder / name).parent.mkdir(parents=True)
        (folder / name).write_text(content)
        found.add(sha256_of_folder(folder))
        assert sha256_of_folder(folder) in found
    assert len(found) == 4
