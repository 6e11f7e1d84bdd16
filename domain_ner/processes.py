"""Ends a worker process with the process that started it."""

import multiprocessing
import os
import threading


def end_with_parent() -> None:
    """End this process at once when the process that started it ends, even if that was killed. Call it first thing.

    A worker of a killed run would otherwise load its pipeline, or finish its batch, for nobody, and hold its files
    meanwhile. What it writes must survive that (a temporary file, then a rename).
    """
    parent = multiprocessing.parent_process()
    if parent is None:
        return

    def wait() -> None:
        parent.join()
        os._exit(1)

    threading.Thread(target=wait, name="end with parent", daemon=True).start()
