"""Defines the base class of the parts of a published format."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

Share = Annotated[float, Field(ge=0, le=1)]


class Part(BaseModel):
    """A part of a report: immutable, without extra fields."""

    model_config = ConfigDict(frozen=True, extra="forbid")
