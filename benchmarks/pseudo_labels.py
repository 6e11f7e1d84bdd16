"""What raw texts are worth: a part of the training passages is annotated, and a pipeline labels the rest.

The labels are used in three ways: what is unsure is unknown, as `pseudo-label` writes it; what is unsure is no entity,
as a naive export would say; and as marginals, as `distil` writes them. The pipeline that labels may have a larger
encoder than the one that learns.
"""

import tempfile
from collections.abc import Container, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import fmean

import typer
from _trainings import Trainer, mean_and_all, part_of, reading_silver, table, to_gold, tokenizer_of
from spacy.tokens import Doc

from domain_ner.commands.main import run_function
from domain_ner.corpus.docs import groups_of
from domain_ner.corpus.languages import blank
from domain_ner.crf_ner.fitting import fit
from domain_ner.crf_ner.probing import NAME
from domain_ner.errors import DomainNerError
from domain_ner.evaluation.predicting import evaluate_pipeline, load_pipeline, make_example, read_docs
from domain_ner.files import write_text
from domain_ner.pseudo_labels.combining import label_texts
from domain_ner.pseudo_labels.completing import Limits
from domain_ner.pseudo_labels.teaching import taught
from domain_ner.training.parts import train_part

SMALL, TEACHER, FULL = "the annotated part", "the teacher, on the annotated part", "all annotated"
UNKNOWN, AS_O = "with pseudo-labels, unsure is unknown", "with pseudo-labels, unsure is no entity"
MARGINALS = "with the pipeline's marginals"
KINDS = {"unknown": UNKNOWN, "no-entity": AS_O, "marginals": MARGINALS, "all": FULL}


def main(
    corpus: Path = typer.Argument(Path("corpus"), help="Folder with train.spacy, dev.spacy and test.spacy."),
    config: Path = typer.Option(Path("configs/config.cfg"), help="The training config, written by create-config."),
    teacher: Path | None = typer.Option(None, help="Training config of the pipeline that labels, if not the same."),
    teacher_epochs: int = typer.Option(10, min=1, help="Passes of that over the annotated part."),
    share: float = typer.Option(0.2, help="Part of the training passages that is annotated."),
    group_by: str = typer.Option("org", help="Key of meta: a group is annotated or raw as a whole."),
    seeds: int = typer.Option(3, min=1, help="Trainings of each kind."),
    epochs: int = typer.Option(8, min=1, help="Passes over the whole training data; parts have as many steps."),
    sure: float = typer.Option(0.9, help="Least confidence of an entity."),
    possible: float = typer.Option(0.1, help="Least confidence of a span that makes its text unknown."),
    silver: float = typer.Option(1.0, help="Silver passages for each annotated one, at most."),
    weight: float = typer.Option(0.5, help="How much a silver passage counts."),
    kinds: str = typer.Option(",".join(KINDS), help="What is trained on beside the annotated part, by commas."),
    pipelines: Path | None = typer.Option(None, help="Folder that keeps the pipelines, for compare."),
    output: Path = typer.Option(Path("benchmarks/pseudo_labels.md"), help="The table to write (Markdown)."),
) -> None:
    """Train on a part, and on the rest as a pipeline labels it; write benchmarks/pseudo_labels.md."""
    vocab = blank("en").vocab
    train, dev, test = (read_docs(corpus / f"{split}.spacy", vocab) for split in ("train", "dev", "test"))
    if not 0 < share < 1:
        raise DomainNerError(f"--share is {share}; expected a share between 0 and 1.")
    if unknown := set(wanted := kinds.split(",")) - KINDS.keys():
        raise DomainNerError(f"--kinds has {', '.join(sorted(unknown))}; expected {', '.join(KINDS)}.")
    found: dict[str, list[float]] = {}
    for seed in range(seeds):
        is_inside = part_of(groups_of(train, group_by), share, seed)
        gold = [doc for doc, inside in zip(train, is_inside, strict=True) if inside]
        raw = [doc.text for doc, inside in zip(train, is_inside, strict=True) if not inside]
        with tempfile.TemporaryDirectory() as temporary:
            work = pipelines / f"seed-{seed}" if pipelines else Path(temporary)
            trainer = Trainer(reading_silver(config, work), dev, work, seed, epochs * len(train), silver, weight)
            labelling = Teacher(teacher, teacher_epochs, Limits(sure, possible))
            for name, pipeline in trained(trainer, labelling, [KINDS[one] for one in wanted], gold, raw, train):
                f1 = 100 * evaluate_pipeline(load_pipeline(pipeline), test).scores.micro.f1
                found.setdefault(name, []).append(f1)
                typer.echo(f"seed {seed}, {name}: {len(gold)} annotated, {len(raw)} raw, F1 {f1:.1f}")
    rows = {
        name: [mean_and_all(scores), *(closed(found, name, upper) for upper in (FULL, TEACHER))]
        for name, scores in found.items()
    }
    made = table(["trained on", "F1", "of the gap to all", "of the teacher's lead"], rows)
    write_text(output, made)
    typer.echo(made)


def closed(found: Mapping[str, Sequence[float]], name: str, upper: str) -> str:
    """The share of the gap between the annotated part and what is above it that a kind of data closes."""
    gap = fmean(found[upper]) - fmean(found[SMALL]) if upper in found else 0.0
    if name in (SMALL, TEACHER, FULL) or gap <= 0:
        return ""
    return f"{100 * (fmean(found[name]) - fmean(found[SMALL])) / gap:.0f} %"


@dataclass(frozen=True)
class Teacher:
    """The pipeline that labels. config: of its training; None: it is the one that learned the annotated part."""

    config: Path | None
    epochs: int
    limits: Limits


def trained(
    train: Trainer,
    teacher: Teacher,
    wanted: Container[str],
    gold: Sequence[Doc],
    raw: Sequence[str],
    everything: Sequence[Doc],
) -> Iterator[tuple[str, Path]]:
    """Train on the annotated part, and on each kind of data that is wanted: its name, and the pipeline."""
    small = labelling = train(SMALL, gold)
    yield SMALL, small
    if teacher.config:
        labelling, _ = train_part(
            teacher.config, gold, train.dev, train.work / "teacher", gpu=-1, seed=train.seed, epochs=teacher.epochs
        )
        yield TEACHER, labelling
    nlp = load_pipeline(labelling)
    fit(nlp, [make_example(nlp, doc) for doc in train.dev], NAME)
    tokenize = tokenizer_of(train.config)
    if UNKNOWN in wanted or AS_O in wanted:
        passages = list(label_texts(nlp, raw, [], teacher.limits)[0])
        for name, labelled in ((UNKNOWN, passages), (AS_O, [replace(one, unknown=()) for one in passages])):
            if name in wanted:
                yield name, train(name, gold, (to_gold(one, tokenize) for one in labelled))
    if MARGINALS in wanted:
        yield MARGINALS, train(MARGINALS, gold, taught([nlp], raw))
    if FULL in wanted:
        yield FULL, train(FULL, everything)


if __name__ == "__main__":
    run_function(main, "benchmark-pseudo-labels")
