"""What the parts of a published format have in common."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

Share = Annotated[float, Field(ge=0, le=1)]


class Part(BaseModel):
    """A part of a report: it does not change, and has no other fields than those that are named."""

    model_config = ConfigDict(frozen=True, extra="forbid")
