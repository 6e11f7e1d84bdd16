"""What the commands of the registry share: its place, and the time."""

import os
import time

REGISTRY = "assets/registry"
REGISTRY_HELP = "The registry: a folder, or a URL that fsspec opens (s3://, gs://, abfs://)."


def now() -> int:
    """The time in seconds since 1970; SOURCE_DATE_EPOCH, if it is set, as for reproducible builds."""
    given = os.environ.get("SOURCE_DATE_EPOCH", "")
    return int(given) if given.isdigit() else int(time.time())
