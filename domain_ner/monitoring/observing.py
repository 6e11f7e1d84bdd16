"""Counts what `monitor` compares, on documents that a pipeline has just predicted."""

from collections.abc import Callable, Sequence
from itertools import chain
from pathlib import Path
from typing import Any
from weakref import WeakKeyDictionary

import numpy as np
from spacy.attrs import ENT_IOB, ORTH
from spacy.language import Language
from spacy.lexeme import Lexeme
from spacy.tokens import Doc
from spacy.vocab import Vocab

from domain_ner.crf_ner.observing import EXPECTED_KEY, VECTOR_KEY
from domain_ner.crf_ner.pipe import CRFRecognizer
from domain_ner.monitoring.baseline import baseline_in, read_baseline
from domain_ner.monitoring.observations import Observation
from domain_ner.monitoring.vocabulary import Vocabulary

# Words whose numbers are remembered.
MAX_REMEMBERED = 200_000
# Values of `ENT_IOB`: inside, and at the beginning of an entity.
IN_ENTITY = (1, 3)
# Numbers of a word: 1 or 0.
FLAGS = ("words", "capitals", "non_ascii", "stop_words", "numbers", "punctuation", "spaces")

# Returns for each word the number of its wordpieces, and of those that the encoder cannot read.
CountPieces = Callable[[list[str]], Sequence[tuple[int, int]]]
# Predicted entities with their confidences, and spans below their threshold: label and confidence.
Scored = Sequence[tuple[str, float | None]]


class Observer:
    """Counts on documents of one pipeline, which it tells to note what only its recogniser knows.

    vocabulary: of the training text; without it, unseen words are not counted.
    """

    def __init__(self, nlp: Language, vocabulary: Vocabulary | None) -> None:
        self._vocabulary = vocabulary
        self._count_pieces = piece_counter(nlp)
        # Of each word that was met its row of the table, which has a number for each of `_names`. Most words of a text
        # were met before.
        self._rows: dict[int, int] = {}
        self._names = [*FLAGS, *["unseen"] * (vocabulary is not None)]
        self._names += ["pieces", "unknown_pieces"] if self._count_pieces else []
        self._table = np.zeros((1024, len(self._names)), dtype=np.int32)
        for _, pipe in nlp.pipeline:
            if isinstance(pipe, CRFRecognizer):
                pipe.is_observed = True

    def __call__(self, docs: Sequence[Doc], scored: Sequence[Scored], below: Sequence[Scored]) -> list[Observation]:
        """Return the numbers of each document. scored, below: of each document."""
        counted = self._count(docs)
        observations = []
        for doc, counts, entities, spans in zip(docs, counted, scored, below, strict=True):
            confidences: dict[str, list[float | None]] = {}
            for label, confidence in entities:
                confidences.setdefault(label, []).append(confidence)
            n_below: dict[str, int] = {}
            for label, _ in spans:
                n_below[label] = n_below.get(label, 0) + 1
            expected, vector = doc.user_data.get(EXPECTED_KEY), doc.user_data.get(VECTOR_KEY, ())
            observations.append(
                Observation(counts=counts, confidences=confidences, expected=expected, vector=vector, below=n_below)
            )
        return observations

    def _count(self, docs: Sequence[Doc]) -> list[dict[str, int]]:
        """Count the tokens of all documents together: a call for each would take longer than the counting."""
        arrays = [doc.to_array([ORTH, ENT_IOB]) for doc in docs if len(doc)]
        names = [*self._names, "entity_words", *["entity_unseen"] * (self._vocabulary is not None)]
        totals = np.zeros((len(docs), len(names)), dtype=np.int64)
        if arrays:
            tokens = np.concatenate(arrays)
            distinct, numbers = np.unique(tokens[:, 0], return_inverse=True)
            keys = distinct.tolist()
            self._learn(keys, docs[0].vocab)
            rows = np.fromiter(map(self._rows.__getitem__, keys), dtype=np.int64, count=len(keys))
            counted = self._table[rows[numbers]]
            in_entity = np.isin(tokens[:, 1], IN_ENTITY)[:, None]
            of_names = [self._names.index(name.replace("entity_", "")) for name in names[len(self._names) :]]
            sums = np.zeros((len(tokens) + 1, len(names)), dtype=np.int64)
            np.cumsum(np.hstack([counted, counted[:, of_names] * in_entity]), axis=0, out=sums[1:])
            edges = np.cumsum([0, *map(len, docs)])
            totals = sums[edges[1:]] - sums[edges[:-1]]
        return [
            {"characters": len(doc.text), "tokens": len(doc), **dict(zip(names, row, strict=True))}
            for doc, row in zip(docs, totals.tolist(), strict=True)
        ]

    def _learn(self, keys: list[int], vocab: Vocab) -> None:
        """Count the parts of words that are new."""
        if len(self._rows) + len(keys) > MAX_REMEMBERED:
            self._rows = {}
        lexemes = [vocab[key] for key in keys if key not in self._rows]
        if not lexemes:
            return
        flags = [_flags(lexeme) for lexeme in lexemes]
        parts: list[Sequence[Sequence[int]]] = [flags]
        if self._vocabulary is not None:
            known = self._vocabulary.knows(np.array([lexeme.lower for lexeme in lexemes], dtype=np.uint64)).tolist()
            parts.append([(int(row[0] and not is_known),) for row, is_known in zip(flags, known, strict=True)])
        if self._count_pieces is not None:
            counted = self._count_pieces([lexeme.text for lexeme in lexemes])
            parts.append([pieces if row[0] else (0, 0) for row, pieces in zip(flags, counted, strict=True)])
        first, n_rows = len(self._rows), len(self._rows) + len(lexemes)
        while n_rows > len(self._table):
            self._table = np.concatenate([self._table, np.zeros_like(self._table)])
        self._table[first:n_rows] = [tuple(chain.from_iterable(numbers)) for numbers in zip(*parts, strict=True)]
        self._rows.update((lexeme.orth, first + n) for n, lexeme in enumerate(lexemes))


