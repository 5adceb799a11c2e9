"""Progress: how much of a painting is done, and how many seconds are left."""

from __future__ import annotations

from collections.abc import Sequence

EVERY_STEP = 120**2  # pixels, in whose time a step of a tiny picture is made


def _work(side: int) -> int:
    """What a step at this side takes, in units of a pixel."""
    return side**2 + EVERY_STEP


class Progress:
    """Counts steps over all scales, each as many pixels as it has, and some that every step costs.

    The first look at a scale is longer than its steps: the network is traced. It counts as extra
    seconds, for each scale that is still to come.
    """

    def __init__(self, sides: Sequence[int], steps: int, now: float) -> None:
        self.sides, self.steps = list(sides), steps  # the longer sides in pixels; steps at each
        self.scale, self.step = -1, 0  # where it stands: -1 before the first look
        self.last = now
        self.pace, self.extra = None, 0.0  # seconds: a pixel's share of a step; a first look

    def saw(self, side: int, now: float) -> None:
        """Count a look at the picture at this side."""
        lap, self.last = now - self.last, now
        if self.scale < 0 or side != self.sides[self.scale]:
            self.scale = self.sides.index(side) if side in self.sides else len(self.sides) - 1
            self.step, self.extra = 0, lap
        else:
            self.step += 1
            pace = lap / _work(side)
            self.pace = pace if self.pace is None else 0.7 * self.pace + 0.3 * pace

    def share(self) -> float:
        """How much of the work is done, from 0 to 1."""
        whole = sum(_work(side) * self.steps for side in self.sides)
        return 1 - self._left() / whole if whole else 1.0

    def seconds_left(self) -> float | None:
        """Estimate; None before there was a step to measure."""
        if self.pace is None:
            return None
        return self.pace * self._left() + self.extra * (len(self.sides) - 1 - self.scale)

    def _left(self) -> float:
        """What is left, in units of a pixel."""
        if self.scale < 0:
            return sum(_work(side) * self.steps for side in self.sides)
        coming = sum(_work(side) * self.steps for side in self.sides[self.scale + 1 :])
        return coming + _work(self.sides[self.scale]) * max(0, self.steps - self.step)
