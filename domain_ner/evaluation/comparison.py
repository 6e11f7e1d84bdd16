"""Two pipelines on the same test set: which is better, by how much, and whether that can be luck.

Decides what is told; draws and prints nothing.
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
    """A pipeline. source: where it was taken from. words_s: tokens a second, in one run. size_mb: in 10**6 bytes.

    sha256: of its weights and settings, as `fingerprint` has it.
    """

    source: str
    name: str
    n_words: int
    words_s: float
    size_mb: float
    n_predicted: int
    sha256: str


class Compared(_Part):
    """F1 of both, and the second's minus the first's.

    low, high: 95 % interval of the difference by paired bootstrap over documents; null: too little to tell.
    p: of a difference as large by luck alone, by permutation; p_holm: corrected for the number of types.
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
    """One entity that the two do not agree on. offset: where the shown text begins in the passage, in characters.

    kind: found now, lost, false alarm gone, or new false alarm. start, end: in the shown text.
    """

    kind: str
    label: str
    source: str
    offset: int
    text: str
    start: int
    end: int


class Comparison(_Part):
    """A comparison. margin: F1 that may be lost.

    same: `pipeline` where weights and settings of both are the same, `predictions` where only what they find is; else
    empty. is_passed: no significant loss beyond the margin, of any type or over all; false for one and the same
    pipeline, of which there is nothing to judge.
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
        """Whether there are passages enough for a loss to be significant at all, were each one lost."""
        return 2.0 ** (1 - self.n_passages) < ALPHA

    @property
    def lost(self) -> list[str]:
        """The types, or `all`, whose loss is significant and larger than the margin."""
        rows = {"all": self.overall} | self.by_type
        return [label for label, one in rows.items() if one.verdict == WORSE and one.difference < -self.margin]


Measured = tuple[System, Evaluated]


@contextmanager
def opened(pipeline: str) -> Iterator[tuple[Language, Path]]:
    """A pipeline and its folder; given as a folder, as a wheel of `package`, or by the name of an installed package.

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
            f"There is no pipeline {pipeline!r}: it is no folder, no wheel and no installed package.",
            "Name a folder (training/model-calibrated), a .whl of training/packages, or a package (en_domain_ner).",
        )
    nlp = load_pipeline(path if path.exists() else pipeline)
    yield nlp, Path(nlp.path or path)


def unpack(wheel: Path, folder: Path) -> Path:
    """Unpack the pipeline in a wheel; gives its folder."""
    unpack_archive(wheel, folder)
    found = sorted(folder.glob("*/*/config.cfg"))
    if len(found) != 1:
        raise DomainNerError(f"The wheel {wheel} holds no pipeline.", "Take the wheel whose name begins like en_…")
    return found[0].parent


def measure(  # noqa: PLR0913
    source: str,
    nlp: Language,
    folder: Path,
    gold: Sequence[Doc],
    *,
    can_nest: bool | None = None,
    on_doc: Callable[[], None] = lambda: None,
) -> Measured:
    """Predict on the gold documents, and take the time. source, nlp, folder: of `opened`.

    can_nest: compare on the entities that may nest. The first documents are predicted twice, for a process is slower
    at first.
    """
    for _ in nlp.pipe(input_doc(nlp, doc) for doc in gold[:N_WARM]):
        pass
    begun = default_timer()
    evaluated = evaluate_pipeline(nlp, gold, can_nest=can_nest, on_doc=on_doc)
    n_words = sum(len(doc.tokens) for doc in evaluated.docs)
    size = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
    system = System(
        source=source,
        name=f"{nlp.meta['lang']}_{nlp.meta['name']} {nlp.meta['version']}",
        n_words=n_words,
        words_s=n_words / max(default_timer() - begun, 1e-9),
        size_mb=size / 1e6,
        n_predicted=sum(len(doc.predicted) for doc in evaluated.docs),
        sha256=fingerprint(nlp),
    )
    return system, evaluated


