"""The component `llm_fallback`. On failure, the pipeline's own answer stands, and it is counted."""

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import srsly
from spacy.tokens import Doc, Span
from spacy.util import minibatch

from domain_ner.annotations.passages import LabelledSpan
from domain_ner.errors import DomainNerError
from domain_ner.files import make_folder, write_text
from domain_ner.guide.schema import Guide
from domain_ner.llm_fallback.asking import Asker
from domain_ner.llm_fallback.joining import Place, Trust, confidences, join, select
from domain_ner.llm_fallback.settings import Fallback

RECOGNISER, MODEL, BOTH = "recogniser", "llm", "recogniser+llm"
STATE = "fallback.json"
NOTHING_ASKED: dict[str, Any] = {
    "texts": 0, "failed": {}, "calls": 0, "from_cache": 0, "tokens_in": 0, "tokens_out": 0, "cost": 0.0,
}  # fmt: skip

if not Span.has_extension("source"):
    Span.set_extension("source", default=None)


class LlmFallback:
    """Asks a language model for documents in which the recogniser is unsure, and sets `doc.ents` anew there.

    `ent._.confidence` is the probability given both, and `ent._.source` says who found the entity. Entities without a
    confidence, such as those of rules, stay. Does nothing unless it is enabled.

    guide: the annotation guide, which the model is prompted with; None until the pipeline is loaded.
    trust: by type, counted on dev by `fit`. n_changed: documents whose entities changed. n_outside: named spans whose
    edges are not those of tokens, which are left out.
    """

    def __init__(self, name: str, settings: Fallback, guide: Guide | None = None) -> None:
        settings.check(name)
        self.name, self.settings, self.guide = name, settings, guide
        self.trust: dict[str, Trust] = {}
        self.n_changed = self.n_outside = 0
        self._asker: Asker | None = None

    def __call__(self, doc: Doc) -> Doc:
        """Process a document."""
        return self._process([doc])[0]

    def pipe(self, stream: Iterable[Doc], *, batch_size: int = 128) -> Iterator[Doc]:
        """Process documents; those of a batch are asked at the same time."""
        for batch in minibatch(stream, batch_size):
            yield from self._process(batch)

    def needs_help(self, doc: Doc) -> bool:
        """Whether the language model is asked for a document."""
        settings = self.settings
        if settings.everywhere:
            return bool(doc.text.strip())
        return any(
            settings.low <= confidence <= settings.high and settings.is_asked_for(label)
            for (_, _, label), confidence in confidences(doc).items()
        )

    def ask(self, docs: Sequence[Doc]) -> list[list[Place] | None]:
        """Ask for documents: the spans of each, in tokens, of the types that are asked for; None without an answer."""
        if not docs:
            return []
        answers = self._open().ask([doc.text for doc in docs])
        return [None if found is None else self._places(doc, found) for doc, found in zip(docs, answers, strict=True)]

    def record(self) -> dict[str, Any]:
        """What was asked since the pipeline was loaded and what it took, without texts and keys."""
        return {
            **(self._asker.record() if self._asker else NOTHING_ASKED),
            "changed": self.n_changed,
            "outside": self.n_outside,
        }

    def _process(self, docs: list[Doc]) -> list[Doc]:
        for ent in (ent for doc in docs for ent in doc.ents):
            ent._.source = RECOGNISER
        unsure = [doc for doc in docs if self.needs_help(doc)] if self.settings.enabled else []
        for doc, named in zip(unsure, self.ask(unsure), strict=True):
            if named is not None:
                self.n_changed += self._rewrite(doc, named)
        return docs

    def _rewrite(self, doc: Doc, named: Sequence[Place]) -> bool:
        """Set the entities of a document anew; returns whether they changed."""
        before = {(ent.start, ent.end, ent.label_) for ent in doc.ents}
        fixed = [ent for ent in doc.ents if ent._.confidence is None]
        taken = {token.i for ent in fixed for token in ent}
        own = confidences(doc)
        asked = {place: prior for place, prior in own.items() if self.settings.is_asked_for(place[2])}
        # Entities of other types take part with their own confidence.
        likely = {place: own[place] for place in before if place in own and place not in asked}
        likely |= join(asked, named, self.trust)
        likely = {place: sure for place, sure in likely.items() if taken.isdisjoint(range(place[0], place[1]))}
        thresholds = {
            label: self.settings.threshold(label) if self.settings.is_asked_for(label) else 0.0
            for _, _, label in likely
        }
        chosen = select(likely, thresholds)
        spans = []
        for start, end, label in chosen:
            span = Span(doc, start, end, label=label)
            span._.confidence = likely[start, end, label]
            is_own, is_named = (start, end, label) in before, (start, end, label) in named
            span._.source = BOTH if is_own and is_named else MODEL if is_named else RECOGNISER
            spans.append(span)
        doc.set_ents([*fixed, *spans])
        return {(ent.start, ent.end, ent.label_) for ent in doc.ents} != before

    def _places(self, doc: Doc, found: Iterable[LabelledSpan]) -> list[Place]:
        places = []
        for one in found:
            if not self.settings.is_asked_for(one.label):
                continue
            span = doc.char_span(one.start, one.end)
            if span is None:
                self.n_outside += 1
            else:
                places.append((span.start, span.end, one.label))
        return places

    def required_guide(self) -> Guide:
        """The guide. Raises DomainNerError if there is none."""
        if self.guide is None:
            raise DomainNerError(f"{self.name} has no guide to prompt the model with.", "Add it with add-fallback.")
        return self.guide

    def _open(self) -> Asker:
        if self._asker is None:
            self._asker = Asker(self.settings.llm, self.required_guide())
        return self._asker

    def close(self) -> None:
        """End all calls."""
        if self._asker is not None:
            self._asker.close()

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_asker": None}

    def to_bytes(self, *, exclude: Iterable[str] = ()) -> bytes:
        """Serialise guide and trust; never a key or an answer."""
        state = {
            "guide": None if self.guide is None else self.guide.model_dump(mode="json"),
            "trust": {label: asdict(trust) for label, trust in self.trust.items()},
        }
        packed: bytes = srsly.msgpack_dumps(state)
        return packed

    def from_bytes(self, data: bytes, *, exclude: Iterable[str] = ()) -> "LlmFallback":
        """Load guide and trust."""
        state = srsly.msgpack_loads(data)
        self.guide = None if state["guide"] is None else Guide.model_validate(state["guide"])
        self.trust = {label: Trust(**rates) for label, rates in state["trust"].items()}
        return self

    def to_disk(self, path: Path, *, exclude: Iterable[str] = ()) -> None:
        """Write guide and trust into a folder."""
        state = srsly.msgpack_loads(self.to_bytes())
        make_folder(Path(path))
        write_text(Path(path) / STATE, json.dumps(state, ensure_ascii=False, indent=1) + "\n")

    def from_disk(self, path: Path, *, exclude: Iterable[str] = ()) -> "LlmFallback":
        """Load guide and trust from a folder."""
        state = json.loads((Path(path) / STATE).read_text(encoding="utf8"))
        return self.from_bytes(srsly.msgpack_dumps(state))
