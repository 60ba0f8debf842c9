"""When training sees pictures of which size, and how fast it learns meanwhile."""

from __future__ import annotations

import math
from dataclasses import dataclass

WARM_UP_SHARE = 0.1
FINAL_RATE_SHARE = 0.01


@dataclass(frozen=True, slots=True)
class Stage:
    """Small pictures first: most is learnt there, at a fraction of the time (Howard 2018, DAWNBench)."""

    size_px: int
    epochs: float


def sizes_by_step(stages: tuple[Stage, ...], steps_per_epoch: int) -> list[int]:
    """The size of each step's pictures, in pixels; each stage takes a step at least."""
    return [stage.size_px for stage in stages for _ in range(max(1, round(stage.epochs * steps_per_epoch)))]


def learning_rate(step: int, steps: int, peak: float) -> float:
    """Up in a straight line, then down along a cosine (Loshchilov & Hutter 2017, equation 5)."""
    warm_up = max(1, round(WARM_UP_SHARE * steps))
    if step < warm_up:
        return peak * (step + 1) / warm_up
    progress = (step - warm_up) / max(1, steps - warm_up)
    return peak * (FINAL_RATE_SHARE + (1 - FINAL_RATE_SHARE) * (1 + math.cos(math.pi * progress)) / 2)
