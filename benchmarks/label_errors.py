"""How many of the first suspects of find-label-errors are errors: annotations are corrupted on purpose, and sought.

Beside it, cleanlab's ranking of tokens, on the very same out-of-sample probabilities.
"""

import random
import tempfile
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import spacy
import typer
from numpy.typing import NDArray
from spacy.language import Language
from spacy.tokens import Doc, Span

from domain_ner.crf_ner.lattice import marginals
from domain_ner.crf_ner.model import TRANSITIONS
from domain_ner.crf_ner.probing import score
from domain_ner.crf_ner.tensor_groups import tensor_groups
from domain_ner.evaluation import label_errors
from domain_ner.evaluation.label_errors import OutOfSample, predict_out_of_sample, rank
from domain_ner.evaluation.predicting import input_doc, read_docs
from domain_ner.metrics.mistakes import WRONG_TYPE
from domain_ner.metrics.suspects import BOUNDARY, KINDS, LACKING_ANNOTATION, NEEDLESS_ANNOTATION, Suspect

FIRST = (10, 25, 50, 100)
Floats = NDArray[np.float64]
# The columns of a token's probabilities: no entity, and the types.
LABELS: list[str] = []


@dataclass(frozen=True)
class Corruption:
    """What was done to an annotation, as find-label-errors should call it; doc: its number; start, end: in characters,
    of what was annotated and of what is annotated now.
    """

    kind: str
    doc: int
    start: int
    end: int


def main(
    corpora: list[Path] = typer.Argument(..., help="The corpora to corrupt (DocBin): train and dev."),
    config: Path = typer.Option(Path("configs/config.cfg"), help="The training config."),
    share: float = typer.Option(0.05, help="Share of the annotations to corrupt."),
    folds: int = typer.Option(5, help="Trainings, each on all folds but one."),
    epochs: int = typer.Option(0, help="Passes over the data; 0: as the config says."),
    seed: int = typer.Option(0, help="Of corruption, folds and training."),
    keep: Path | None = typer.Option(None, help="Keep the trainings here, to go on from."),
    output: Path = typer.Option(Path("benchmarks/label_errors.md"), help="The table to write (Markdown)."),
) -> None:
    """Corrupt annotations in four ways, and write benchmarks/label_errors.md: how well they are found."""
    vocab = spacy.blank("en").vocab
    docs = [doc for path in corpora for doc in read_docs(path, vocab)]
    n_all = sum(len(doc.ents) for doc in docs)
    corrupted = corrupt(docs, round(share * n_all), random.Random(seed))
    LABELS[:] = ["", *sorted({ent.label_ for doc in docs for ent in doc.ents})]
    shares: dict[int, Floats] = {}
    plain = label_errors.predict

    def predict(nlp: Language, gold: Sequence[Doc]) -> Iterator[OutOfSample]:
        shares.update(zip(map(id, gold), token_shares(nlp, gold), strict=True))
        return plain(nlp, gold)

    label_errors.predict = predict
    with tempfile.TemporaryDirectory() as temporary:
        found = predict_out_of_sample(
            config, docs, keep or Path(temporary), n_folds=folds, gpu=-1, seed=seed, epochs=epochs,
            on_fold=lambda number: typer.echo(f"fold {number + 1} of {folds}"),
        )  # fmt: skip
    kinds = Counter(one.kind for one in corrupted)
    told = ", ".join(f"{kinds[kind]} {kind}" for kind in KINDS)
    lines = [f"{len(docs)} passages, {n_all} annotations, {len(corrupted)} corrupted: {told}.", ""]
    heads = ["", *(f"precision@{n}" for n in FIRST), "found by then"]
    lines += [f"| {' | '.join(heads)} |", f"| --- |{' ---: |' * (len(FIRST) + 1)}"]
    ranked = rank(found)
    rows = {
        "find-label-errors": ours(ranked, corrupted),
        "cleanlab, tokens": by_cleanlab(docs, found, shares, corrupted),
    }
    rows |= {f"- {kind}": ours([one for one in ranked if one[1].kind == kind], corrupted) for kind in KINDS}
    for name, hits in rows.items():
        cells = [f"{100 * sum(hit is not None for hit in hits[:n]) / n:.0f}" for n in FIRST]
        recall = len({hit for hit in hits[: FIRST[-1]] if hit is not None}) / len(corrupted)
        lines.append(f"| {name} | {' | '.join(cells)} | {100 * recall:.0f} % |")
    output.write_text("\n".join(lines) + "\n", encoding="utf8")
    typer.echo(output.read_text(encoding="utf8"))


