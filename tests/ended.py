"""Whether processes that should end with another do."""

import time
from contextlib import suppress
from pathlib import Path


def outlives(pid: int, wait_s: float = 10.0) -> bool:
    """Whether a process still runs after some seconds. One that ended and that nobody waited for does not run."""
    end = time.monotonic() + wait_s
    while is_running(pid):
        if time.monotonic() > end:
            return True
        time.sleep(0.05)
    return False


def is_running(pid: int) -> bool:
    with suppress(OSError):
        return Path(f"/proc/{pid}/stat").read_text(encoding="utf8").rpartition(")")[2].split()[0] != "Z"
    return False
