"""Why a call to a model failed, in a closed set of words: neither a text nor a key gets into a message or a record."""

from dataclasses import dataclass

TIMEOUT = "no answer in time"
UNREACHABLE = "connection failed"
BROKEN = "answer broken off, or no JSON"
OVERSIZED = "answer too large"
BUSY = "server asked to wait too long"
BUDGET = "budget"
CONTEXT = "too long for the model"
CUT_OFF = "answer cut off at its limit"
NO_LIST = "answer holds no list"
TOO_LONG = "longer than --max-chars"
STOPPED = "stopped"
NOT_CALLED = "not called"


def of_status(status: int) -> str:
    """The reason for an HTTP status that was repeated in vain."""
    return f"HTTP status {status}"


@dataclass(frozen=True)
class CallFailedError(Exception):
    """A call that failed for one passage only; the others go on. reason: one of this module."""

    reason: str

    def __str__(self) -> str:
        return self.reason


class StoppedError(Exception):
    """The run ends: another call ended it, or Ctrl-C did."""
