"""Between what a share lies that was seen in few cases. Knows no pipeline."""

from math import sqrt

# Two-sided, 95 %.
Z = 1.959964


def wilson_interval(n_correct: int, n: int, *, z: float = Z) -> tuple[float, float]:
    """Wilson's (1927) interval of a share, 0..1.

    n_correct: of n, which is at least 1. z: of the normal distribution for the level wanted; 95 % by default.
    """
    share, slack = n_correct / n, z * z / n
    centre, reach = share + slack / 2, z * sqrt(share * (1 - share) / n + slack / (4 * n))
    # At the ends rounding would go a hair beyond, or not quite there.
    low = 0.0 if not n_correct else max(0.0, (centre - reach) / (1 + slack))
    high = 1.0 if n_correct == n else min(1.0, (centre + reach) / (1 + slack))
    return low, high
