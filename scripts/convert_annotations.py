"""`convert`: annotation exports to train, dev and test corpora."""

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

import spacy
import typer
from _console import out, run, say, split_names, table
from spacy.language import Language
from spacy.tokens import Doc

from domain_ner.docs import make_docs, to_docbin
from domain_ner.errors import DomainNerError
from domain_ner.files import atomic_path
from domain_ner.guide.schema import load_guide
from domain_ner.readers import read_folder
from domain_ner.splits import SPLITS, assign_splits, parse_fractions


def main(
    annotations: Path = typer.Argument(..., help="Folder with the exports (Prodigy JSONL)."),
    corpus: Path = typer.Argument(..., help="Folder to write train.spacy, dev.spacy and test.spacy to."),
    guide: Path = typer.Option(..., help="The annotation guide, whose types are the labels that may occur."),
    lang: str = typer.Option("en", help="spaCy's code of the language."),
    splits: str = typer.Option("0.7,0.1,0.2", help="Shares of train, dev and test."),
    group_by: str = typer.Option("", help="Key of `meta`: passages with one value of it stay in one split."),
    prefer: str = typer.Option("", help="Annotators to trust where annotations differ, the most trusted first."),
    seed: int = typer.Option(0, help="Seed of the splits."),
) -> None:
    """Convert the annotation exports to corpus/train.spacy, dev.spacy and test.spacy."""
    labels = load_guide(guide).labels
    fractions = parse_fractions(splits)
    tokenizer = blank(lang).tokenizer
    trusted = split_names(prefer)
    result = read_folder(annotations, labels=labels, prefer=trusted, on_file=lambda path: say(f"reading {path.name}"))
    assigned = assign_splits(result.passages, fractions, group_by=group_by, seed=seed)
    docs = {name: make_docs(assigned[name], tokenize=tokenizer) for name in SPLITS}
    for name in SPLITS:
        with atomic_path(corpus / f"{name}.spacy") as temporary:
            to_docbin(docs[name]).to_disk(temporary)
    say(", ".join(f"{n} {fate}" for fate, n in result.counts.items()))
    print_splits(docs, labels)


def blank(lang: str) -> Language:
    """A pipeline of that language with our tokenizer and no components."""
    try:
        return spacy.blank(lang, config={"nlp": {"tokenizer": {"@tokenizers": "domain_ner.Tokenizer.v1"}}})
    except ImportError as error:
        raise DomainNerError(
            f"vars.lang is {lang!r}, which spaCy does not know.", "Use a code as in spaCy's list: en, de, fr, xx …"
        ) from error


def print_splits(docs: Mapping[str, Sequence[Doc]], labels: Sequence[str]) -> None:
    """Print passages, tokens and mentions of each split."""
    printed = table("", *SPLITS)
    printed.add_row("passages", *(str(len(docs[name])) for name in SPLITS))
    printed.add_row("tokens", *(str(sum(len(doc) for doc in docs[name])) for name in SPLITS))
    mentions = {name: Counter(ent.label_ for doc in docs[name] for ent in doc.ents) for name in SPLITS}
    for label in labels:
        printed.add_row(label, *(str(mentions[name][label]) for name in SPLITS))
    out.print(printed)


if __name__ == "__main__":
    run(main)
