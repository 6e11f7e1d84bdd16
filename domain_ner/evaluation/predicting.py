"""Scores a pipeline on gold documents, and judges which types are good enough for production."""

import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import spacy
from spacy.language import Language
from spacy.tokens import Doc, DocBin
from spacy.training import Example
from spacy.vocab import Vocab

from domain_ner.annotations.doc_keys import META_KEY, SOURCE_KEY
from domain_ner.annotations.outcomes import DROPPED, KEPT, MASKED
from domain_ner.corpus.damage import require_whole
from domain_ner.corpus.docs import entities, rejected, span_scores, spans_or_entities, unknown_tokens
from domain_ner.corpus.registries import factories_of, find_codecs_once
from domain_ner.crf_ner.pipe import BELOW_KEY
from domain_ner.errors import DomainNerError
from domain_ner.metrics.calibration import ScoredSpan, calibration_error, chance_error, reliability
from domain_ner.metrics.scores import Entity, Score, Scores, reaches, score_entities

TARGET_F1 = 0.85
FLOOR_F1 = 0.80
# Fates of annotations that an annotator intended and nobody contradicted.
INTENDED = {*KEPT, DROPPED, MASKED}

# Shows progress: takes a name and the number of documents; yields a function to call after each.
Watched = Callable[[str, int], AbstractContextManager[Callable[[], None]]]


def load_pipeline(model: Path | str, *, all_factories: bool = False) -> Language:
    """Load the trained pipeline of a folder or an installed package. Raises DomainNerError if missing or damaged.

    all_factories: import those of all installed packages, for components that are added later, as `spacy.load` does.
    """
    if str(model).endswith(".whl"):
        raise DomainNerError(
            f"{model} is a wheel; expected a folder or an installed package.", "Install it with pip, and give its name."
        )
    try:
        with nullcontext() if all_factories else factories_of(model):
            return spacy.load(model)
    except OSError as err:
        raise DomainNerError(f"Cannot load a pipeline from {model}: {err}", "Run train first.") from err
    except Exception as err:  # a truncated file can raise anything
        raise DomainNerError(
            f"Cannot load the pipeline in {model}: {type(err).__name__}: {err}",
            "A file in it is damaged, or a package that it needs is missing. Create it again.",
        ) from err


def read_docs(path: Path, vocab: Vocab) -> list[Doc]:
    """Read the documents of a DocBin file. Raises DomainNerError if it is missing, not a DocBin, or empty."""
    require_whole(path)
    find_codecs_once()
    try:
        docs = list(DocBin().from_disk(path).get_docs(vocab))
    except (OSError, ValueError) as err:
        raise DomainNerError(f"Cannot read the corpus {path}: {err}.", "Run convert first.") from err
    if not docs:
        raise DomainNerError(f"The corpus {path} holds no documents.", "Add annotations and run convert again.")
    return docs


@dataclass(frozen=True)
class EvaluatedDoc:
    """The gold and predicted entities of one text; offsets are in characters.

    source: `file:line` of the export. meta: of the passage. tokens: start and end of each token of the pipeline.
    predicted: without entities on tokens that are unknown in gold, which cannot be judged, unless they were rejected.
    confidences: of predicted entities that have one, 0..1. cuts: tokens at which the encoder's next window begins.
    """

    source: str
    text: str
    meta: Mapping[str, Any]
    tokens: tuple[tuple[int, int], ...]
    gold: tuple[Entity, ...]
    predicted: tuple[Entity, ...]
    confidences: Mapping[Entity, float]
    cuts: tuple[int, ...] = ()


@dataclass(frozen=True)
class Evaluated:
    """scores: of the reported entities. judged: every prediction with a confidence, also suppressed ones.

    docs: in the order of gold.
    """

    scores: Scores
    judged: list[ScoredSpan]
    docs: list[EvaluatedDoc]


def nests(nlp: Language) -> bool:
    """Whether the entities of a pipeline may nest: they are then `doc.spans["sc"]`, not `doc.ents`."""
    return "spancat" in nlp.pipe_names


