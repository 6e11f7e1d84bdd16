"""When a call is repeated, and after which pause: exponential backoff with jitter, and the server's Retry-After."""

import random
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

RETRIED = frozenset({408, 409, 425, 429})


def is_retried(status: int) -> bool:
    """Whether a call with this HTTP status is repeated: too early, too many, in conflict, or the server's fault."""
    return status in RETRIED or 500 <= status <= 599


@dataclass(frozen=True)
class Retries:
    """How often and when a call is repeated.

    n: repetitions at most. first_s: the pause before the first, in seconds; each next one is twice as long, up to
    longest_s. max_wait_s: a server that asks for a longer pause gets none: the call fails.
    """

    n: int = 5
    first_s: float = 0.5
    longest_s: float = 30.0
    max_wait_s: float = 60.0

    def pause_s(self, number: int) -> float:
        """The pause before a repetition in seconds, half of it random. number: from 0."""
        return random.uniform(0.5, 1.0) * min(self.longest_s, self.first_s * 2.0 ** min(number, 30))


def retry_after_s(value: str, now: datetime | None = None) -> float:
    """Read a Retry-After header, in seconds or as an HTTP date (RFC 9110, 10.2.3); 0 if it is neither.

    Returns seconds from `now`, at least 0.
    """
    text = value.strip()
    if text.isascii() and text.replace(".", "", 1).isdigit():
        return float(text)
    try:
        date = parsedate_to_datetime(text)
    except (ValueError, TypeError, IndexError):
        return 0.0
    aware = date if date.tzinfo else date.replace(tzinfo=UTC)
    return max(0.0, (aware - (now or datetime.now(UTC))).total_seconds())
