"""What training on passages that lack some types forgets, and what completing them saves.

Half of the training groups are annotated without one type ("old"), the others with that type alone ("new"): what a
team has that adds a type later. `complete-annotations` fills what is missing.
"""

import tempfile
from collections.abc import Collection, Iterator, Sequence
from dataclasses import astuple, dataclass, replace
from pathlib import Path

import typer
from _trainings import mean_and_all, part_of, table, to_gold, tokenizer_of
from spacy.tokens import Doc

from domain_ner.annotations.passages import Passage
from domain_ner.commands.main import run_function
from domain_ner.corpus.docs import groups_of
from domain_ner.corpus.languages import blank
from domain_ner.crf_ner.fitting import fit
from domain_ner.crf_ner.probing import NAME, recogniser
from domain_ner.errors import DomainNerError
from domain_ner.evaluation.predicting import evaluate_pipeline, load_pipeline, make_example, read_docs
from domain_ner.files import write_text
from domain_ner.metrics.scores import Score, Scores
from domain_ner.pseudo_labels.completing import Limits, complete
from domain_ner.training.parts import train_part
from domain_ner.writers.passages import to_passage

# A name, what was trained on, and the folder of the pipeline.
Trained = tuple[str, Sequence[Passage], Path]


def main(
    corpus: Path = typer.Argument(Path("corpus"), help="Folder with train.spacy, dev.spacy and test.spacy."),
    config: Path = typer.Option(Path("configs/config.cfg"), help="The training config, written by create-config."),
    added: str = typer.Option("TEAM", help="The type that is added later."),
    group_by: str = typer.Option("org", help="Key of meta: a group is old or new as a whole."),
    seeds: int = typer.Option(3, min=1, help="Trainings of each kind."),
    epochs: int = typer.Option(8, min=1, help="Passes over the training data, at most."),
    sure: float = typer.Option(0.9, help="Least confidence of an entity that is added."),
    possible: float = typer.Option(0.1, help="Least confidence of a span that makes its text unknown."),
    output: Path = typer.Option(Path("benchmarks/forgetting.md"), help="The table to write (Markdown)."),
) -> None:
    """Train on passages that lack types, as they are and completed; write benchmarks/forgetting.md."""
    vocab = blank("en").vocab
    train, dev, test = (read_docs(corpus / f"{split}.spacy", vocab) for split in ("train", "dev", "test"))
    passages = [to_passage(doc, "") for doc in train]
    labels = {span.label for passage in passages for span in passage.spans}
    if added not in labels:
        raise DomainNerError(f"--added is {added!r}, which {corpus} does not have.")
    found: dict[str, list[tuple[float, float]]] = {}
    for seed in range(seeds):
        is_old = part_of(groups_of(train, group_by), 0.5, seed)
        old = [having(one, labels - {added}) for one, before in zip(passages, is_old, strict=True) if before]
        new = [having(one, {added}) for one, before in zip(passages, is_old, strict=True) if not before]
        with tempfile.TemporaryDirectory() as work:
            case = Case(config, dev, added, Limits(sure, possible), Path(work), seed, epochs)
            for name, some, trained in case.kinds(passages, old, new):
                f1 = old_and_new(evaluate_pipeline(load_pipeline(trained), test).scores, added)
                found.setdefault(name, []).append(f1)
                typer.echo(f"seed {seed}, {name}: {len(some)} passages, F1 {100 * f1[0]:.1f} and {100 * f1[1]:.1f}")
    rows = {name: [mean_and_all([100 * pair[n] for pair in pairs]) for n in (0, 1)] for name, pairs in found.items()}
    made = table(["trained on", "old types, F1", f"{added}, F1"], rows)
    write_text(output, made)
    typer.echo(made)


@dataclass(frozen=True)
class Case:
    """What the trainings of one seed share. added: the type that the new half has."""

    config: Path
    dev: Sequence[Doc]
    added: str
    limits: Limits
    work: Path
    seed: int
    epochs: int

    def trained(self, name: str, passages: Sequence[Passage]) -> Trained:
        """Train on passages."""
        tokenize = tokenizer_of(self.config)
        docs = [to_gold(passage, tokenize) for passage in passages]
        place = self.work / name.replace(" ", "-")
        best, _ = train_part(self.config, docs, self.dev, place, gpu=-1, seed=self.seed, epochs=self.epochs)
        return name, passages, best

    def kinds(self, everything: Sequence[Passage], old: Sequence[Passage], new: Sequence[Passage]) -> Iterator[Trained]:
        """Train on each kind of data. old, new: the halves, each without the types of the other."""
        yield self.trained("all types annotated everywhere", everything)
        yield (before := self.trained("the old half", old))
        yield (after := self.trained("the new half", new))
        yield self.trained("both halves as they are", [*old, *new])
        yield self.trained("both, what is not annotated unknown", [replace(one, partial=True) for one in (*old, *new)])
        new_completed = self.completed(before[2], new, is_new=True)
        yield self.trained("the new half, completed", new_completed)
        old_completed = self.completed(after[2], old, is_new=False)
        yield self.trained("both halves, completed", [*old_completed, *new_completed])

    def completed(self, pipeline: Path, passages: Sequence[Passage], *, is_new: bool) -> list[Passage]:
        """Complete passages with a pipeline, calibrated on the dev passages."""
        nlp = load_pipeline(pipeline)
        types = {label for label in recogniser(nlp).labels if (label != self.added) == is_new}
        gold = [to_gold(having(to_passage(doc, ""), types), nlp.make_doc) for doc in self.dev]
        fit(nlp, [make_example(nlp, doc) for doc in gold], NAME)
        filled, _ = complete(nlp, passages, sorted(types), self.limits)
        return list(filled)


def having(passage: Passage, labels: Collection[str]) -> Passage:
    """A passage whose annotators looked at these types alone."""
    return replace(passage, spans=tuple(span for span in passage.spans if span.label in labels))


def old_and_new(scores: Scores, added: str) -> tuple[float, float]:
    """Micro F1 of the old types, and F1 of the added one."""
    old = [score for label, score in scores.by_type.items() if label != added]
    both = Score(*(sum(counts) for counts in zip(*map(astuple, old), strict=True)))
    new = scores.by_type.get(added)
    return both.f1, new.f1 if new else 0.0


if __name__ == "__main__":
    run_function(main, "benchmark-forgetting")
