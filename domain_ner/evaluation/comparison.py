"""Compares two pipelines on the same test set: which is better, by how much, and whether that is significant.

Decides what the reports say; draws and prints nothing.
"""

import hashlib
import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from timeit import default_timer
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field
from spacy.language import Language
from spacy.tokens import Doc
from spacy.util import is_package

from domain_ner.errors import DomainNerError
from domain_ner.evaluation.predicting import (
    Evaluated,
    EvaluatedDoc,
    Watched,
    evaluate_pipeline,
    input_doc,
    load_pipeline,
    nests,
    read_docs,
)
from domain_ner.evaluation.sections import context
from domain_ner.files import scratch_folder
from domain_ner.files.archives import unpack as unpack_archive
from domain_ner.metrics.resampling import Difference, compare, count
from domain_ner.metrics.scores import ALL_TYPES

Share = Annotated[float, Field(ge=0, le=1)]
ALPHA = 0.05
N_WARM = 64
FOUND, LOST, GONE, NEW = "found now", "lost", "false alarm gone", "new false alarm"
BETTER, WORSE, EQUAL = "better", "worse", "no difference shown"
# What two pipelines may have in common.
SAME_PIPELINE, SAME_PREDICTIONS = "pipeline", "predictions"


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class System(_Part):
    """A pipeline. source: its folder, wheel or package. words_s: tokens per second, in one run.

    size_mb: in 10**6 bytes. sha256: of its weights and settings, from `fingerprint`.
    """

    source: str
    name: str
    n_words: int
    words_s: float
    size_mb: float
    n_predicted: int
    sha256: str


class Compared(_Part):
    """F1 of both pipelines, and the difference (second minus first).

    low, high: 95 % interval of the difference, by paired bootstrap over documents; null: too few documents.
    p: probability of a difference as large by chance, by permutation; p_holm: corrected for the number of types.
    """

    support: int
    first: Share
    second: Share
    difference: float
    low: float | None
    high: float | None
    p: Share
    p_holm: Share
    verdict: str


class Change(_Part):
    """An entity on which the two pipelines disagree. offset: start of `text` in the passage, in characters.

    kind: found now, lost, false alarm gone, or new false alarm. start, end: in `text`.
    """

    kind: str
    label: str
    source: str
    offset: int
    text: str
    start: int
    end: int


class Comparison(_Part):
    """A comparison. margin: accepted loss of F1.

    same: `pipeline` if both have the same weights and settings, `predictions` if only their predictions are the same;
    else empty. is_passed: no significant loss beyond the margin, for any type or overall; false if both are the same
    pipeline, because there is nothing to judge.
    """

    version: int = 1
    first: System
    second: System
    n_passages: int
    overall: Compared
    by_type: dict[str, Compared]
    changes: list[Change]
    margin: Share
    same: str
    is_passed: bool

    @property
    def can_tell(self) -> bool:
        """Whether there are enough passages for any loss to be significant, even one on every passage."""
        return 2.0 ** (1 - self.n_passages) < ALPHA

    @property
    def lost(self) -> list[str]:
        """The types, or `all`, whose loss is significant and larger than the margin."""
        rows = {ALL_TYPES: self.overall} | self.by_type
        return [label for label, row in rows.items() if row.verdict == WORSE and row.difference < -self.margin]


Measured = tuple[System, Evaluated]


@contextmanager
def open_pipeline(pipeline: str) -> Iterator[tuple[Language, Path]]:
    """Load a pipeline, and yield it with its folder. pipeline: a folder, a wheel of `package`, or an installed package.

    Raises DomainNerError when there is no such pipeline.
    """
    path = Path(pipeline)
    if path.suffix == ".whl":
        with scratch_folder() as folder:
            inside = unpack(path, folder)
            yield load_pipeline(inside), inside
        return
    if not path.exists() and not is_package(pipeline):
        raise DomainNerError(
            f"There is no pipeline {pipeline!r}: it is not a folder, a wheel or an installed package.",
            "Name a folder (training/model-calibrated), a .whl of training/packages, or a package (en_domain_ner).",
        )
    nlp = load_pipeline(path if path.exists() else pipeline)
    yield nlp, Path(nlp.path or path)


def unpack(wheel: Path, folder: Path) -> Path:
    """Unpack the pipeline in a wheel; returns its folder. Raises DomainNerError if the wheel holds none."""
    unpack_archive(wheel, folder)
    configs = sorted(folder.glob("*/*/config.cfg"))
    if len(configs) != 1:
        raise DomainNerError(f"The wheel {wheel} holds no pipeline.", "Use the wheel whose name begins like en_…")
    return configs[0].parent


