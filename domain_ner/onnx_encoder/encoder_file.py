"""What an exported encoder consists of: the ONNX model, the tokenizer, and what to know of both."""

from dataclasses import asdict, dataclass
from typing import Any

import srsly

from domain_ner.errors import DomainNerError

FLOAT32, INT8 = "float32", "int8"
# What an encoder can run in, beside PyTorch: its precision by name.
RUNTIMES = {"onnx": FLOAT32, "onnx-int8": INT8}


@dataclass(frozen=True)
class EncoderFacts:
    """name: of the pretrained encoder. model_type: as transformers names it. precision: float32 or int8.

    width: of its vectors. max_length: wordpieces it takes at most, special ones included. pad: the id of the padding.
    before, after: ids of the special wordpieces around a text. opset: of ONNX; onnxruntime, torch: the versions that
    exported it.
    """

    name: str
    model_type: str
    precision: str
    width: int
    max_length: int
    pad: int
    before: list[int]
    after: list[int]
    opset: int
    onnxruntime: str
    torch: str


@dataclass(frozen=True)
class EncoderFile:
    """An exported encoder. onnx: the model, one file. tokenizer: the content of its tokenizer.json."""

    onnx: bytes
    tokenizer: str
    facts: EncoderFacts

    def to_bytes(self) -> bytes:
        """Serialise it."""
        message = {"onnx": self.onnx, "tokenizer": self.tokenizer, "facts": asdict(self.facts)}
        packed: bytes = srsly.msgpack_dumps(message)
        return packed

    @classmethod
    def from_bytes(cls, packed: bytes) -> "EncoderFile":
        """Read the bytes of `to_bytes`. Raises DomainNerError when they are something else."""
        try:
            message: dict[str, Any] = srsly.msgpack_loads(packed)
            return cls(message["onnx"], message["tokenizer"], EncoderFacts(**message["facts"]))
        except (ValueError, KeyError, TypeError) as err:
            raise DomainNerError(
                f"The encoder in this pipeline cannot be read: {err}.",
                "Install the domain-ner that the pipeline asks for, or make it again with `domain-ner optimize`.",
            ) from err
