"""The memory of a process that a test starts."""

from pathlib import Path

# Code for such a process. Not `ru_maxrss`: that is at least what the process which started it had. Nor does a peak tell
# how much was kept, where pages of libraries were read before it and given back.
MEMORY = """
def memory_mb(name):
    with open("/proc/self/status") as status:
        return next(int(line.split()[1]) / 1024 for line in status if line.startswith(name))
"""
PEAK, KEPT = "VmHWM", "RssAnon"


def peak_mb(pid):
    """The peak of a process that runs; 0 once it has ended."""
    lines = Path(f"/proc/{pid}/status").read_text("ascii").splitlines()
    return next((int(line.split()[1]) / 1024 for line in lines if line.startswith(PEAK)), 0)
