"""A registry in a folder and behind a URL: versions never change, one is in use, and damage is named."""

import hashlib
import io
import json
import multiprocessing
import shutil
import sys
from uuid import uuid4

import fsspec
import pytest
import unreachable
from fsspec.implementations.memory import MemoryFileSystem
from releases import candidate, make, tree

from domain_ner.errors import DomainNerError
from domain_ner.releasing.records import Current, ReleaseRecord, content_of
from domain_ner.releasing.registry import CURRENT, Registry

TIMES = [f"2026-12-0{day}T12:00:00Z" for day in range(1, 10)]


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    """The folders of three versions, as a release makes them."""
    root = tmp_path_factory.mktemp("built")
    registry = Registry(str(root / "registry"))
    made = candidate(root / "candidate")
    for number, bump in enumerate(("patch", "patch", "minor")):
        other = candidate(root / str(number), names={"Redis": "INFRA", f"Name{number}": "INFRA"})
        make(
            registry, other if number else made, root / "work", bump=bump, forced="a test", epoch=1_790_000_000 + number
        )
    return {path.name: path for path in (root / "registry" / "versions").iterdir()}


def pytest_generate_tests(metafunc):
    if "place" in metafunc.fixturenames:
        given = ["given"] if metafunc.config.getoption("--registry") else []
        metafunc.parametrize("place", ["folder", "file", "memory", "local", *given], indirect=True)


@pytest.fixture
def place(request, tmp_path):
    """A registry as a folder, as a file:// URL, in memory, in a folder as in an object store, as --registry."""
    return {
        "given": f"{request.config.getoption('--registry')}/{uuid4().hex}",
        "folder": str(tmp_path / "registry"),
        "file": f"file://{tmp_path / 'registry'}",
        "memory": f"memory://registry-{uuid4().hex}",
        "local": f"local://{tmp_path / 'registry'}",
    }[request.param]


@pytest.fixture
def registry(place, built):
    found = Registry(place)
    for version in ("0.1.0", "0.1.1", "0.2.0"):
        found.add(built[version])
    return found


def versions(registry):
    return [record.version for record in registry.versions()]


def damage(registry, name):
    """Change a byte of a file of 0.1.0."""
    system, root = fsspec.core.url_to_fs(registry.place)
    (path,) = [path for path in system.find(root) if path.endswith(name) and "0.1.0" in path]
    system.pipe_file(path, b"X" + system.cat_file(path)[1:])


def test_what_is_added_is_there_in_order_and_complete(registry, built, tmp_path):
    assert versions(registry) == ["0.1.0", "0.1.1", "0.2.0"]
    record = registry.get("0.1.1")
    paths = registry.fetch(record, tmp_path / "fetched", list(record.files))
    assert {path.name: path.read_bytes() for path in paths} == {
        name: content for name, content in tree(built["0.1.1"]).items() if name != "release.json"
    }
    assert record.content == content_of(record.files)


def test_a_new_registry_is_empty(place):
    assert Registry(place).versions() == [] and Registry(place).current() is None and Registry(place).history() == []


def test_the_same_content_again_changes_nothing(registry, built):
    assert registry.add(built["0.1.0"]) == registry.get("0.1.0")
    assert versions(registry) == ["0.1.0", "0.1.1", "0.2.0"]


def test_the_same_version_with_other_content_is_refused_and_leaves_the_former_as_it_was(registry, built, tmp_path):
    other = tmp_path / "other"
    shutil.copytree(built["0.1.0"], other)
    (other / "CHANGES.md").write_text("something else")
    record = ReleaseRecord.model_validate_json((other / "release.json").read_bytes())

    files = {**record.files, "CHANGES.md": hashlib.sha256(b"something else").hexdigest()}
    record = record.model_copy(update={"files": files, "content": content_of(files)})
    (other / "release.json").write_text(record.model_dump_json())
    with pytest.raises(DomainNerError, match=r"has 0\.1\.0 already, with other content .*A version never changes"):
        registry.add(other)
    registry.verify(registry.get("0.1.0"))