def measure(  # noqa: PLR0913
    source: str,
    nlp: Language,
    folder: Path,
    gold: Sequence[Doc],
    *,
    can_nest: bool | None = None,
    on_doc: Callable[[], None] = lambda: None,
) -> Measured:
    """Predict on the gold documents, and measure the time. source, nlp, folder: of `open_pipeline`.

    can_nest: compare the entities that may nest. The first documents are predicted twice, to warm up.
    """
    for _ in nlp.pipe(input_doc(nlp, doc) for doc in gold[:N_WARM]):
        pass
    started = default_timer()
    evaluated = evaluate_pipeline(nlp, gold, can_nest=can_nest, on_doc=on_doc)
    n_words = sum(len(doc.tokens) for doc in evaluated.docs)
    size = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
    system = System(
        source=source,
        name=f"{nlp.meta['lang']}_{nlp.meta['name']} {nlp.meta['version']}",
        n_words=n_words,
        words_s=n_words / max(default_timer() - started, 1e-9),
        size_mb=size / 1e6,
        n_predicted=sum(len(doc.predicted) for doc in evaluated.docs),
        sha256=fingerprint(nlp),
    )
    return system, evaluated


def measure_both(first: str, second: str, test: Path, *, watched: Watched) -> tuple[Measured, Measured]:
    """Predict with two pipelines on one corpus. first, second: for `open_pipeline`. test: DocBin."""
    with ExitStack() as stack:
        both = [(pipeline, *stack.enter_context(open_pipeline(pipeline))) for pipeline in (first, second)]
        can_nest = any(nests(nlp) for _, nlp, _ in both)
        measured = []
        for pipeline, nlp, folder in both:
            gold = read_docs(test, nlp.vocab)
            with watched(f"predicting with {nlp.meta['name']} {nlp.meta['version']}", len(gold)) as on_doc:
                measured.append(measure(pipeline, nlp, folder, gold, can_nest=can_nest, on_doc=on_doc))
    return measured[0], measured[1]


def fingerprint(nlp: Language) -> str:
    """Compute a SHA-256 of everything that determines predictions: tokenizer, components, their settings and weights.

    Leaves out name, version, scores and vocabulary, in which a package differs from the folder it was built from.
    """
    settings = {name: nlp.get_pipe_config(name) for name in nlp.pipe_names}
    digest = hashlib.sha256(json.dumps([nlp.lang, settings], sort_keys=True, default=str).encode())
    for name, part in [("tokenizer", nlp.tokenizer), *nlp.pipeline]:
        digest.update(name.encode())
        if hasattr(part, "to_bytes"):
            digest.update(part.to_bytes(exclude=["vocab"]))
    return digest.hexdigest()


def require_margin(points: float) -> None:
    """Raise DomainNerError for a margin that is no number of F1 points, 0 to 100."""
    if not 0 <= points <= 100:
        raise DomainNerError(f"vars.margin is {points}; expected points of F1, 0 to 100.")


def compare_pipelines(
    first: tuple[System, Evaluated], second: tuple[System, Evaluated], *, margin: float, seed: int = 0
) -> Comparison:
    """Compare the predictions of two pipelines on the same documents. margin: F1 that the second may lose, 0..1."""
    both = (first[1], second[1])
    labels = sorted({label for evaluated in both for label in evaluated.scores.by_type})
    differences = compare(
        *(count(((doc.gold, doc.predicted) for doc in evaluated.docs), labels) for evaluated in both), seed=seed
    )

    def compared(label: str) -> Compared:
        scores = [evaluated.scores.by_type.get(label) if label else evaluated.scores.micro for evaluated in both]
        f1 = [score.f1 if score else 0.0 for score in scores]
        support = max(score.support if score else 0 for score in scores)
        return _compared(differences[label], support, *f1)

    overall, by_type = compared(""), {label: compared(label) for label in labels}
    rows = [overall, *by_type.values()]
    changed = [change for pair in zip(both[0].docs, both[1].docs, strict=True) for change in changes(*pair)]
    is_same = first[0].sha256 == second[0].sha256
    return Comparison(
        first=first[0],
        second=second[0],
        n_passages=len(both[0].docs),
        overall=overall,
        by_type=by_type,
        changes=changed,
        margin=margin,
        same=SAME_PIPELINE if is_same else "" if changed else SAME_PREDICTIONS,
        is_passed=not is_same and not any(row.verdict == WORSE and row.difference < -margin for row in rows),
    )


def _compared(difference: Difference, support: int, first: float, second: float) -> Compared:
    verdict = EQUAL if difference.p_holm >= ALPHA else BETTER if difference.value > 0 else WORSE
    low, high = (difference.interval.low, difference.interval.high) if difference.interval else (None, None)
    return Compared(
        support=support,
        first=first,
        second=second,
        difference=difference.value,
        low=low,
        high=high,
        p=difference.p,
        p_holm=difference.p_holm,
        verdict=verdict,
    )


def changes(first: EvaluatedDoc, second: EvaluatedDoc) -> list[Change]:
    """List the entities of one document on which the two disagree, in the order of the text."""
    gold, before, after = set(first.gold), set(first.predicted), set(second.predicted)
    kinds = {
        FOUND: gold & after - before,
        LOST: gold & before - after,
        GONE: before - gold - after,
        NEW: after - gold - before,
    }
    changed = []
    for start, end, label, kind in sorted((*entity, kind) for kind, members in kinds.items() for entity in members):
        offset, last = context(first.text, start, end)
        text = first.text[offset:last]
        changed.append(
            Change(
                kind=kind,
                label=label,
                source=first.source,
                offset=offset,
                text=text,
                start=start - offset,
                end=end - offset,
            )
        )
    return changed
