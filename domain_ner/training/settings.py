"""Writes a training config: what it takes from the user's text, the corpus and the tokenizer, and its last check."""

import json
import math
from collections.abc import Iterable, Sequence
from contextlib import redirect_stdout
from dataclasses import replace
from io import StringIO
from pathlib import Path
from typing import Any

from spacy.cli.debug_config import debug_config as spacy_debug_config
from spacy.tokens import Doc
from thinc.api import Config

from domain_ner.annotations.doc_keys import SPANS_KEY
from domain_ner.corpus.languages import blank
from domain_ner.corpus.registries import factories_of_config
from domain_ner.encoders.card import EncoderCard
from domain_ner.errors import DomainNerError
from domain_ner.files import atomic_path
from domain_ner.training.config import Choices, build_config, epoch_lengths, train_reader
from domain_ner.training.silver import check_silver, has_marginals, silver_docs, taught_labels


def write_config(  # noqa: PLR0913, PLR0917
    target: Path, fragments: Path, card: EncoderCard, choices: Choices, docs: Sequence[Doc], tokenizer: Path
) -> tuple[Config, int]:
    """Write a training config that spaCy accepts; return it, and the number of passages in an epoch.

    fragments: folder with base.cfg, encoder_*.cfg and head_*.cfg. docs: the training corpus. tokenizer: tokenizer.json
    of convert; it and the corpus complete the choices.
    Raises DomainNerError for choices that do not fit, and for a config that `spacy debug config` refuses.
    """
    if not 0 <= choices.oversample < 1:
        raise DomainNerError(f"vars.oversample is {choices.oversample}; expected a share of at least 0 and below 1.")
    check_silver(choices.silver, choices.silver_weight)
    if choices.silver:
        _require_learnable(
            choices, {span.label_ for doc in docs for span in (*doc.ents, *doc.spans.get(SPANS_KEY, ()))}
        )
    lengths = epoch_lengths(train_reader({}, choices), docs, blank(choices.lang).vocab)
    complete = replace(choices, longest=longest_annotation(docs), **read_tokenizer(tokenizer))
    config = build_config(fragments, card, complete, lengths)
    with atomic_path(target) as temporary:
        config.to_disk(temporary)
        debug_config(temporary)
    return config, len(lengths)


def _require_learnable(choices: Choices, labels: set[str]) -> None:
    """Raise DomainNerError for silver passages that cannot be learned. labels: of the annotated passages."""
    found, is_soft = set[str](), False
    for doc in silver_docs(Path(choices.silver_folder), blank(choices.lang).vocab, math.inf, choices.seed):
        found |= taught_labels(doc)
        is_soft = is_soft or has_marginals(doc)
    if strange := found - labels:
        raise DomainNerError(
            f"{choices.silver_folder} has {', '.join(sorted(strange))}, which the annotated passages do not have.",
            "Annotate some, let a pipeline of the annotated types label the texts anew, or remove the file.",
        )
    if choices.head != "crf" and is_soft:
        raise DomainNerError(
            f"{choices.silver_folder} has passages of distil, which only the head crf learns from; vars.head is"
            f" {choices.head}.",
            "Set vars.head to crf, or keep only the passages of pseudo-label there.",
        )


def parse_settings(text: str) -> dict[str, Any]:
    """Read `section.name=value …`; a value is JSON, or else text. Raises DomainNerError for what is neither."""
    settings = {}
    for part in text.split():
        place, equals, value = part.partition("=")
        if not equals or "." not in place:
            raise DomainNerError(f"vars.settings has {part!r}; expected section.name=value, apart by spaces.")
        try:
            settings[place] = json.loads(value)
        except ValueError:
            settings[place] = value
    return settings


def read_tokenizer(path: Path) -> dict[str, Any]:
    """The settings of the tokenizer as `Choices` has them. Raises DomainNerError where convert did not write them."""
    try:
        read = json.loads(path.read_text(encoding="utf8"))
        return {"token_splits": [rule["pattern"] for rule in read["splits"]], "normalize": read["normalize"]}
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise DomainNerError(f"Cannot read {path}: {error}.", "Run convert first.") from error


def longest_annotation(docs: Iterable[Doc]) -> int:
    """In tokens; 0 where there is none."""
    return max((len(span) for doc in docs for span in (*doc.ents, *doc.spans.get(SPANS_KEY, ()))), default=0)


def debug_config(config: Path) -> None:
    """Let `spacy debug config` judge. Raises DomainNerError with what it prints."""
    printed = StringIO()
    try:
        with redirect_stdout(printed), factories_of_config(Config().from_disk(config, interpolate=False)):
            spacy_debug_config(config)
    except (SystemExit, Exception) as error:  # SystemExit: refused; others: what a registered function raises
        reason = "" if isinstance(error, SystemExit) else f"{type(error).__name__}: {error}"
        raise DomainNerError(f"spacy debug config refuses the config:\n{printed.getvalue()}{reason}") from error
