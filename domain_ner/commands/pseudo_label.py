"""Implements `pseudo-label`: labels raw texts for training, and admits those that a reviewed sample proves."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from domain_ner.commands.console import GPU_HELP, LABELS_HELP, READING_HELP, check_share, hold, say, warn, watched
from domain_ner.devices import use_gpu
from domain_ner.errors import DomainNerError
from domain_ner.files import atomic_path, together, write_text

if TYPE_CHECKING:
    from domain_ner.annotations.passages import Passage
    from domain_ner.pseudo_labels.combining import Labelled, Source

CORPUS, RECORD, SAMPLE = "pseudo.spacy", "pseudo-labels.json", "sample"


def main(
    paths: list[str] = typer.Argument(
        ...,
        metavar="[PIPELINE RAW...] OUT",
        help="The pipeline (folder, wheel or package), raw texts as for annotate, and the folder for the labels. OUT "
        "alone admits labels that a review has proven.",
    ),
    drafts: list[Path] = typer.Option(
        [], exists=True, help="Other labels of these texts, such as the files of draft; may be given several times."
    ),
    annotated: list[Path] = typer.Option(
        [], help="Corpora (.spacy), exports, or folders of them, whose texts are left out; may be given several times."
    ),
    sure: float = typer.Option(0.9, help="Least probability of an entity, 0..1."),
    possible: float = typer.Option(0.1, help="Least probability of a span that makes its text unknown, 0..1."),
    n: int = typer.Option(100, "--n", min=2, help="Passages to draw for the review that proves the labels."),
    silver: Path = typer.Option(Path("assets/silver"), help="Folder for labels that are proven."),
    seed: int = typer.Option(0, help="Seed of the sample."),
    text_column: str = typer.Option("text", help="Column that holds the text."),
    lines: bool = typer.Option(False, "--lines", help="Each line of a .txt file is a text; else the whole file is."),
    reading: str = typer.Option("", help=READING_HELP),
    labels: str = typer.Option("", help=LABELS_HELP),
    gpu_id: str = typer.Option("-1", help=GPU_HELP),
) -> None:
    """Label raw texts for training: sure spans, and unknown where unsure; admit them once a review proves them."""
    from domain_ner.commands.raw_inputs import read_new_texts

    use_gpu(gpu_id)
    check_share(sure=sure, possible=possible)
    *given, folder = paths
    output = Path(folder)
    if len(given) == 1:
        raise DomainNerError(
            f"Two paths are given, {given[0]} and {output}; expected PIPELINE RAW OUT, or OUT alone.",
            "Name the pipeline, the raw texts, and the folder for the labels.",
        )
    with hold(output):
        if not given:
            _admit(output, silver)
            return
        if output.is_file():
            raise DomainNerError(f"{output} is a file; expected a folder for the labels.", "Name a folder.")
        if (output / SAMPLE).exists():
            raise DomainNerError(f"{output} holds labels already.", "Name another folder, or remove it.")
        texts = read_new_texts(
            given[1:], output, annotated, text_column=text_column, lines=lines, reading=reading, labels=labels
        )
        _label(given[0], texts, _sources(drafts, reading, labels), output, sure=sure, possible=possible, n=n, seed=seed)


def _sources(drafts: Sequence[Path], reading: str, labels: str) -> "list[Source]":
    from domain_ner.conversion.exports import ImportSettings, read_annotations
    from domain_ner.pseudo_labels.combining import Source

    found = []
    for path in drafts:
        passages = read_annotations(path, ImportSettings(None, reading, labels, conflicts="unknown")).merged
        named = frozenset(span.label for passage in passages for span in passage.spans)
        found.append(Source(str(path), {passage.text: passage for passage in passages}, named))
    return found


def _label(
    pipeline: str,
    texts: list[str],
    sources: "list[Source]",
    output: Path,
    *,
    sure: float,
    possible: float,
    n: int,
    seed: int,
) -> None:
    from domain_ner.annotating.predicting import identity_of
    from domain_ner.corpus.corpus_file import CorpusFile
    from domain_ner.corpus.docs import DocRules, make_doc
    from domain_ner.evaluation.comparison import open_pipeline
    from domain_ner.files import sha256
    from domain_ner.pseudo_labels.combining import label_texts
    from domain_ner.pseudo_labels.completing import Limits

    corpus, passages = CorpusFile(), list["Passage"]()
    with open_pipeline(pipeline) as (nlp, _), watched("labelling", len(texts)) as on_text:
        identity, lang, rules = identity_of(nlp), str(nlp.lang), DocRules(nlp.tokenizer)
        labelled, done = label_texts(nlp, texts, sources, Limits(sure, possible), on_text)
        for passage in labelled:
            passages.append(passage)
            corpus.add(make_doc(passage, rules).doc)
    with together():
        with atomic_path(output / CORPUS) as temporary:
            corpus.write(temporary)
            content = sha256(temporary)
        record = {"pipeline": identity, "sha256": content, "sure": sure, "possible": possible, **_counts(done)}
        write_text(output / RECORD, json.dumps(record, ensure_ascii=False, indent=1) + "\n")
        files = _draw(passages, {**identity, "sha256": content}, output / SAMPLE, lang=lang, n=n, seed=seed)
    _report(done, sources)
    say(f"labels: {output / CORPUS}")
    say(
        f"To prove them, review {', '.join(map(str, files))} in order, put the exports into {output / SAMPLE}/reviewed,"
    )
    say(f"run: domain-ner review-sample {output / SAMPLE} --contract 'all precision >= 0.9'")
    say(f"and then: domain-ner pseudo-label {output}")


def _draw(
    passages: "list[Passage]", identity: dict[str, str], folder: Path, *, lang: str, n: int, seed: int
) -> list[Path]:
    from domain_ner.corpus.assignments import digest
    from domain_ner.reviewing.drawing import draw_sample
    from domain_ner.reviewing.labelled import scan_labelled
    from domain_ner.reviewing.storing import write_sample

    drawn = draw_sample(scan_labelled(passages), identity, n=min(n, len(passages)), seed=seed, is_blind=True)
    return write_sample(drawn, {digest(one.text): one.text for one in passages}, folder, lang=lang)


def _counts(done: "Labelled") -> dict[str, object]:
    return {
        "n_passages": done.n_passages,
        "entities": dict(sorted(done.entities.items())),
        "n_unknown": done.n_unknown,
        "n_outside": done.n_outside,
        "named": done.named,
        "misnamed": done.misnamed,
    }


def _report(done: "Labelled", sources: "list[Source]") -> None:
    entities = ", ".join(f"{n:,} {label}" for label, n in sorted(done.entities.items()))
    say(f"{done.n_passages:,} passages: {entities or 'no entity'}; {done.n_unknown:,} stretches are unknown")
    for source in sources:
        rates = ", ".join(
            f"{label} {100 * done.named[source.name][label]:.0f} and {100 * done.misnamed[source.name][label]:.0f} %"
            for label in sorted(source.labels & done.named[source.name].keys())
        )
        say(f"{source.name}, by estimate: share of the entities that it names, and of other spans")
        say(f"  {rates or 'no type of the pipeline'}")
    if done.n_outside:
        warn(f"{done.n_outside:,} spans of the drafts start or end inside a token, and were left out.")


def _admit(output: Path, silver: Path) -> None:
    """Copy labels to where training reads them. Raises DomainNerError unless a review has proven them."""
    import shutil

    from domain_ner.files import sha256
    from domain_ner.reviewing.review_schema import read_review

    corpus = output / CORPUS
    if not corpus.is_file():
        raise DomainNerError(f"There are no labels in {output}.", "Give PIPELINE RAW OUT to make some.")
    review = read_review(output / SAMPLE / "review.json")
    if not review.contracts:
        raise DomainNerError(
            f"The review in {output / SAMPLE} proves nothing: it has no contract.",
            f"domain-ner review-sample {output / SAMPLE} --contract 'all precision >= 0.9'",
        )
    if review.pipeline["sha256"] != sha256(corpus):
        raise DomainNerError(
            f"{corpus} is not what was reviewed: its content has changed.", "Restore it, or label anew."
        )
    if failed := [one for one in review.contracts if not one.is_proven]:
        told = "; ".join(f"{one.contract}: at least {one.bound:.2f} is proven" for one in failed)
        raise DomainNerError(
            f"The labels are not proven: {told}.", "Label anew with a higher --sure, or review more of the sample."
        )
    target = silver / f"{output.name}.spacy"
    with atomic_path(target) as temporary:
        shutil.copyfile(corpus, temporary)
    say(f"proven: {'; '.join(one.contract for one in review.contracts)}")
    say(f"written: {target}; with vars.silver, train learns from it")
