"""Archives from elsewhere: nothing lands outside the folder it is meant for."""

import os
import stat
import zipfile

import pytest

from domain_ner.errors import DomainNerError
from domain_ner.files import archives
from domain_ner.files.archives import Member, is_inside, require_inside, unpack

OUTSIDE = [
    "../evil.txt", "model/../../evil.txt", "model/..", "/evil.txt", "//evil.txt", "C:/evil.txt", "C:evil.txt",
    "c:\\evil.txt", "model\\..\\evil.txt", "\\\\host\\share\\evil.txt", "a//b", "./a", "", "name:stream",
]  # fmt: skip


def write(path, members):
    with zipfile.ZipFile(path, "w") as archive:
        for member in members:
            archive.writestr(member, "what is in it")
    return path


@pytest.mark.parametrize("name", OUTSIDE)
def test_a_member_that_would_land_outside_is_refused_before_anything_is_written(tmp_path, name):
    assert not is_inside(name)
    if name:
        archive, folder = write(tmp_path / "a.whl", ["model/a.txt", name]), tmp_path / "in" / "folder"
        folder.mkdir(parents=True)
        with pytest.raises(DomainNerError, match="would land outside its folder"):
            unpack(archive, folder, below="model")
        assert os.listdir(folder) == [] and sorted(os.listdir(tmp_path)) == ["a.whl", "in"]


@pytest.mark.parametrize("name", ["a", "model/a.txt", "a..b/..c", ".hidden", "…/ä"])
def test_ordinary_names_are_inside(name):
    require_inside([name], "a.whl")


def test_a_symbolic_link_is_refused(tmp_path):
    link = zipfile.ZipInfo("model/link")
    link.external_attr = (stat.S_IFLNK | 0o777) << 16
    with pytest.raises(DomainNerError, match="holds a symbolic link, 'model/link'"):
        unpack(write(tmp_path / "a.whl", ["model/a.txt", link]), tmp_path / "to")
    assert not (tmp_path / "to").exists()


def test_the_files_below_a_folder_are_unpacked(tmp_path):
    archive = write(tmp_path / "a.whl", ["model/", "model/deep/a.txt", "model2/b.txt", "c.txt"])
    unpack(archive, tmp_path / "some", below="model")
    unpack(archive, tmp_path / "all")
    assert [path.name for path in (tmp_path / "some").rglob("*.txt")] == ["a.txt"]
    assert sorted(path.name for path in (tmp_path / "all").rglob("*.txt")) == ["a.txt", "b.txt", "c.txt"]
    assert (tmp_path / "some" / "deep" / "a.txt").read_text() == "what is in it"


def test_two_members_of_one_name_are_refused(tmp_path):
    with pytest.warns(UserWarning, match="Duplicate name"):
        archive = write(tmp_path / "a.whl", ["model/a.txt", "model/a.txt"])
    with pytest.raises(DomainNerError, match=r"holds two files called 'model/a\.txt'"):
        unpack(archive, tmp_path / "to")
    assert not (tmp_path / "to").exists()


def test_what_unpacks_to_more_than_is_stated_is_refused(tmp_path, monkeypatch):
    archive = write(tmp_path / "a.whl", ["a.txt", "b.txt"])
    monkeypatch.setattr(archives, "MAX_UNPACKED_BYTES", 26)
    unpack(archive, tmp_path / "to")
    monkeypatch.setattr(archives, "MAX_UNPACKED_BYTES", 25)
    with pytest.raises(
        DomainNerError, match=r"a\.whl unpacks to 26 bytes; expected at most 25\. Nothing of it is used"
    ):
        unpack(archive, tmp_path / "another")
    assert not (tmp_path / "another").exists()


def test_what_is_no_zip_is_an_error(tmp_path):
    (tmp_path / "a.whl").write_bytes(b"no zip")
    with pytest.raises(DomainNerError, match=r"Cannot read .*a\.whl"):
        unpack(tmp_path / "a.whl", tmp_path / "to")


def test_a_member_that_is_only_read_may_be_called_anything(tmp_path):
    with zipfile.ZipFile(write(tmp_path / "a.zip", ["../rows.jsonl"])) as archive:
        member = Member(archive, archive.infolist()[0])
        assert (member.name, member.suffix) == ("rows.jsonl", ".jsonl")
        with member.open("rb") as raw, member.open(encoding="utf-8", newline="") as text:
            assert raw.read() == b"what is in it" and text.read() == "what is in it"