def test_promote_and_rollback_walk_through_the_versions(registry):
    assert registry.in_use() is None
    registry.promote("0.1.0", TIMES[0])
    registry.promote("0.1.1", TIMES[1])
    current = registry.promote("0.2.0", TIMES[2])
    assert (current.version, current.previous) == ("0.2.0", "0.1.1")
    assert registry.rollback(TIMES[3]).version == "0.1.1"
    assert registry.rollback(TIMES[4]).version == "0.1.0"
    with pytest.raises(DomainNerError, match=r"nothing to go back to: 0\.1\.0 is the first version"):
        registry.rollback(TIMES[5])
    registry.promote("0.2.0", TIMES[6])
    assert registry.rollback(TIMES[7]).version == registry.in_use().version == "0.1.0"
    told = [(event.action, event.version) for event in registry.history()]
    assert told[:3] == [("released", "0.1.0"), ("released", "0.1.1"), ("released", "0.2.0")]
    assert told[3:] == [
        ("promoted", "0.1.0"), ("promoted", "0.1.1"), ("promoted", "0.2.0"), ("rolled back", "0.1.1"),
        ("rolled back", "0.1.0"), ("promoted", "0.2.0"), ("rolled back", "0.1.0"),
    ]  # fmt: skip
    assert [event.is_current for event in registry.history()] == [False] * 9 + [True]


def test_a_rollback_restores_the_former_wheels_byte_by_byte(registry, tmp_path):
    registry.promote("0.1.0", TIMES[0])
    registry.fetch(registry.in_use(), tmp_path / "deployed")
    before = tree(tmp_path / "deployed")
    registry.promote("0.2.0", TIMES[1])
    registry.fetch(registry.in_use(), tmp_path / "deployed")
    assert tree(tmp_path / "deployed") != before
    registry.rollback(TIMES[2])
    registry.fetch(registry.in_use(), tmp_path / "deployed")
    assert tree(tmp_path / "deployed") == before and len(before) == 2


def test_to_promote_what_is_in_use_writes_nothing(registry):
    registry.promote("0.1.0", TIMES[0])
    assert registry.promote("0.1.0", TIMES[1]).promotions == registry.current().promotions
    assert len(registry.current().promotions) == 1


def test_current_json_names_the_wheels_for_programs_that_do_not_know_us(registry):
    registry.promote("0.1.1", TIMES[0])
    system, root = fsspec.core.url_to_fs(registry.place)
    current = json.loads(system.cat_file(f"{root}/{CURRENT}"))

    assert len(current["wheels"]) == 2
    for path, sha256 in current["wheels"].items():
        assert hashlib.sha256(system.cat_file(f"{root}/{path}")).hexdigest() == sha256
    Current.model_validate(current)


def test_an_unknown_version_is_told_with_those_that_are_there(registry):
    with pytest.raises(DomainNerError, match=r"no version 9\.9\.9; expected one of: 0\.1\.0, 0\.1\.1, 0\.2\.0"):
        registry.promote("9.9.9", TIMES[0])
    with pytest.raises(DomainNerError, match="none was promoted"):
        registry.rollback(TIMES[0])


@pytest.mark.parametrize("name", [".whl", "CHANGES.md", "data.jsonl"])
def test_a_damaged_file_is_named_and_nothing_is_promoted(registry, name):
    if name == ".whl":
        name = "en_rules-0.1.0-py3-none-any.whl"
    damage(registry, name)
    with pytest.raises(
        DomainNerError, match=rf"{name} is damaged: expected SHA-256 [0-9a-f]{{64}}, found [0-9a-f]{{64}}"
    ):
        registry.promote("0.1.0", TIMES[0])
    assert registry.current() is None


def test_a_rollback_to_a_damaged_version_is_refused_and_the_version_in_use_stays(registry):
    registry.promote("0.1.0", TIMES[0])
    registry.promote("0.2.0", TIMES[1])
    damage(registry, "en_rules-0.1.0-py3-none-any.whl")
    with pytest.raises(DomainNerError, match="is damaged"):
        registry.rollback(TIMES[2])
    assert registry.in_use().version == "0.2.0"


def test_a_missing_file_and_a_damaged_record_are_named(registry):
    system, root = fsspec.core.url_to_fs(registry.place)
    (wheel,) = [path for path in system.find(root) if path.endswith("en_rules-0.2.0-py3-none-any.whl")]
    system.rm_file(wheel)
    with pytest.raises(DomainNerError, match="lacks the file .*en_rules-0.2.0-py3-none-any.whl"):
        registry.promote("0.2.0", TIMES[0])
    system.pipe_file(f"{root}/versions/0.1.1/release.json", b'{"half')
    with pytest.raises(DomainNerError, match=r"versions/0\.1\.1/release\.json is damaged"):
        registry.versions()


