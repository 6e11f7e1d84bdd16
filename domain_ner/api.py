"""Provides the steps of the workflow as functions, for your own notebooks and scripts.

`domain_ner` exports these names. They print nothing, but for the table of scores that spaCy prints in training.
A step takes and returns what the next one needs; paths may be strings.
"""

from collections.abc import Callable, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

from spacy.language import Language
from spacy.tokens import Doc

from domain_ner.annotations.passages import Passage
from domain_ner.conversion import run as conversion
from domain_ner.conversion.exports import Annotations, ImportSettings, read_annotations
from domain_ner.conversion.splitting import SplitSettings
from domain_ner.conversion.tokenising import TokenSettings
from domain_ner.corpus.languages import blank
from domain_ner.crf_ner.fitting import Fitted
from domain_ner.devices import CPU, choose_gpu, use_gpu
from domain_ner.encoders.fetch import fetch_encoder
from domain_ner.encoders.presets import find_encoder, load_presets
from domain_ner.evaluation import comparison, measuring
from domain_ner.evaluation.calibrating import fit_on, require_guarantee, require_threshold
from domain_ner.evaluation.comparison import Comparison
from domain_ner.evaluation.predicting import load_pipeline, read_docs
from domain_ner.evaluation.report import make_report
from domain_ner.evaluation.schema import Report
from domain_ner.files import write_text
from domain_ner.guide.schema import load_guide
from domain_ner.reports.entities import entities_html, found_entities
from domain_ner.training.config import Choices
from domain_ner.training.run import BEST
from domain_ner.training.seeded import TrainingOptions, train_seeds
from domain_ner.training.settings import write_config

Pathlike = str | Path
Pipeline = Language | str | Path


@dataclass(frozen=True)
class Corpus:
    """A folder that `convert` wrote. converted: its result, with the ledger."""

    folder: Path
    converted: conversion.Converted

    @property
    def train(self) -> Path:
        """The training corpus (DocBin)."""
        return self.folder / "train.spacy"

    @property
    def dev(self) -> Path:
        """The corpus for early stopping and calibration (DocBin)."""
        return self.folder / "dev.spacy"

    @property
    def test(self) -> Path:
        """The test corpus, not used in training (DocBin)."""
        return self.folder / "test.spacy"

    @property
    def outcomes(self) -> dict[str, int]:
        """Number of annotations of the exports by outcome."""
        return dict(self.converted.ledger.outcomes())


@dataclass(frozen=True)
class Rendered:
    """A text with its entities: HTML in a notebook, plain text elsewhere."""

    html: str
    text: str

    def _repr_html_(self) -> str:
        return self.html

    def __repr__(self) -> str:
        return self.text


def read_exports(  # noqa: PLR0913
    folder: Pathlike,
    *,
    labels: Sequence[str] | None = None,
    reading: str = "",
    rename: str = "",
    prefer: Sequence[str] = ("*",),
    conflicts: str = "stop",
) -> Annotations:
    """Read every annotation export in a folder, in any supported format.

    folder: with exports, or a single export. labels: the allowed types; None: any.
    reading, rename, prefer, conflicts: as the variables `reading`, `labels`, `prefer` and `conflicts` of project.yml.
    Returns the passages, and the ledger with the outcome of each annotation (`ledger.outcomes()`, `problems`).
    Raises DomainNerError if there is nothing to read, or a file cannot be read at all.
    """
    return read_annotations(Path(folder), ImportSettings(labels, reading, rename, prefer, conflicts))


def convert(  # noqa: PLR0913
    annotations: Pathlike,
    corpus: Pathlike,
    *,
    guide: Pathlike | None = None,
    labels: Sequence[str] | None = None,
    lang: str = "en",
    group_by: str = "",
    shares: str = "0.7,0.1,0.2",
    seed: int = 0,
    assigned: Pathlike | None = None,
    prefer: Sequence[str] = ("*",),
    conflicts: str = "stop",
    max_loss: float = 0.005,
) -> Corpus:
    """Convert exports to train.spacy, dev.spacy and test.spacy, and write the ledger next to them.

    corpus: the folder to write. guide: guide.yml, whose types are the allowed labels; or labels: the allowed labels.
    The other arguments are the variables of project.yml with these names. assigned: splits.json, which keeps groups in
    their split from run to run; None: the splits depend only on `seed`.
    Raises DomainNerError for contradictions, a loss above `max_loss`, or empty splits; then nothing is written.
    """
    folder = Path(corpus)
    types = load_guide(Path(guide)).labels if guide is not None else labels
    settings = conversion.ConvertSettings(
        Path(annotations),
        folder,
        folder,
        ImportSettings(types, prefer=prefer, conflicts=conflicts),
        SplitSettings(shares, group_by, seed, None if assigned is None else Path(assigned)),
        TokenSettings(lang),
        max_loss,
    )
    return Corpus(folder, conversion.convert(settings))


