"""How many real frames of a film are hidden and drawn again. Apart from the evaluation itself, which loads torch: the
web server, the workers and the reaper ask only for the number."""

from __future__ import annotations

MAX_SAMPLES = 24
MIN_SAMPLES = 4
SHARE = 20  # at most one sample for so many gaps: an evaluation costs about a twentieth of the render at twice the rate


def most_samples(gaps: int) -> int:
    """How many frames of a film of so many gaps are hidden at most."""
    return min(MAX_SAMPLES, max(MIN_SAMPLES, gaps // SHARE), gaps // 2)
