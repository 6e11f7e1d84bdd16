"""Runs a command for as long as whoever started it lives: `python guard.py COMMAND …`, with a pipe for standard input.

When the pipe closes, even because that process was killed, the command and all that it started are ended.
"""

import os
import signal
import subprocess
import sys
import threading
import time

POLL_S, PATIENCE_S = 0.2, 5.0


def main() -> None:
    """Run the command until it ends, or until nobody holds the other end of the pipe."""
    signal.signal(signal.SIGTERM, lambda *_: None)  # a handler, not SIG_IGN, which the command would inherit
    child = subprocess.Popen(sys.argv[1:], stdin=subprocess.DEVNULL)
    left = threading.Event()
    threading.Thread(target=wait_for_end_of_pipe, args=(left,), daemon=True).start()
    while child.poll() is None and not left.wait(POLL_S):
        pass
    end_group(child)


def wait_for_end_of_pipe(left: threading.Event) -> None:
    """Set the event once standard input ends."""
    sys.stdin.buffer.read()
    left.set()


def end_group(child: "subprocess.Popen[bytes]") -> None:
    """End the command and what it started, this process with them."""
    os.killpg(0, signal.SIGTERM)
    until = time.monotonic() + PATIENCE_S
    while child.poll() is None and time.monotonic() < until:
        time.sleep(POLL_S)
    os.killpg(0, signal.SIGKILL)


if __name__ == "__main__":
    main()
