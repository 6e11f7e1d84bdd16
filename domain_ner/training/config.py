"""Joins config fragments, an encoder, a corpus and the user's choices into one training config."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from spacy.schemas import ConfigSchemaTraining
from spacy.tokens import Doc
from spacy.util import load_model_from_config
from spacy.vocab import Vocab
from thinc.api import Config

from domain_ner.corpus.registries import factories_of_config
from domain_ner.encoders.card import EncoderCard
from domain_ner.errors import DomainNerError, did_you_mean
from domain_ner.training.batching import count_batches
from domain_ner.training.oversampling import NAME as OVERSAMPLE
from domain_ner.training.oversampling import repeated_lengths
from domain_ner.training.silver import NAME as WITH_SILVER
from domain_ner.training.silver import silver_docs

WARMUP_SHARE = 0.1
# Maximum of tokens in a span that spancat suggests; memory grows with it.
MAX_SUGGESTED = 24
# The settings of [training.batcher] that determine the number of batches.
COUNTED = {"size", "max_padded", "buffer"}


@dataclass(frozen=True)
class Choices:
    """The user's choices for training.

    lang: spaCy's language code. head: selects the fragment `head_{head}.cfg`.
    epochs: maximum of passes over the training data. patience: evaluations without a better dev F1 before training
    stops.
    seed: for everything random. mixed_precision: train under autocast (CUDA).
    token_splits, normalize: arguments of the tokenizer `domain_ner.Tokenizer.v1`.
    oversample: the threshold of `domain_ner.Oversample.v1`; 0 for none.
    silver, silver_weight: `share` and `weight` of `domain_ner.WithSilver.v1`, on the passages in `silver_folder`; 0 for
    none.
    longest: length of the longest annotation in training, in tokens: spancat must suggest spans of this length.
    settings: values to set in the config last, by section and name, separated by dots.
    """

    lang: str
    head: str
    epochs: int
    patience: int
    seed: int
    mixed_precision: bool
    token_splits: Sequence[str] = ()
    normalize: str = ""
    oversample: float = 0.0
    silver: float = 0.0
    silver_weight: float = 1.0
    silver_folder: str = "assets/silver"
    longest: int = 0
    settings: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class StepPlan:
    """Training in steps (one batch each). The last step has an evaluation, so that no work is wasted."""

    eval_frequency: int
    max_steps: int
    patience: int
    warmup_steps: int


def plan_steps(n_steps_per_epoch: int, *, epochs: int, patience: int) -> StepPlan:
    """Convert epochs and evaluations to spaCy's steps.

    n_steps_per_epoch, epochs, patience: at least 1.
    spaCy evaluates at every multiple of `eval_frequency`, counted from 0, and ends the epochs at step
    epochs * n_steps_per_epoch - 1. So evaluations are one step less than an epoch apart: the last one is then reached.
    """
    eval_frequency = max(1, n_steps_per_epoch - 1)
    max_steps = epochs * eval_frequency
    return StepPlan(eval_frequency, max_steps, patience * eval_frequency, max(1, round(max_steps * WARMUP_SHARE)))


def replan(config: Config, lengths: Sequence[int], *, epochs: int) -> dict[str, Any]:
    """Compute the overrides that make a training config run this maximum of epochs on other documents.

    lengths: tokens of each of these documents, as often as it occurs in an epoch.
    Raises DomainNerError for a config whose batches cannot be counted.
    """
    training = config["training"]
    batcher = training["batcher"]
    if not COUNTED.issubset(batcher):
        raise DomainNerError(
            f"The config uses the batcher {batcher['@batchers']}, whose batches cannot be counted in advance.",
            "Use domain_ner.BatchByLength.v1, as create-config does.",
        )
    n_steps = count_batches(lengths, **{name: batcher[name] for name in COUNTED})
    patience = max(1, training["patience"] // max(1, training["eval_frequency"]))
    plan = plan_steps(n_steps, epochs=epochs, patience=patience)
    overrides = {
        "training.max_epochs": epochs,
        "training.max_steps": plan.max_steps,
        "training.eval_frequency": plan.eval_frequency,
        "training.patience": plan.patience,
    }
    rate = training["optimizer"]["learn_rate"]
    if isinstance(rate, dict):
        schedule = "training.optimizer.learn_rate"
        overrides |= {f"{schedule}.warmup_steps": plan.warmup_steps, f"{schedule}.total_steps": plan.max_steps}
    return overrides


def build_config(fragments: Path, card: EncoderCard, choices: Choices, lengths: Sequence[int]) -> Config:
    """Build the complete training config, with every default filled in.

    fragments: folder with base.cfg, encoder_*.cfg and head_*.cfg.
    lengths: tokens of each training document, as often as it occurs in an epoch.
    Raises DomainNerError for a choice without a fragment, and for a setting in a section that does not exist.
    """
    _check(choices)
    config = _join(fragments, card.family, choices.head)
    batcher = config["training"]["batcher"]
    batcher["size"] = card.batch_size
    _set(config, choices.settings)
    n_steps = count_batches(lengths, **{name: batcher[name] for name in COUNTED})
    plan = plan_steps(n_steps, epochs=choices.epochs, patience=choices.patience)
    _set_training(config, card, choices, plan)
    _set_suggester(config, choices.longest)
    if card.path:
        _set_transformer(config, card, mixed_precision=choices.mixed_precision)
    config["corpora"]["train"] = train_reader(config["corpora"]["train"], choices)
    _set(config, choices.settings)
    try:
        with factories_of_config(config):
            filled = load_model_from_config(config, auto_fill=True, validate=True).config
    except (ValueError, ImportError) as err:
        raise DomainNerError(
            f"Cannot build the config: {err}", "Check vars.settings, configs/, and the installed packages."
        ) from err
    return Config(filled)


def _check(choices: Choices) -> None:
    for name in ("epochs", "patience"):
        if getattr(choices, name) < 1:
            raise DomainNerError(f"vars.{name} is {getattr(choices, name)}; expected a whole number of at least 1.")


def _join(fragments: Path, family: str, head: str) -> Config:
    """Merge the three fragments and concatenate their pipelines; the head gets the encoder's listener."""
    base = _load(fragments / "base.cfg")
    encoder = _load(fragments / f"encoder_{family}.cfg")
    head_config = _load(fragments / f"head_{head}.cfg")
    listener = encoder.pop("listener")
    pipeline = [*encoder["nlp"].pop("pipeline"), *head_config["nlp"].pop("pipeline")]
    for component in head_config["components"].values():
        component["model"]["tok2vec"] = listener
    joined = base.merge(encoder).merge(head_config)
    joined["nlp"]["pipeline"] = pipeline
    return joined


