"""A question to a model, and what answers it."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from domain_ner.llm.answers import Answer
from domain_ner.llm.budget import Tokens

Messages = Sequence[Mapping[str, str]]
# What a server's chat template may add to the messages, in tokens; the budget learns if it is more.
TEMPLATE_TOKENS = 200
# Bytes of UTF-8 in a token, about, for estimates: 4 in English, fewer in other languages.
BYTES_PER_TOKEN = 4
# Bytes for each token of an answer that its correction adds at most: the answer, and what is wrong with each entity.
CORRECTION_BYTES = 12


def bytes_of(text: str) -> int:
    """Bytes of a text in UTF-8."""
    return len(text.encode("utf8", "surrogatepass"))


@dataclass(frozen=True)
class Question:
    """A chat. messages: `role` and `content` of each. max_tokens: of the answer. schema: of the JSON that is wanted."""

    messages: Messages
    max_tokens: int
    temperature: float = 0.0
    schema: Mapping[str, Any] | None = None

    @property
    def n_bytes(self) -> int:
        """Bytes of the messages and the schema."""
        schema = json.dumps(self.schema, ensure_ascii=False)
        return sum(map(bytes_of, [schema, *(part for message in self.messages for part in message.values())]))

    @property
    def worst(self) -> Tokens:
        """The most tokens of a call: a tokenizer makes no more tokens than there are bytes."""
        return Tokens(self.n_bytes + TEMPLATE_TOKENS, self.max_tokens)


class Chat(Protocol):
    """What answers questions: the client, or the dry run."""

    def ask(self, key: str, question: Question) -> Answer:
        """Answer a question. key: of the cache. Raises CallFailedError when this question has no answer."""