def corrupt(docs: Sequence[Doc], n: int, rng: random.Random) -> list[Corruption]:
    """Corrupt annotations in place, as many in each of the four ways, each once."""
    labels = sorted({ent.label_ for doc in docs for ent in doc.ents})
    ways = [LACKING_ANNOTATION, NEEDLESS_ANNOTATION, WRONG_TYPE, BOUNDARY]
    places = [(number, ent.start, ent.end) for number, doc in enumerate(docs) for ent in doc.ents]
    rng.shuffle(places)
    done: list[Corruption] = []
    for number, start, end in places:
        if len(done) == n:
            break
        doc, way = docs[number], ways[len(done) % len(ways)]
        old = next(ent for ent in doc.ents if ent.start == start)
        others = [ent for ent in doc.ents if ent.start != start]
        taken = {token.i for ent in doc.ents for token in ent}
        new = None
        if way == WRONG_TYPE:
            new = Span(doc, start, end, label=rng.choice([label for label in labels if label != old.label_]))
        elif way == BOUNDARY:
            edges = [(start + 1, end), (start, end - 1), (start - 1, end), (start, end + 1)]
            usable = [
                (a, b)
                for a, b in edges
                if 0 <= a < b <= len(doc) and not set(range(a, b)) - set(range(start, end)) & taken
            ]
            new = Span(doc, *rng.choice(usable), label=old.label_) if usable else None
        elif way == NEEDLESS_ANNOTATION:
            others.append(old)
            free = [t.i for t in doc if t.is_alpha and not t.is_stop and t.i not in taken]
            at = rng.choice(free) if free else None
            new = Span(doc, at, at + 1, label=rng.choice(labels)) if at is not None else None
        if new is None and way != LACKING_ANNOTATION:
            continue
        doc.set_ents([*others, *([new] if new is not None else [])])
        spans = [one for one in (old if way != NEEDLESS_ANNOTATION else None, new) if one is not None]
        done.append(Corruption(way, number, min(s.start_char for s in spans), max(s.end_char for s in spans)))
    return done


def hit(corrupted: Sequence[Corruption], doc: int, start: int, end: int) -> Corruption | None:
    """The corruption at a place, if there is one."""
    at = (one for one in corrupted if one.doc == doc and one.start < end and start < one.end)
    return next(at, None)


def ours(ranked: Sequence[tuple[int, Suspect]], corrupted: Sequence[Corruption]) -> list[Corruption | None]:
    """For each suspect, the first ones first, what was corrupted there."""
    return [hit(corrupted, number, suspect.start, suspect.end) for number, suspect in ranked]


def by_cleanlab(
    docs: Sequence[Doc], found: Sequence[OutOfSample], shares: Mapping[int, Floats], corrupted: Sequence[Corruption]
) -> list[Corruption | None]:
    """The same for tokens, ranked by cleanlab (self-confidence of the token's label)."""
    from cleanlab.token_classification.rank import get_label_quality_scores  # noqa: PLC0415 (of the extra `peers`)

    given = []
    for one in found:
        named = [0] * len(one.doc.tokens)
        for start, end, label in one.doc.gold:
            for n in covered(one.doc.tokens, start, end):
                named[n] = LABELS.index(label)
        given.append(named)
    _, info = get_label_quality_scores(given, [shares[id(doc)] for doc in docs])
    ranked = sorted((score, doc, n) for doc, scores in enumerate(info) for n, score in enumerate(scores))
    return [hit(corrupted, doc, *found[doc].doc.tokens[n]) for _, doc, n in ranked]


def token_shares(nlp: Language, docs: Sequence[Doc]) -> list[Floats]:
    """(n_tokens, 1 + n_types) exact probabilities of no entity and of each type, for each document."""
    pipe = nlp.get_pipe("crf_ner")
    scores = list(score(nlp, pipe, [input_doc(nlp, doc) for doc in docs]))
    found: list[Floats] = [np.zeros((0, len(LABELS)))] * len(docs)
    transitions = pipe.model.get_param(TRANSITIONS)
    for group in tensor_groups(scores, transitions, pipe.settings.temperature):
        by_tag = marginals(group.scores, group.transitions, group.lengths).emissions.numpy()
        for place, number in enumerate(group.numbers):
            tags = by_tag[place, : len(scores[number])].astype(float)
            rows = np.zeros((len(tags), len(LABELS)))
            rows[:, 0] = tags[:, 0]
            for n, label in enumerate(pipe.labels):
                rows[:, LABELS.index(label)] = tags[:, 1 + n :: len(pipe.labels)].sum(axis=1)
            found[number] = rows / rows.sum(axis=1, keepdims=True)
    return found


def covered(tokens: Sequence[tuple[int, int]], start: int, end: int) -> list[int]:
    """The numbers of the tokens under a span."""
    return [n for n, (first, last) in enumerate(tokens) if first < end and start < last]


if __name__ == "__main__":
    typer.run(main)
