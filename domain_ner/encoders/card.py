"""The card of the encoder in use: `fetch-encoder` writes it, `create-config` reads it."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import srsly

from domain_ner.encoders.presets import ANY_LANGUAGE, Preset
from domain_ner.errors import DomainNerError
from domain_ner.files import sha256

WEIGHTS = ("model.safetensors", "pytorch_model.bin")
FAMILIES = {"roberta": "roberta", "camembert": "roberta", "xlm-roberta": "roberta", "deberta": "deberta"}
FAMILIES |= {"deberta-v2": "deberta", "bert": "bert", "electra": "bert", "distilbert": "bert", "mpnet": "bert"}
FAMILIES |= {"modernbert": "modernbert"}
# These count positions from pad_token_id + 1, so that the first ones are never used.
OFFSET_POSITIONS = {"roberta", "camembert", "xlm-roberta", "mpnet"}
DEFAULT_MAX_LENGTH = 512
# Languages that a message names one by one.
MAX_NAMED = 5
# Part of the keys in config.json that choose the implementation of attention.
ATTENTION = "attn_implementation"


@dataclass(frozen=True)
class EncoderCard:
    """An encoder that is ready to be trained.

    family: selects the config fragment `encoder_{family}.cfg`.
    path: folder with its files; empty if nothing is loaded.
    revision: commit on the hub; empty if it is from elsewhere or unknown.
    files: file name to SHA-256 of each weights file.
    max_length: longest window in wordpieces.
    Other fields as in `Preset`.
    """

    name: str
    family: str
    path: str
    licence: str
    hub_id: str
    revision: str
    files: dict[str, str]
    learning_rate: float
    batch_size: int
    max_length: int
    languages: tuple[str, ...] = ()

    @classmethod
    def read(cls, path: Path) -> "EncoderCard":
        """Read a card.

        Raises DomainNerError when the file is missing or not a card.
        """
        try:
            fields = json.loads(path.read_text(encoding="utf8"))
            return cls(**fields | {"languages": tuple(fields.get("languages", ()))})
        except (OSError, ValueError, TypeError) as err:
            raise DomainNerError(f"Cannot read the encoder card {path}: {err}.", "Run fetch-encoder first.") from err

    def to_json(self) -> str:
        """Write the card as text, for `read`."""
        return json.dumps(asdict(self), indent=2) + "\n"


def is_foreign(card: EncoderCard, lang: str) -> bool:
    """Whether the encoder is known to have been pretrained without `lang` (spaCy's code)."""
    return bool(card.languages) and not {lang, ANY_LANGUAGE} & set(card.languages)


def foreign_language(card: EncoderCard, lang: str) -> str:
    """Warn of an encoder of another language, and say what to do; empty if the language fits."""
    if not is_foreign(card, lang):
        return ""
    return (
        f"The encoder {card.name} was pretrained on {name_languages(card.languages)}, but vars.lang is {lang!r}. It"
        " knows few words of that language and will find fewer names. Set vars.encoder to an encoder of that language,"
        " or to a multilingual one (such as xlm-roberta-base); or set vars.lang to the language of your text. If"
        f" {card.name} does know {lang!r}, add {lang!r} to its `languages` in configs/presets.yml."
    )


def name_languages(codes: tuple[str, ...]) -> str:
    """Languages as a message names them: one by one, or how many of them there are."""
    return " and ".join(codes) if len(codes) <= MAX_NAMED else f"{len(codes)} other languages"


def make_card(preset: Preset, folder: Path | None, *, revision: str = "") -> EncoderCard:
    """Make the card of an encoder in `folder` (None for one that is trained from scratch).

    Raises DomainNerError when the folder lacks config.json or weights.
    """
    config = read_config(folder) if folder else {}
    weights = find_weights(folder) if folder else []
    return EncoderCard(
        name=preset.name,
        family=FAMILIES.get(config.get("model_type", ""), "bert") if folder else preset.name,
        path=folder.as_posix() if folder else "",
        licence=preset.licence,
        hub_id=preset.hub_id,
        revision=revision,
        files={path.name: sha256(path) for path in weights},
        learning_rate=preset.learning_rate,
        batch_size=preset.batch_size,
        max_length=_max_length(preset, config),
        languages=preset.languages,
    )


def read_config(folder: Path) -> dict[str, Any]:
    """Read the encoder's own config.json. Raises DomainNerError when it is missing, not JSON, or refers to code."""
    try:
        config: dict[str, Any] = srsly.read_json(folder / "config.json")
    except (OSError, ValueError) as err:
        raise DomainNerError(f"{folder} has no readable config.json: {err}.", _files_wanted(folder)) from err
    foreign = [key for key, value in config.items() if ATTENTION in key and "/" in str(value)]
    if foreign:
        raise DomainNerError(
            f"{folder / 'config.json'} refers to attention code in a repository, {foreign[0]}: {config[foreign[0]]!r},"
            " which transformers may download and run (CVE-2026-4372).",
            "Do not trust this encoder.",
        )
    return config


def find_weights(folder: Path) -> list[Path]:
    """List the weights files, shards included. Raises DomainNerError when there are none."""
    weights = [path for name in WEIGHTS for path in sorted(folder.glob(f"{Path(name).stem}*{Path(name).suffix}"))]
    if not weights:
        raise DomainNerError(f"{folder} has no weights ({' or '.join(WEIGHTS)}).", _files_wanted(folder))
    return weights


def is_complete(folder: Path) -> bool:
    """Whether `folder` contains an encoder."""
    try:
        read_config(folder)
        find_weights(folder)
    except DomainNerError:
        return False
    return True


def _files_wanted(folder: Path) -> str:
    return f"Put config.json, the weights ({' or '.join(WEIGHTS)}) and the tokenizer's files into {folder}."


def _max_length(preset: Preset, config: dict[str, Any]) -> int:
    if preset.max_length or not config:
        return preset.max_length
    n_positions = int(config.get("max_position_embeddings") or DEFAULT_MAX_LENGTH)
    if config.get("model_type", "") in OFFSET_POSITIONS:
        n_positions -= int(config.get("pad_token_id", 1)) + 1
    return min(n_positions, DEFAULT_MAX_LENGTH)
