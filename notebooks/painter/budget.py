"""The budget: how the seconds are shared out among scales and steps."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

import numpy as np

from painter.recipe import Recipe


def clock(start: float, recipe: Recipe, last: bool) -> Callable[[int], float]:
    """Give the progress of a scale, from 0 to 1, as a function of its steps done.

    With a budget of seconds, a coarse scale may use a quarter of what is left; the learning rate
    follows this progress, so the schedule fits whatever the machine can do in the time. One step
    is made as long as there is any time: a first look, with its trace, is no measure of a step.
    """
    begun = lap = time.monotonic()
    left = None if recipe.seconds is None else recipe.seconds - (begun - start)
    allowed = left if last or left is None else left / 4
    steps = recipe.limit()

    def progress(step: int) -> float:
        nonlocal lap
        by_steps = 0.0 if steps is None else step / steps if steps else 1.0
        if allowed is None:
            return by_steps
        (before, lap), used = (lap, time.monotonic()), time.monotonic() - begun
        if step == 0 and used < left:
            return max(by_steps, min(used / allowed, 0.9))
        enough = used + (lap - before) > allowed  # if the next evaluation takes as long as this one
        return 1.0 if enough else max(by_steps, used / allowed)

    return progress


def is_late(seconds: float | None, start: float, laps: Sequence[float], ratio: float) -> bool:
    """Whether a first step with `ratio` times the side would end after the seconds are over."""
    return seconds is not None and laps[-1] - start + _first_step(laps, ratio) > seconds


def _first_step(laps: Sequence[float], ratio: float) -> float:
    """Estimate the seconds to that first step; `laps` say when each look at G ended.

    What the first look took longer than the second, for targets and the trace, does not grow.
    """
    first, *later = np.diff(laps)
    look = min(later, default=first)
    return first - look + 2 * look * ratio**2
