"""Extracts the entities of a passage with a language model: asks, grounds, sends back once what could not be grounded.

Knows no spaCy, and nothing of drafts: a pipeline can call it for the passages that it is unsure of.
"""

import hashlib
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from domain_ner.annotations.passages import LabelledSpan
from domain_ner.guide.legality import SpanRules, apart
from domain_ner.guide.schema import Guide
from domain_ner.llm.answers import Named, read_entities
from domain_ner.llm.cache import key_of
from domain_ner.llm.failures import CONTEXT, CUT_OFF, NO_LIST, TOO_LONG, CallFailedError
from domain_ner.llm.grounding import Grounded, ground
from domain_ner.llm.prompting import Prompt
from domain_ner.llm.questions import CORRECTION_BYTES, Chat, Messages, Question, bytes_of

# A correction that failed leaves what was grounded as it is.
NOT_CORRECTED = "correction failed"
EMPTY = Grounded((), (), ())


@dataclass(frozen=True)
class Sampling:
    """How a passage is asked.

    n_samples: answers for each passage, whose agreement is the score. temperature: of the model. max_tokens: of an
    answer. max_chars: of a passage that is sent at all. corrects: whether what could not be grounded is sent back once.
    """

    n_samples: int = 1
    temperature: float = 0.0
    max_tokens: int = 1024
    max_chars: int = 20_000
    corrects: bool = True


@dataclass(frozen=True)
class Extraction:
    """What a model found in a text. scores: of each span, 0..1: the share of the samples that have it; not calibrated.

    rejected: answers that could not be grounded in the end, by reason. failed: why there is no answer at all; empty if
    there is one. problems: samples and corrections that failed, by reason.
    """

    scores: dict[LabelledSpan, float] = field(default_factory=dict)
    rejected: Counter[str] = field(default_factory=Counter)
    failed: str = ""
    problems: Counter[str] = field(default_factory=Counter)

    @property
    def spans(self) -> tuple[LabelledSpan, ...]:
        """The spans, sorted."""
        return tuple(sorted(self.scores))


class Extractor:
    """Extracts entities by one guide and one model. Calls may come from several threads.

    chat: the client, or the dry run. model: its name, for the cache.
    """

    def __init__(self, chat: Chat, guide: Guide, model: str, sampling: Sampling | None = None) -> None:
        self._chat, self._model, self._sampling = chat, model, sampling or Sampling()
        self._prompt, self._rules = Prompt(guide), SpanRules.of(guide)
        # What a correction adds to its question at most, so that a dry run can tell the most tokens.
        self._most_bytes = CORRECTION_BYTES * self._sampling.max_tokens

    def extract(self, text: str) -> Extraction:
        """Find the entities of a text.

        Never raises for this text's own sake: `failed` says why there is nothing. Raises DomainNerError when no text
        would get an answer, and StoppedError when the run ends.
        """
        if not text.strip():
            return Extraction()
        if len(text) > self._sampling.max_chars:
            return Extraction(failed=TOO_LONG)
        done: list[Grounded] = []
        problems: Counter[str] = Counter()
        failed = ""
        for number in range(self._sampling.n_samples):
            try:
                done.append(self._sample(text, number, problems))
            except CallFailedError as err:
                failed = failed or err.reason
                problems[err.reason] += 1
        if not done:
            return Extraction(failed=failed, problems=problems)
        votes = Counter(span for grounded in done for span in grounded.spans)
        rejected = sum((grounded.reasons for grounded in done), Counter[str]())
        spans = apart(votes, self._rules, lambda span: votes[span])
        return Extraction({span: votes[span] / len(done) for span in spans}, rejected, "", problems)

    def _sample(self, text: str, number: int, problems: Counter[str]) -> Grounded:
        content, named = self._ask(text, number, self._prompt.messages(text))
        grounded = EMPTY if named is None else ground(text, named, self._rules)
        if (named is None or grounded.rejected) and self._sampling.corrects:
            try:
                return self._corrected(text, number, content, grounded, is_list=named is not None)
            except CallFailedError:
                problems[NOT_CORRECTED] += 1
        if named is None:
            raise CallFailedError(NO_LIST)
        return grounded

    def _corrected(self, text: str, number: int, content: str, first: Grounded, *, is_list: bool) -> Grounded:
        """Ask for what was rejected once more, in the same conversation, and ground it beside what was accepted."""
        faults = [(rejected.named, rejected.message) for rejected in first.rejected]
        messages = self._prompt.correction(text, content, faults)
        if sum(bytes_of(part) for message in messages[2:] for part in message.values()) > self._most_bytes:
            raise CallFailedError(CONTEXT)
        _, named = self._ask(text, number, messages)
        if named is None:
            raise CallFailedError(NO_LIST)
        again = {entity.text.strip() for entity in named}
        kept = [entity for entity in first.accepted if entity.text.strip() not in again]
        return ground(text, [*kept, *named], self._rules)

    def _ask(self, text: str, number: int, messages: Messages) -> tuple[str, list[Named] | None]:
        sampling = self._sampling
        question = Question(messages, sampling.max_tokens, sampling.temperature, self._prompt.schema)
        key = key_of(_sha256(text), self._prompt.digest, self._model, self._parameters(number), _turns(messages))
        answer = self._chat.ask(key, question)
        if answer.is_cut_off:
            raise CallFailedError(CUT_OFF)
        return answer.content, read_entities(answer.content)

    def _parameters(self, number: int) -> dict[str, Any]:
        return {"temperature": self._sampling.temperature, "max_tokens": self._sampling.max_tokens, "sample": number}


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode("utf8", "surrogatepass")).hexdigest()


def _turns(messages: Messages) -> Sequence[str]:
    """Digests of the turns after the passage: the conversation of a correction."""
    return [_sha256(message["content"]) for message in messages[2:]]