def evaluate_pipeline(
    nlp: Language, gold: Sequence[Doc], *, can_nest: bool | None = None, on_doc: Callable[[], None] = lambda: None
) -> Evaluated:
    """Predict on the texts of the gold documents and score the entities, matched by characters and label.

    can_nest: score on the gold entities that may nest; None: if those of the pipeline may. on_doc: called after each
    document, to show progress.
    """
    docs, judged = list[EvaluatedDoc](), list[ScoredSpan]()
    can_nest = nests(nlp) if can_nest is None else can_nest
    encoder: Any = nlp.get_pipe("transformer") if "transformer" in nlp.pipe_names else None
    cuts = getattr(encoder.model, "cuts", None) if encoder else None
    for gold_doc, predicted in zip(gold, nlp.pipe(input_doc(nlp, doc) for doc in gold), strict=True):
        evaluated = evaluate_doc(gold_doc, predicted, can_nest=can_nest)
        source = evaluated.source or f"passage {len(docs) + 1}"
        docs.append(replace(evaluated, source=source, cuts=tuple(cuts(predicted)) if cuts else ()))
        judged += _judge(gold_doc, predicted)
        on_doc()
    return Evaluated(score_entities((doc.gold, doc.predicted) for doc in docs), judged, docs)


def evaluate_doc(gold: Doc, predicted: Doc, *, can_nest: bool = False) -> EvaluatedDoc:
    """Compare gold and prediction on one text. can_nest: the entities are `doc.spans["sc"]`, if there are any."""
    read = spans_or_entities if can_nest else entities
    return EvaluatedDoc(
        source=str(gold.user_data.get(SOURCE_KEY, "")),
        text=gold.text,
        meta=gold.user_data.get(META_KEY) or {},
        tokens=tuple((token.idx, token.idx + len(token)) for token in predicted),
        gold=tuple(sorted(read(gold))),
        predicted=without_unknown(gold, read(predicted)),
        confidences=_confidences(predicted),
    )


def without_unknown(gold: Doc, predicted: Iterable[Entity]) -> tuple[Entity, ...]:
    """Leave out predicted entities on tokens that are unknown in gold, unless they were rejected there; sorted."""
    unknown, wrong = _unknown(gold), rejected(gold)
    return tuple(sorted(span for span in predicted if span in wrong or not _overlaps(span, unknown)))


def _confidences(predicted: Doc) -> dict[Entity, float]:
    """Return the confidences of entities, and of the spans of a `spancat`, which has a score for each."""
    scored = [(ent, ent._.confidence) for ent in predicted.ents]
    scored += span_scores(predicted)
    return {(span.start_char, span.end_char, span.label_): score for span, score in scored if score is not None}


def _unknown(gold: Doc) -> list[tuple[int, int]]:
    """Return start and end of the tokens that are unknown in gold."""
    return [(token.idx, token.idx + len(token)) for token in unknown_tokens(gold)]


def _overlaps(entity: Entity, stretches: Sequence[tuple[int, int]]) -> bool:
    return any(start < entity[1] and entity[0] < end for start, end in stretches)


@contextmanager
def uncalibrated(nlp: Language) -> Iterator[None]:
    """Make the recogniser return uncalibrated confidences in this context."""
    pipe: Any = nlp.get_pipe("crf_ner")
    settings = pipe.settings
    pipe.settings = replace(settings, temperature=1.0, type_temperatures={})
    try:
        yield
    finally:
        pipe.settings = settings


def minimum_confidences(nlp: Language) -> dict[str, float]:
    """Return the minimum confidence of reported entities by type, without types that have none."""
    pipe: Any = nlp.get_pipe("crf_ner")
    thresholds = {label: pipe.settings.threshold(label) for label in pipe.labels}
    return {label: threshold for label, threshold in thresholds.items() if threshold}


