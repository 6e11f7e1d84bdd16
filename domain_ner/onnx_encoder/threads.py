"""Counts the processors that this process may use, also in a container."""

import math
import os
from pathlib import Path

CGROUP = Path("/sys/fs/cgroup")
# Environment variable: the number of threads that numeric libraries use.
OMP_THREADS = "OMP_NUM_THREADS"


def count_threads(wanted: int = 0, *, cgroup: Path = CGROUP) -> int:
    """Return `wanted`, or for 0 the number of threads to use: at least 1, at most the processors of this process.

    The number is limited by the processors the process is bound to, by the quota of its container (half a processor:
    one thread), and by OMP_NUM_THREADS. cgroup: the folder in which Linux keeps the quota.
    """
    if wanted > 0:
        return wanted
    is_bound = hasattr(os, "sched_getaffinity")
    limits = [len(os.sched_getaffinity(0)) if is_bound else os.cpu_count() or 1]
    limits += [math.ceil(quota) for quota in [_quota(cgroup)] if quota]
    given = os.environ.get(OMP_THREADS, "").partition(",")[0]
    limits += [int(given)] if given.isdigit() and int(given) else []
    return max(1, min(limits))


def _quota(cgroup: Path) -> float:
    """Processors that the container may use, 0 if there is no limit (cgroup v2, then v1)."""
    try:
        quota, period = (cgroup / "cpu.max").read_text(encoding="ascii").split()[:2]
    except (OSError, ValueError):
        try:
            quota = (cgroup / "cpu" / "cpu.cfs_quota_us").read_text(encoding="ascii").strip()
            period = (cgroup / "cpu" / "cpu.cfs_period_us").read_text(encoding="ascii").strip()
        except OSError:
            return 0.0
    if not quota.isdigit() or not period.isdigit() or int(period) == 0:  # `max`, or -1: no limit
        return 0.0
    return int(quota) / int(period)
