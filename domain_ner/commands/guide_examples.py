"""Implements `guide-examples`: writes the guide's marked sentences as passages to train on."""

from pathlib import Path

import typer

from domain_ner.commands.console import LABELS_HELP, READING_HELP, say, warn, writes
from domain_ner.errors import DomainNerError


@writes("output")
def main(
    guide: Path = typer.Argument(Path("assets/guide.yml"), help="The annotation guide (YAML)."),
    output: Path = typer.Argument(Path("assets/silver/guide.spacy"), help="The corpus (.spacy) to write."),
    tokenizer: Path = typer.Option(
        Path("corpus/tokenizer.json"), help="The tokenizer's split rules (JSON), written by convert."
    ),
    annotated: list[Path] = typer.Option(
        [], help="Corpora (.spacy), exports, or folders of them, whose texts are left out; may be given several times."
    ),
    lang: str = typer.Option("en", help="Language of the text: spaCy's code."),
    reading: str = typer.Option("", help=READING_HELP),
    labels: str = typer.Option("", help=LABELS_HELP),
) -> None:
    """Write the marked sentences of the guide as silver passages, from which train learns."""
    from collections import Counter

    from domain_ner.corpus.corpus_file import CorpusFile, require_corpus_name
    from domain_ner.corpus.docs import DocRules, make_doc
    from domain_ner.corpus.languages import blank
    from domain_ner.corpus.tokenizer import create_tokenizer
    from domain_ner.files import atomic_path
    from domain_ner.guide.schema import load_guide
    from domain_ner.guide.sentences import guide_passages
    from domain_ner.pseudo_labels.raw_texts import new_texts
    from domain_ner.selecting.known import annotated_texts
    from domain_ner.training.settings import read_tokenizer

    require_corpus_name(output)
    known = load_guide(guide)
    passages = list(guide_passages(known))
    if not passages:
        raise DomainNerError(f"{guide} has no marked sentence.", "Add examples: [checkout-api](SERVICE) is down.")
    if not annotated:
        warn("Without --annotated, sentences of dev and test may be among these: scores on them would be too good.")
    kept = set(new_texts([one.text for one in passages], annotated_texts(annotated, reading, labels)))
    if not kept:
        raise DomainNerError(
            f"All {len(passages)} sentences of {guide} are in --annotated, or nearly so.",
            "Training has them already: there is nothing to write.",
        )
    settings = read_tokenizer(tokenizer)
    splits, normalize = settings["token_splits"], settings["normalize"]
    rules = DocRules(create_tokenizer(splits, normalize)(blank(lang)), labels=known.labels, normalize=normalize)
    corpus, mentions = CorpusFile(), Counter[str]()
    for passage in passages:
        if passage.text in kept:
            corpus.add(doc := make_doc(passage, rules).doc)
            mentions.update(ent.label_ for ent in doc.ents)
    with atomic_path(output) as temporary:
        corpus.write(temporary)
    counts = ", ".join(f"{mentions[label]} {label}" for label in known.labels)
    left_out = len(passages) - len(kept)
    others = f"; {left_out} are in --annotated, nearly so, or repeated" if left_out else ""
    say(f"written: {output}, with {len(corpus)} of {len(passages)} sentences ({counts}){others}")
    say("with vars.silver, train learns from it")