def measure_both(first: str, second: str, test: Path, *, watched: Watched) -> tuple[Measured, Measured]:
    """Predict with two pipelines on one corpus. first, second: as `opened` takes them. test: DocBin."""
    with ExitStack() as stack:
        both = [(pipeline, *stack.enter_context(opened(pipeline))) for pipeline in (first, second)]
        can_nest = any(nests(nlp) for _, nlp, _ in both)
        measured = []
        for pipeline, nlp, folder in both:
            gold = read_docs(test, nlp.vocab)
            with watched(f"predicting with {nlp.meta['name']} {nlp.meta['version']}", len(gold)) as on_doc:
                measured.append(measure(pipeline, nlp, folder, gold, can_nest=can_nest, on_doc=on_doc))
    return measured[0], measured[1]


def fingerprint(nlp: Language) -> str:
    """A SHA-256 of what a pipeline predicts by: tokenizer, components, their settings and weights. Not of its name,
    version, scores or vocabulary, in which a package differs from the folder that it was made of.
    """
    settings = {name: nlp.get_pipe_config(name) for name in nlp.pipe_names}
    told = hashlib.sha256(json.dumps([nlp.lang, settings], sort_keys=True, default=str).encode())
    for name, part in [("tokenizer", nlp.tokenizer), *nlp.pipeline]:
        told.update(name.encode())
        if hasattr(part, "to_bytes"):
            told.update(part.to_bytes(exclude=["vocab"]))
    return told.hexdigest()


def compare_pipelines(
    first: tuple[System, Evaluated], second: tuple[System, Evaluated], *, margin: float, seed: int = 0
) -> Comparison:
    """Compare what two pipelines made of the same documents. margin: F1 that the second may lose, 0..1."""
    one, other = first[1], second[1]
    labels = sorted({*one.scores.by_type, *other.scores.by_type})
    found = compare(
        *(count(((doc.gold, doc.predicted) for doc in some.docs), labels) for some in (one, other)), seed=seed
    )

    def compared(label: str) -> Compared:
        scores = [some.scores.by_type.get(label) if label else some.scores.micro for some in (one, other)]
        f1 = [score.f1 if score else 0.0 for score in scores]
        support = max(score.support if score else 0 for score in scores)
        return _compared(found[label], support, *f1)

    overall, by_type = compared(""), {label: compared(label) for label in labels}
    rows = [overall, *by_type.values()]
    changed = [change for pair in zip(one.docs, other.docs, strict=True) for change in changes(*pair)]
    is_same = first[0].sha256 == second[0].sha256
    return Comparison(
        first=first[0],
        second=second[0],
        n_passages=len(one.docs),
        overall=overall,
        by_type=by_type,
        changes=changed,
        margin=margin,
        same=SAME_PIPELINE if is_same else "" if changed else SAME_PREDICTIONS,
        is_passed=not is_same and not any(row.verdict == WORSE and row.difference < -margin for row in rows),
    )


def _compared(one: Difference, support: int, first: float, second: float) -> Compared:
    verdict = EQUAL if one.p_holm >= ALPHA else BETTER if one.value > 0 else WORSE
    low, high = (one.interval.low, one.interval.high) if one.interval else (None, None)
    return Compared(
        support=support,
        first=first,
        second=second,
        difference=one.value,
        low=low,
        high=high,
        p=one.p,
        p_holm=one.p_holm,
        verdict=verdict,
    )


def changes(first: EvaluatedDoc, second: EvaluatedDoc) -> list[Change]:
    """Where the two do not agree in one document, in the order of the text."""
    gold, before, after = set(first.gold), set(first.predicted), set(second.predicted)
    kinds = {
        FOUND: gold & after - before,
        LOST: gold & before - after,
        GONE: before - gold - after,
        NEW: after - gold - before,
    }
    found = []
    for start, end, label, kind in sorted((*one, kind) for kind, some in kinds.items() for one in some):
        offset, last = context(first.text, start, end)
        text = first.text[offset:last]
        found.append(
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
    return found