def test_a_current_json_whose_promotions_do_not_agree_is_named(registry):
    registry.promote("0.1.0", TIMES[0])
    system, root = fsspec.core.url_to_fs(registry.place)
    for version, action in (("0.2.0", "promoted"), ("0.1.0", "rolled back")):
        content = json.loads(system.cat_file(f"{root}/{CURRENT}"))
        content["version"], content["promotions"][0]["action"] = version, action
        system.pipe_file(f"{root}/{CURRENT}", json.dumps(content).encode())
        with pytest.raises(DomainNerError, match=r"current\.json is damaged"):
            registry.current()


def test_half_a_version_does_not_count_and_is_replaced(place, built):
    system, root = fsspec.core.url_to_fs(place)
    system.makedirs(f"{root}/versions/0.1.0", exist_ok=True)
    system.pipe_file(f"{root}/versions/0.1.0/en_rules-0.1.0-py3-none-any.whl", b"half")
    registry = Registry(place)
    assert versions(registry) == []
    registry.add(built["0.1.0"])
    assert versions(registry) == ["0.1.0"]


def test_two_that_add_the_same_version_to_a_store_never_mix_their_files(built, tmp_path, monkeypatch):
    """The second one sees no version yet, and writes its files; then the first one's record comes into being."""
    place = f"memory://registry-{uuid4().hex}"
    first, second = Registry(place), Registry(place)
    other = tmp_path / "other"
    shutil.copytree(built["0.1.1"], other)
    record = ReleaseRecord.model_validate_json((other / "release.json").read_bytes())
    record = record.model_copy(update={"version": "0.1.0"})
    (other / "release.json").write_text(record.model_dump_json())
    create = second._store._create

    def late(name, content):
        first.add(built["0.1.0"])
        return create(name, content)

    monkeypatch.setattr(second._store, "_create", late)
    with pytest.raises(DomainNerError, match="with other content"):
        second.add(other)
    first.verify(first.get("0.1.0"))


def test_a_promotion_that_another_one_overtook_is_refused(built, monkeypatch):
    registry = Registry(f"memory://registry-{uuid4().hex}")
    registry.add(built["0.1.0"])
    registry.add(built["0.2.0"])
    replace = registry._store.replace

    def late(name, former, content):
        monkeypatch.setattr(registry._store, "replace", replace)
        registry.promote("0.2.0", TIMES[1])
        replace(name, former, content)

    monkeypatch.setattr(registry._store, "replace", late)
    with pytest.raises(DomainNerError, match=r"somebody else changed current\.json at the same moment"):
        registry.promote("0.1.0", TIMES[0])
    assert registry.in_use().version == "0.2.0"


def test_promotions_at_the_same_time_wait_for_each_other_and_none_is_lost(built, tmp_path):
    registry = Registry(str(tmp_path / "registry"))
    for folder in built.values():
        registry.add(folder)
    fork = multiprocessing.get_context("fork")
    started = [fork.Process(target=registry.promote, args=(version, TIMES[0])) for version in built]
    for process in started:
        process.start()
    for process in started:
        process.join(60)
    assert [process.exitcode for process in started] == [0, 0, 0]
    assert {one.version for one in registry.current().promotions} == {"0.1.0", "0.1.1", "0.2.0"}


def test_a_place_that_cannot_be_reached_is_told():
    with pytest.raises(DomainNerError, match="Check the address"):
        Registry("nosuchprotocol://bucket/registry")


@pytest.mark.parametrize(
    "does",
    [Registry.versions, Registry.current, Registry.history, lambda registry: registry.rollback(TIMES[0])],
)
def test_an_error_of_a_store_s_own_is_told_with_the_address(does):
    with pytest.raises(DomainNerError, match="unreachable://bucket/registry: ConnectionLostError: no answer"):
        does(Registry("unreachable://bucket/registry"))


def test_a_package_that_a_store_needs_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "s3fs", None)
    with pytest.raises(DomainNerError, match="needs a package that is not installed: Install s3fs"):
        Registry("s3://bucket/registry")


def test_a_connection_that_is_cut_while_a_version_is_read_is_told(built, monkeypatch):
    class Cut(io.BytesIO):
        def read(self, *_):
            raise unreachable.ConnectionLostError("the connection was cut")

    registry = Registry(f"memory://registry-{uuid4().hex}")
    registry.add(built["0.1.0"])
    monkeypatch.setattr(MemoryFileSystem, "open", lambda *_, **__: Cut())
    with pytest.raises(DomainNerError, match="memory://.*ConnectionLostError: the connection was cut"):
        registry.promote("0.1.0", TIMES[0])
    assert registry.current() is None