def train(  # noqa: PLR0913
    corpus: Corpus | Pathlike,
    output: Pathlike,
    *,
    encoder: str = "minilm",
    head: str = "crf",
    lang: str = "en",
    epochs: int = 8,
    patience: int = 4,
    seed: int = 0,
    gpu_id: str = "-1",
    settings: Mapping[str, Any] = MappingProxyType({}),
    project: Pathlike = ".",
    resume: bool = False,
    say: Callable[[str], None] = lambda line: None,
) -> Path:
    """Fetch the encoder, write the config, and train with early stopping. Returns the folder of the best pipeline.

    corpus: from `convert`. output: the folder for the encoder's card, config.cfg, model-best and model-last.
    encoder, head, epochs, patience, seed, gpu_id: the variables of project.yml. settings: values of the config.
    project: the folder with configs/ and assets/encoders/. resume: continue an interrupted run of the same training.
    say: called with each line of progress.
    Raises DomainNerError for an unknown encoder or setting, or a missing or damaged corpus.
    """
    folder = corpus.folder if isinstance(corpus, Corpus) else Path(corpus)
    root, target = Path(project), Path(output)
    presets = load_presets(root / "configs" / "presets.yml")
    card = fetch_encoder(find_encoder(encoder, presets), root / "assets" / "encoders", say=say)
    write_text(target / "encoder.json", card.to_json())
    docs = read_docs(folder / "train.spacy", blank(lang).vocab)
    gpu = choose_gpu(gpu_id)
    paths = {f"paths.{name}": (folder / f"{name}.spacy").as_posix() for name in ("train", "dev")}
    choices = Choices(
        lang, head, epochs, patience, seed, mixed_precision=gpu != CPU, settings={**paths, **settings}
    )  # fmt: skip
    write_config(target / "config.cfg", root / "configs", card, choices, docs, folder / "tokenizer.json")
    options = TrainingOptions(use_gpu(gpu_id), resume, 60.0, lambda kept: nullcontext(), say)
    train_seeds(target / "config.cfg", target, range(seed, seed + 1), options)
    return target / BEST


def load(pipeline: Pipeline) -> Language:
    """Load a pipeline from a folder or an installed package, as `spacy.load` does; return a loaded one unchanged.

    Raises DomainNerError when it is missing or damaged.
    """
    return pipeline if isinstance(pipeline, Language) else load_pipeline(pipeline, all_factories=True)


def read_corpus(path: Pathlike, pipeline: Pipeline | None = None) -> list[Doc]:
    """Read the documents of a corpus (DocBin), with the vocabulary of a pipeline or an empty one.

    Raises DomainNerError when the file is missing, damaged or empty.
    """
    return read_docs(Path(path), (blank("xx") if pipeline is None else load(pipeline)).vocab)


def calibrate(
    nlp: Language, dev: Pathlike, *, threshold: str | float = "f1", group_by: str = "", seed: int = 0
) -> Fitted:
    """Fit confidences and thresholds on documents that the pipeline was not trained on, and set them in it.

    threshold: `f1`, a precision to guarantee (0.95), or empty for none; as the variable of project.yml.
    Write the pipeline afterwards with `nlp.to_disk`. Returns the fitted values.
    Raises DomainNerError if that precision can be guaranteed for no type.
    """
    target = str(threshold)
    require_threshold(target)
    fitted = fit_on(nlp, Path(dev), target, group_by=group_by, seed=seed)
    require_guarantee(fitted, target)
    return fitted


def evaluate(  # noqa: PLR0913
    pipeline: Pipeline,
    test: Pathlike,
    *,
    train: Pathlike | None = None,
    group_by: str = "",
    robustness: int = 0,
    seed: int = 0,
) -> Report:
    """Score a pipeline on documents that it was not trained on: by type, with intervals, and with every mistake.

    test: a corpus (DocBin). train: its training corpus, to separate seen from unseen names. group_by: the key of `meta`
    that names a passage's group. robustness: number of passages to predict in changed form.
    Returns the report in the shape of evaluation.json: `report.headline.micro.f1` in 0..1.
    """
    nlp = load(pipeline)
    gold = read_docs(Path(test), nlp.vocab)
    others = {} if train is None else {"train": read_docs(Path(train), nlp.vocab)}
    scored = measuring.score(nlp, gold, None, watched=conversion.no_progress)
    settings = measuring.MeasureSettings(others, {}, group_by, robustness, seed)
    measured = measuring.measure(nlp, gold, scored, settings, watched=conversion.no_progress, say=lambda line: None)
    name = measuring.name_of(nlp, Path(str(nlp.path or "")))
    return make_report(measured).model_copy(update={"pipeline": name})


def compare(first: Pathlike, second: Pathlike, test: Pathlike, *, margin: float = 0.0, seed: int = 0) -> Comparison:
    """Compare two pipelines on the same test set by paired resampling of its documents.

    first: the pipeline in use; second: its replacement. Folders, wheels or names of packages.
    margin: accepted loss of F1 in points (0..100). Returns the comparison: `is_passed`, by type, and each difference.
    """
    comparison.require_margin(margin)
    both = comparison.measure_both(str(first), str(second), Path(test), watched=conversion.no_progress)
    return comparison.compare_pipelines(*both, margin=margin / 100, seed=seed)


def show(item: Doc | Passage, *, colours: Mapping[str, str] | None = None) -> Rendered:
    """Show a text with its entities and their confidences.

    item: the output of a pipeline, or an annotated passage. colours: of types, `#rrggbb`, as `load_guide(…).colours`.
    Returns an object that a notebook renders in colour, and that prints a line for each entity elsewhere.
    """
    lines = [
        f"{item.text[start:end]!r} {label}{'' if prob is None else f' {prob:.2f}'} [{start}:{end}]"
        for (start, end, label), prob in sorted(found_entities(item).items())
    ]
    return Rendered(entities_html(item, colours=colours), "\n".join(lines) or "no entities")
