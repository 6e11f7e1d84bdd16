"""What benchmarks share that train on changed corpora: gold documents of passages, groups, and tables of means."""

import random
import statistics
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from spacy.tokens import Doc

from domain_ner.annotations.passages import Passage
from domain_ner.corpus.docs import DocRules, make_doc
from domain_ner.corpus.languages import blank
from domain_ner.corpus.tokenizer import create_tokenizer
from domain_ner.training.run import read_config

Tokenize = Callable[[str], Doc]


def tokenizer_of(config: Path) -> Tokenize:
    """The tokenizer of the pipelines that a config trains."""
    block = read_config(config, {}).interpolate()["nlp"]
    tokenize = create_tokenizer(block["tokenizer"]["splits"], block["tokenizer"]["normalize"])
    return tokenize(blank(block["lang"]))


def to_gold(passage: Passage, tokenize: Tokenize) -> Doc:
    """A document to train on."""
    numbered = replace(passage, rows=tuple(range(len(passage.spans))))
    return make_doc(numbered, DocRules(tokenize)).doc


def part_of(groups: Sequence[str], share: float, seed: int) -> list[bool]:
    """Whether each passage is in a part: whole groups at random, until the part holds this share of the passages."""
    names = sorted(set(groups))
    random.Random(seed).shuffle(names)
    inside: set[str] = set()
    for name in names:
        if sum(groups.count(one) for one in inside) >= share * len(groups):
            break
        inside.add(name)
    return [group in inside for group in groups]


def mean_and_all(values: Sequence[float]) -> str:
    """`71.2 (70.8 / 71.6)`: the mean, and each value."""
    return f"{statistics.fmean(values):.1f} ({' / '.join(f'{value:.1f}' for value in values)})"


def table(heads: Sequence[str], rows: Mapping[str, Sequence[str]]) -> str:
    """A Markdown table. heads: of all columns; rows: the first cell, and the others."""
    lines = [f"| {' | '.join(heads)} |", f"| --- |{' ---: |' * (len(heads) - 1)}"]
    return "\n".join([*lines, *(f"| {name} | {' | '.join(cells)} |" for name, cells in rows.items())]) + "\n"
