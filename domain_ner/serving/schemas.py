"""The requests and answers of the API, as its OpenAPI document describes them."""

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

CODE_POINTS, UTF16 = "code_points", "utf16"


def _whole(text: str) -> str:
    try:
        text.encode()
    except UnicodeEncodeError as err:
        raise ValueError(f"a lone surrogate at {err.start}; expected text") from None
    return text


# A JSON string may hold half a character, which no answer could hold.
Text = Annotated[str, AfterValidator(_whole)]
EXAMPLE = "The checkout-api lost its connection to Redis after the deploy."


class ExtractRequest(BaseModel):
    """Texts, and what to answer of them."""

    model_config = ConfigDict(
        extra="forbid",
        allow_inf_nan=False,
        json_schema_extra={
            "examples": [{"text": EXAMPLE}, {"texts": [EXAMPLE, "All is well."], "min_confidence": 0.9}],
            "oneOf": [{"required": ["text"]}, {"required": ["texts"]}],
        },
    )

    text: Text | None = Field(None, description="One text. Give this or `texts`.")
    texts: list[Text] | None = Field(None, description="Several texts.")
    labels: list[Text] | None = Field(None, description="Only entities with these labels.")
    min_confidence: float | None = Field(None, ge=0, le=1, description="Only entities with at least this confidence.")
    below_threshold: bool = Field(False, description="Also answer the spans below their label's threshold.")
    offsets: Literal["code_points", "utf16"] = Field(
        "code_points",
        description="What `start` and `end` count: code points, as Python; or UTF-16 units, as JavaScript.",
    )

    @model_validator(mode="after")
    def _one_of_both(self) -> "ExtractRequest":
        if (self.text is None) == (self.texts is None):
            raise ValueError("give `text` or `texts`")
        return self

    def all_texts(self) -> list[str]:
        """The texts, in order."""
        return [self.text] if self.text is not None else list(self.texts or ())


class PredictRequest(BaseModel):
    """What Label Studio asks: tasks, and the labelling config of their project."""

    model_config = ConfigDict(extra="allow")

    tasks: list[Any]
    label_config: Text


class EntityAnswer(BaseModel):
    """An entity. start, end: its place in the text."""

    start: int
    end: int
    text: str
    label: str
    confidence: float | None = Field(description="Calibrated probability, 0 to 1; null if the pipeline gives none.")


class DocumentAnswer(BaseModel):
    """What a text holds. error: only if a component failed on this text."""

    entities: list[EntityAnswer]
    below_threshold: list[EntityAnswer] | None = None
    error: str | None = None


class ExtractAnswer(BaseModel):
    """The texts' entities, in the order of the texts. pipeline: its name, version and the beginning of its hash."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "pipeline": "en_domain_ner 1.0.0 3f2a9c1b7d40",
                    "documents": [
                        {
                            "entities": [
                                {
                                    "start": 4,
                                    "end": 16,
                                    "text": "checkout-api",
                                    "label": "SERVICE",
                                    "confidence": 0.9713,
                                }
                            ]
                        }
                    ],
                }
            ]
        }
    )

    pipeline: str
    documents: list[DocumentAnswer]


class LabelAnswer(BaseModel):
    """A label. threshold: entities below it are not reported. precision, recall, f1: as measured; null if unknown."""

    label: str
    threshold: float
    precision: float | None = None
    recall: float | None = None
    f1: float | None = None


class ShadowAnswer(BaseModel):
    """A second pipeline that gets the same texts. state: loading, running or failed. share: of the texts, 0 to 1."""

    pipeline: str
    state: str
    share: float


class ModelAnswer(BaseModel):
    """The pipeline. limits: of a request. shadow: only if there is one."""

    name: str
    version: str
    sha256: str
    domain_ner: str
    lang: str
    labels: list[LabelAnswer]
    precision: float | None = None
    recall: float | None = None
    f1: float | None = None
    limits: dict[str, int]
    shadow: ShadowAnswer | None = None


class StatusAnswer(BaseModel):
    """How the service is."""

    status: str


class ErrorAnswer(BaseModel):
    """Why there is no answer. where: places in the request that are wrong."""

    error: str
    where: list[str] | None = None
