"""The budget: how the seconds are shared out among scales and steps."""

from __future__ import annotations

import time
from collections.abc import Sequence

import numpy as np

from painter.recipe import Recipe


class Clock:
    """The progress of a scale, from 0 to 1, as a function of its steps done.

    With a budget of seconds, a coarse scale may use a quarter of what is left, or all of it if the
    next scale is out of reach; the learning rate follows this progress, so the schedule fits
    whatever the machine can do in the time. One step is made as long as there is any time: a first
    look, with its trace, is no measure of a step.
    """

    def __init__(self, start: float, recipe: Recipe, ratio: float = 0, styles: int = 1) -> None:
        """Begin a scale; `ratio` is the next one's side to its own, 0 if there is none."""
        self.start, self.ratio = start, ratio
        self.seconds, self.steps = recipe.seconds, recipe.limit()
        self.begun = self.lap = time.monotonic()
        self.looks = [self.begun]  # when each look at G ended
        self.targets = (1 + styles * recipe.style_scale**2) / 2  # passes without the way back

    def looked(self) -> float:
        """Note that a look at G has ended; give the seconds since the start."""
        self.looks.append(time.monotonic())
        return self.looks[-1] - self.start

    def __call__(self, step: int) -> float:
        by_steps = 0.0 if self.steps is None else step / self.steps if self.steps else 1.0
        if self.seconds is None:
            return by_steps
        (before, self.lap), used = (self.lap, time.monotonic()), time.monotonic() - self.begun
        left = self.seconds - (self.begun - self.start)
        allowed = left / 4 if self.ratio and not self.is_stuck() else left
        if step == 0 and used < left:
            return max(by_steps, min(used / allowed, 0.9))
        next_one = self.lap - before  # the next evaluation takes as long as this one
        return 1.0 if used + next_one > allowed else max(by_steps, used / allowed)

    def is_stuck(self) -> bool:
        """Whether a first step at the next scale would end after the seconds are over."""
        if self.seconds is None or not self.ratio:
            return False
        first = _first_step(self.looks, self.ratio, self.targets)
        return self.looks[-1] - self.start + first > self.seconds


def _first_step(looks: Sequence[float], ratio: float, targets: float) -> float:
    """Estimate the seconds to that first step; `looks` say when each look at G ended.

    The first one takes longer than the second: for the targets, as long as `targets` looks, and for
    the trace, which does not grow with the picture.
    """
    first, *later = np.diff(looks)
    look = min(later, default=first)
    grows = min(first - look, targets * look)
    return first - look - grows + (grows + 2 * look) * ratio**2