def _load(path: Path) -> Config:
    if not path.is_file():
        kind = path.stem.split("_")[0]
        existing = sorted(other.stem.removeprefix(f"{kind}_") for other in path.parent.glob(f"{kind}_*.cfg"))
        raise DomainNerError(f"There is no config fragment {path}; expected one of: {', '.join(existing) or 'none'}.")
    try:
        return Config().from_disk(path, interpolate=False)
    except ValueError as err:
        raise DomainNerError(f"{path} is not a valid config: {err}") from err


def _set(config: Config, settings: Mapping[str, Any]) -> None:
    for path, value in settings.items():
        *sections, name = path.split(".")
        section: Any = config
        for depth, part in enumerate(sections, start=1):
            if not isinstance(section.get(part), dict):
                raise DomainNerError(
                    f"vars.settings names [{'.'.join(sections[:depth])}], which the config does not have.",
                    "configs/ and configs/config.cfg show the existing sections.",
                )
            section = section[part]
        # spaCy silently accepts settings that no registered function reads.
        if sections == ["training"] and name not in ConfigSchemaTraining.model_fields:
            near = did_you_mean(name, ConfigSchemaTraining.model_fields)
            raise DomainNerError(f"vars.settings sets {path}, which the config does not have{near and f': {near}'}")
        section[name] = value


def train_reader(reader: Mapping[str, Any], choices: Choices) -> dict[str, Any]:
    """Wrap the block of a corpus reader in those that the choices ask for."""
    wrapped = {"gold_preproc": False, "limit": 0, "augmenter": None} | dict(reader)
    plain = dict(reader)
    if choices.oversample:
        plain = wrapped = {
            "@readers": OVERSAMPLE,
            "corpus": wrapped,
            "threshold": choices.oversample,
            "seed": choices.seed,
        }
    if choices.silver:
        plain = {
            "@readers": WITH_SILVER,
            "corpus": wrapped,
            "silver": choices.silver_folder,
            "share": choices.silver,
            "weight": choices.silver_weight,
            "seed": choices.seed,
        }
    return plain


def epoch_lengths(reader: Mapping[str, Any], docs: Sequence[Doc], vocab: Vocab) -> list[int]:
    """List the tokens of each document of an epoch. reader: of `train_reader`. docs: the annotated documents."""
    inner = reader["corpus"] if reader.get("@readers") == WITH_SILVER else reader
    lengths = repeated_lengths(docs, threshold=inner.get("threshold", 0.0), seed=inner.get("seed", 0))
    if inner is not reader and reader["share"]:
        most = len(lengths) * reader["share"]
        lengths += map(len, silver_docs(Path(reader["silver"]), vocab, most, reader["seed"]))
    return lengths


def _set_training(config: Config, card: EncoderCard, choices: Choices, plan: StepPlan) -> None:
    config["nlp"]["lang"] = choices.lang
    config["nlp"]["tokenizer"] |= {"splits": list(choices.token_splits), "normalize": choices.normalize}
    config["system"]["seed"] = choices.seed
    training = config["training"]
    training["max_epochs"] = choices.epochs
    training["max_steps"] = plan.max_steps
    training["eval_frequency"] = plan.eval_frequency
    training["patience"] = plan.patience
    optimizer = training["optimizer"]
    if isinstance(optimizer["learn_rate"], dict):
        optimizer["learn_rate"] |= {
            "warmup_steps": plan.warmup_steps,
            "total_steps": plan.max_steps,
        }
    else:
        optimizer["learn_rate"] = card.learning_rate


def _set_suggester(config: Config, longest: int) -> None:
    suggester = config["components"].get("spancat", {}).get("suggester", {})
    if "max_size" in suggester:
        suggester["max_size"] = max(suggester["max_size"], min(longest, MAX_SUGGESTED))


def _set_transformer(config: Config, card: EncoderCard, *, mixed_precision: bool) -> None:
    model = config["components"]["transformer"]["model"]
    model["name"] = card.path
    model["learn_rate_factor"] = card.learning_rate / config["training"]["optimizer"]["learn_rate"]["initial_rate"]
    model["mixed_precision"] = mixed_precision
    model["tokenizer_config"]["model_max_length"] = card.max_length
    model["overlap"] = min(model["overlap"], card.max_length // 4)
