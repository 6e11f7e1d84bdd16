"""What benchmarks share that train on changed corpora: gold documents of passages, silver, groups, tables of means."""

import random
import statistics
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from spacy.tokens import Doc
from thinc.api import Config

from domain_ner.annotations.passages import Passage
from domain_ner.corpus.corpus_file import CorpusFile
from domain_ner.corpus.docs import DocRules, make_doc
from domain_ner.corpus.languages import blank
from domain_ner.corpus.tokenizer import create_tokenizer
from domain_ner.training.parts import train_part
from domain_ner.training.run import read_config
from domain_ner.training.silver import NAME, NO_SILVER, Silver

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


def reading_silver(config: Path, folder: Path) -> Path:
    """A copy of a training config whose corpus reader can read silver passages too."""
    changed = Config().from_disk(config, interpolate=False)
    plain = {"gold_preproc": False, "limit": 0, "augmenter": None} | changed["corpora"]["train"]
    if plain.get("@readers") != NAME:
        changed["corpora"]["train"] = {"@readers": NAME, "corpus": plain, **NO_SILVER.settings(), "seed": 0}
    folder.mkdir(parents=True, exist_ok=True)
    changed.to_disk(folder / "config.cfg")
    return folder / "config.cfg"


@dataclass(frozen=True)
class Trainer:
    """Trains the pipeline of a config on several data, with as many steps on each.

    config: of `reading_silver`. share, weight: of silver passages. n_read: passages that each training reads in all.
    """

    config: Path
    dev: Sequence[Doc]
    work: Path
    seed: int
    n_read: int
    share: float
    weight: float

    def __call__(self, name: str, docs: Sequence[Doc], silver: Iterable[Doc] | None = None) -> Path:
        """Train on annotated passages, and on silver ones beside them; returns the folder of the best pipeline."""
        place = self.work / name.replace(" ", "-").replace(",", "")
        n = float(len(docs))
        read = None
        if silver is not None:
            corpus = CorpusFile()
            n_silver = sum(1 for _ in map(corpus.add, silver))
            (place / "silver").mkdir(parents=True, exist_ok=True)
            corpus.write(place / "silver" / "silver.spacy")
            read = Silver(place / "silver", self.share, self.weight)
            n += min(n_silver, self.share * len(docs))
        best, _ = train_part(
            self.config, docs, self.dev, place, gpu=-1, seed=self.seed, epochs=round(self.n_read / n), silver=read
        )
        return best


def mean_and_all(values: Sequence[float]) -> str:
    """`71.2 (70.8 / 71.6)`: the mean, and each value."""
    return f"{statistics.fmean(values):.1f} ({' / '.join(f'{value:.1f}' for value in values)})"


def table(heads: Sequence[str], rows: Mapping[str, Sequence[str]]) -> str:
    """A Markdown table. heads: of all columns; rows: the first cell, and the others."""
    lines = [f"| {' | '.join(heads)} |", f"| --- |{' ---: |' * (len(heads) - 1)}"]
    return "\n".join([*lines, *(f"| {name} | {' | '.join(cells)} |" for name, cells in rows.items())]) + "\n"