def _flags(lexeme: Lexeme) -> tuple[int, ...]:
    """A number for each of `FLAGS`."""
    is_word = not (lexeme.is_space or lexeme.is_punct or lexeme.like_num)
    return (
        int(is_word),
        int(is_word and (lexeme.is_title or lexeme.is_upper)),
        int(not lexeme.is_ascii),
        int(is_word and lexeme.is_stop),
        int(lexeme.like_num),
        int(lexeme.is_punct),
        int(lexeme.is_space),
    )


_OBSERVERS: "WeakKeyDictionary[Language, Observer]" = WeakKeyDictionary()


def observer_of(nlp: Language, baseline: str = "") -> Observer:
    """The observer of a pipeline, made once. baseline: a file, for a pipeline whose folder has none; empty: none.

    Raises DomainNerError when the baseline cannot be read.
    """
    if nlp not in _OBSERVERS:
        found = baseline_in(Path(str(nlp.path))) if nlp.path else None
        found = found or (read_baseline(Path(baseline)) if baseline else None)
        sketch = found.vocabulary if found else None
        _OBSERVERS[nlp] = Observer(nlp, Vocabulary.from_sketch(sketch) if sketch else None)
    return _OBSERVERS[nlp]


def piece_counter(nlp: Language) -> CountPieces | None:
    """Return what counts the wordpieces of words as the pipeline's encoder cuts them; None if it has none."""
    for _, pipe in nlp.pipeline:
        model: Any = getattr(pipe, "model", None)
        nodes = model.walk() if hasattr(model, "walk") else ()
        for node in nodes:
            encoder = node.shims[0]._model if node.name == "onnx_encoder" else None
            if encoder is not None:
                return _OnnxPieces(encoder)
        tokenizer = getattr(model, "tokenizer", None)
        if tokenizer is not None and getattr(tokenizer, "is_fast", False):
            return lambda words: _count_with(tokenizer, words)
    return None


class _OnnxPieces:
    """Counts with the tokenizer of this process, which may have been forked."""

    def __init__(self, encoder: Any) -> None:
        self._encoder = encoder

    def __call__(self, words: list[str]) -> list[tuple[int, int]]:
        counted: list[tuple[int, int]] = self._encoder.tokenizer.count(words)
        return counted


def _count_with(tokenizer: Any, words: list[str]) -> list[tuple[int, int]]:
    """With a fast tokenizer of transformers."""
    ids = tokenizer(words, add_special_tokens=False, verbose=False)["input_ids"]
    unknown = tokenizer.unk_token_id
    return [(len(pieces), pieces.count(unknown)) for pieces in ids]
