"""What drafts are worth at the start: a few passages are annotated, and the rest of the training texts is drafted.

The drafts come from the guide's names and patterns and from the names annotated so far. `pseudo-label` joins them with
the pipeline that learned the annotated passages; training reads the result as silver passages.
"""

import random
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import typer
from _trainings import Trainer, mean_and_all, reading_silver, table, to_gold, tokenizer_of
from spacy.tokens import Doc

from domain_ner.annotations.passages import LabelledSpan, Passage
from domain_ner.commands.main import run_function
from domain_ner.corpus.languages import blank
from domain_ner.crf_ner.fitting import fit
from domain_ner.crf_ner.probing import NAME
from domain_ner.drafting.names import Names
from domain_ner.drafting.patterns import guide_names, pattern_spans
from domain_ner.errors import DomainNerError
from domain_ner.evaluation.predicting import evaluate_pipeline, load_pipeline, make_example, read_docs
from domain_ner.files import write_text
from domain_ner.guide.schema import Guide, load_guide
from domain_ner.guide.sentences import guide_passages
from domain_ner.pseudo_labels.combining import Source, label_texts
from domain_ner.pseudo_labels.completing import Limits

ALONE, EXAMPLES = "annotated passages alone", "with the guide's sentences"
DRAFTS = "with drafts, joined by pseudo-label"


def main(
    corpus: Path = typer.Argument(Path("corpus"), help="Folder with train.spacy, dev.spacy and test.spacy."),
    config: Path = typer.Option(Path("configs/config.cfg"), help="The training config, written by create-config."),
    guide: str = typer.Option("assets/guide.yml", help="The guide; empty: drafts come from the annotated names alone."),
    sizes: str = typer.Option("50,100,200", help="Numbers of annotated passages."),
    seeds: int = typer.Option(3, min=1, help="Trainings of each kind, each on other passages."),
    epochs: int = typer.Option(3, min=1, help="Passes over the whole training data; parts have as many steps."),
    sure: float = typer.Option(0.9, help="Least probability of an entity."),
    possible: float = typer.Option(0.1, help="Least probability of a span that makes its text unknown."),
    silver: float = typer.Option(1.0, help="Silver passages for each annotated one, at most."),
    weight: float = typer.Option(0.5, help="How much a silver passage counts."),
    output: Path = typer.Option(Path("benchmarks/cold_start.md"), help="The table to write (Markdown)."),
) -> None:
    """Train on a few passages, with and without drafts of the rest; write benchmarks/cold_start.md."""
    vocab = blank("en").vocab
    train, dev, test = (read_docs(corpus / f"{split}.spacy", vocab) for split in ("train", "dev", "test"))
    numbers = [int(size) for size in sizes.split(",")]
    if max(numbers) >= len(train):
        raise DomainNerError(f"--sizes has {max(numbers)}; there are {len(train)} training passages.")
    known = load_guide(Path(guide)) if guide else None
    found: dict[str, dict[int, list[float]]] = {}
    for seed in range(seeds):
        order = list(train)
        random.Random(seed).shuffle(order)
        for n in numbers:
            with tempfile.TemporaryDirectory() as work:
                trainer = Trainer(
                    reading_silver(config, Path(work)), dev, Path(work), seed, epochs * len(train), silver, weight
                )
                raw = [doc.text for doc in order[n:]]
                for name, pipeline in kinds(trainer, known, Limits(sure, possible), order[:n], raw):
                    f1 = 100 * evaluate_pipeline(load_pipeline(pipeline), test).scores.micro.f1
                    found.setdefault(name, {}).setdefault(n, []).append(f1)
                    typer.echo(f"seed {seed}, {n} annotated, {name}: F1 {f1:.1f}")
    rows = {name: [mean_and_all(scores) for scores in by_size.values()] for name, by_size in found.items()}
    made = table(["trained on", *(f"{n} passages" for n in numbers)], rows)
    write_text(output, made)
    typer.echo(made)


def kinds(
    train: Trainer, guide: Guide | None, limits: Limits, gold: Sequence[Doc], raw: Sequence[str]
) -> Iterator[tuple[str, Path]]:
    """Train on each kind of data: its name, and the pipeline."""
    alone = train(ALONE, gold)
    yield ALONE, alone
    tokenize = tokenizer_of(train.config)
    if guide:
        yield EXAMPLES, train(EXAMPLES, [*gold, *(to_gold(one, tokenize) for one in guide_passages(guide))])
    nlp = load_pipeline(alone)
    fit(nlp, [make_example(nlp, doc) for doc in train.dev], NAME)
    passages, _ = label_texts(nlp, raw, [drafted(guide, gold, raw)], limits)
    yield DRAFTS, train(DRAFTS, gold, (to_gold(one, tokenize) for one in passages))


def drafted(guide: Guide | None, gold: Iterable[Doc], raw: Iterable[str]) -> Source:
    """Raw texts as a list of names drafts them: those annotated so far and the guide's, and the guide's patterns."""
    names = Names()
    for doc in gold:
        for span in doc.ents:
            names.add(span.text, span.label_)
    for name, label in guide_names(guide) if guide else ():
        names.add(name, label)
    passages = {}
    for text in raw:
        found = {
            LabelledSpan(one.start, one.end, label)
            for one in names.find(text)
            if len(one.labels) == 1 and one.score == 1
            for label in one.labels
        }
        if guide:
            found |= {span for span in pattern_spans(text, guide) if not any(overlap(span, one) for one in found)}
        passages[text] = Passage(text, tuple(sorted(found)), "draft", partial=True)
    return Source("drafts", passages, frozenset(span.label for one in passages.values() for span in one.spans))


def overlap(one: LabelledSpan, other: LabelledSpan) -> bool:
    """Whether two spans share a character."""
    return one.start < other.end and other.start < one.end


if __name__ == "__main__":
    run_function(main, "benchmark-cold-start")