def compare_calibration(before: Sequence[ScoredSpan], after: Sequence[ScoredSpan]) -> dict[str, Any]:
    """Compute calibration errors and reliability bins before and after calibration, overall and by type, in 0..1.

    ece_by_chance: the error that perfectly calibrated confidences would show on as few predictions.
    """

    def errors_of(label: str) -> dict[str, Any]:
        of_label: dict[str, Any] = {}
        for name, judged in (("before", before), ("after", after)):
            chosen = [span for span in judged if label in ("", span.label)]
            errors = {"ece": calibration_error(chosen), "ece_by_chance": chance_error(chosen)}
            of_label[name] = errors | {"bins": [asdict(part) for part in reliability(chosen)]}
        return of_label

    return errors_of("") | {"by_type": {label: errors_of(label) for label in sorted({span.label for span in after})}}


def _judge(gold: Doc, predicted: Doc) -> Iterator[ScoredSpan]:
    known, unknown, wrong = entities(gold), _unknown(gold), rejected(gold)
    scored = [(ent, ent._.confidence) for ent in predicted.ents]
    if BELOW_KEY in predicted.spans:  # scores of the group: a span with the edges of an entity shares its attributes
        group = predicted.spans[BELOW_KEY]
        scored += zip(group, group.attrs["scores"], strict=True)
    for span, confidence in scored:
        entity = (span.start_char, span.end_char, span.label_)
        if confidence is not None and (entity in wrong or not _overlaps(entity, unknown)):
            yield ScoredSpan(span.label_, confidence, entity in known)


def read_ledger(path: Path) -> list[dict[str, Any]]:
    """Read the rows of `ledger.jsonl`, written by convert. Raises DomainNerError when it cannot be read."""
    try:
        return [json.loads(line) for line in path.read_text(encoding="utf8").split("\n") if line]
    except (OSError, ValueError) as err:
        raise DomainNerError(f"Cannot read the ledger {path}: {err}.", "Run convert first.") from err


def count_outcomes(rows: Iterable[Mapping[str, Any]], gold: Sequence[Doc]) -> dict[str, int]:
    """Count the outcomes of the annotations that the exports hold for these documents. rows: of `read_ledger`."""
    sources = {doc.user_data.get(SOURCE_KEY) for doc in gold}
    return dict(Counter(row["fate"] for row in rows if row["source"] in sources and "fate" in row))


def count_intended(outcomes: Mapping[str, int]) -> int:
    """Count the annotations that people intended, including flattened, masked and lost ones.

    outcomes: from `count_outcomes`.
    """
    return sum(n for outcome, n in outcomes.items() if outcome in INTENDED)


def input_doc(nlp: Language, gold: Doc) -> Doc:
    """Return the text to predict on; or, as in training, the gold tokens if their spacing is unknown."""
    if gold.has_unknown_spaces:
        return Doc(nlp.vocab, words=[token.text for token in gold])
    return nlp.make_doc(gold.text)


def make_example(nlp: Language, gold: Doc) -> Example:
    """Pair the text to predict on with its gold document, which may be of another vocabulary.

    The labels of the gold document join the pipeline's strings: spaCy aligns no span whose label is not there (E084),
    such as that of a type that the pipeline's training data lacked.
    """
    for spans in (gold.ents, *gold.spans.values()):
        for span in spans:
            nlp.vocab.strings.add(span.label_)
    return Example(input_doc(nlp, gold), gold)


def verdict(score: Score) -> str:
    """Compare with the production target: `target` (F1 of at least 0.85), `floor` (0.80), `below`, or `no gold`."""
    if not score.support:
        return "no gold"
    if reaches(score.f1, TARGET_F1):
        return "target"
    return "floor" if reaches(score.f1, FLOOR_F1) else "below"


def to_metrics(scores: Scores) -> dict[str, Any]:
    """Convert the scores to the shape of `training/metrics.json`; figures in 0..1."""
    return {
        "micro": _score_values(scores.micro),
        "macro": {"precision": scores.macro_precision, "recall": scores.macro_recall, "f1": scores.macro_f1},
        "by_type": {
            label: _score_values(score) | {"verdict": verdict(score)} for label, score in scores.by_type.items()
        },
        "target_f1": TARGET_F1,
        "floor_f1": FLOOR_F1,
    }


def _score_values(score: Score) -> dict[str, float]:
    return {"precision": score.precision, "recall": score.recall, "f1": score.f1, "support": score.support}
