"""Measures what an exported model finds beside its pipeline: by each aggregation strategy, and why it differs."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import numpy as np
import transformers
from spacy.tokens import Doc
from thinc.types import Floats2d

from domain_ner.annotations.tag_schemes import TagScheme, decode_tags
from domain_ner.crf_ner.pipe import CRFRecognizer
from domain_ner.crf_ner.probing import score
from domain_ner.evaluation.predicting import EvaluatedDoc, evaluate_pipeline, input_doc, without_unknown
from domain_ner.huggingface.exporting import Parts, Watched
from domain_ner.huggingface.parity_schema import ARGMAX, NO_LEXICAL, PIPELINE, Parity, ParityRow, ParityScore
from domain_ner.huggingface.strategies import STRATEGIES, load_tagger, predict_all
from domain_ner.huggingface.targets import iob2_labels, label_probabilities
from domain_ner.metrics.scores import Entity, Score, score_entities

IOB2 = TagScheme("IOB2", "prefix")
Predictions = list[tuple[Entity, ...]]


@dataclass(frozen=True)
class Exported:
    """An exported model. folder: its files. name: of the pipeline. stride: for text longer than the window.

    epochs, divergence: as in `Parity`.
    """

    folder: Path
    name: str
    stride: int
    epochs: int
    divergence: float


def measure_parity(  # noqa: PLR0913
    parts: Parts, exported: Exported, gold: Sequence[Doc], test: str, *, gpu: int, watched: Watched
) -> Parity:
    """Score the pipeline and the exported model on gold documents. test: their name. gpu: its number, or -1."""
    with watched("the pipeline", len(gold)) as on_doc:
        evaluated = evaluate_pipeline(parts.nlp, gold, can_nest=False, on_doc=on_doc)
    docs = [input_doc(parts.nlp, doc) for doc in gold]
    predicted = {PIPELINE: [doc.predicted for doc in evaluated.docs]}
    scores = list(score(parts.nlp, parts.recogniser, [_copy(doc) for doc in docs]))
    without = {ARGMAX: _argmax(parts.recogniser, docs, scores), NO_LEXICAL: _no_lexical(parts.recogniser, docs, scores)}
    for name, entities in without.items():
        if entities is not None:
            predicted[name] = [without_unknown(*pair) for pair in zip(gold, entities, strict=True)]
    tagger = load_tagger(exported.folder, gpu=gpu)
    predicted |= {name: [] for name in STRATEGIES}
    with watched("the exported model", len(docs)) as on_doc:
        texts = (doc.text for doc in docs)
        for doc, found in zip(gold, predict_all(tagger, texts, stride=exported.stride, on_text=on_doc), strict=True):
            for name in STRATEGIES:
                predicted[name].append(without_unknown(doc, found[name]))
    return Parity(
        pipeline=exported.name,
        test=test,
        date=date.today().isoformat(),
        n_passages=len(gold),
        n_long=sum(parts.transformer.count_windows([doc]) > 1 for doc in docs),
        window=parts.window,
        stride=exported.stride,
        epochs=exported.epochs,
        divergence=exported.divergence,
        has_words=bool(getattr(tagger.tokenizer.backend_tokenizer.model, "continuing_subword_prefix", None)),
        transformers=transformers.__version__,
        rows=_rows(evaluated.docs, predicted),
    )


def _rows(docs: Sequence[EvaluatedDoc], predicted: dict[str, Predictions]) -> list[ParityRow]:
    rows = []
    base = score_entities((doc.gold, doc.predicted) for doc in docs).micro.f1
    for name, entities in predicted.items():
        scores = score_entities((doc.gold, found) for doc, found in zip(docs, entities, strict=True))
        agreement = score_entities(zip(predicted[PIPELINE], entities, strict=True)).micro.f1
        rows.append(
            ParityRow(
                name=name,
                micro=_score(scores.micro),
                by_type={label: _score(of_type) for label, of_type in scores.by_type.items()},
                difference=scores.micro.f1 - base,
                agreement=agreement,
                n_predicted=scores.micro.n_predicted,
            )
        )
    return rows


def _score(score: Score) -> ParityScore:
    return ParityScore(precision=score.precision, recall=score.recall, f1=score.f1, support=score.support)


def _argmax(pipe: CRFRecognizer, docs: Sequence[Doc], scores: Sequence[Floats2d]) -> list[list[Entity]]:
    """List the entities if each token has its most probable label, without a path that joins them."""
    labels, found = iob2_labels(pipe.labels), []
    for doc, probs in zip(docs, label_probabilities(pipe, scores), strict=True):
        tags = [labels[n] for n in probs.argmax(axis=1)] if len(doc) else []
        found.append([_entity(doc, span.start, span.end, span.label) for span in decode_tags(tags, IOB2)])
    return found


def _no_lexical(pipe: CRFRecognizer, docs: Sequence[Doc], scores: Sequence[Floats2d]) -> list[list[Entity]] | None:
    """List the pipeline's entities if every token had the mean of the lexical features; None without such features."""
    listener = next((node for node in pipe.model.walk() if node.name == "lexical_listener"), None)
    if listener is None:
        return None
    features: list[Floats2d] = listener.layers[1].predict(docs)
    filled = [array for array in features if len(array)]
    mean = np.concatenate(filled).mean(axis=0)
    weights = pipe.model.get_param("W")[:, -len(mean) :]
    reduced = [
        of_doc - (array - mean) @ weights.T if len(array) else of_doc
        for of_doc, array in zip(scores, features, strict=True)
    ]
    return [
        [_entity(doc, span.start, span.end, pipe.labels[span.label]) for span in pipe.choose(decoded)]
        for doc, decoded in zip(docs, pipe.decode(reduced), strict=True)
    ]


def _entity(doc: Doc, start: int, end: int, label: str) -> Entity:
    span = doc[start:end]
    return span.start_char, span.end_char, label


def _copy(doc: Doc) -> Doc:
    """An unprocessed document with the same tokens."""
    return Doc(doc.vocab, words=[token.text for token in doc], spaces=[bool(token.whitespace_) for token in doc])
