"""Progress: how much of a painting is done, and how many seconds are left."""

from __future__ import annotations

from collections.abc import Sequence


class Progress:
    """Counts steps over all scales; a step with twice the side is taken to last four times as long.

    The first look at a scale is longer than its steps: the network is traced. It counts as extra
    seconds, for each scale that is still to come.
    """

    def __init__(self, sides: Sequence[int], steps: int, now: float) -> None:
        self.sides, self.steps = list(sides), steps  # the longer sides in pixels; steps at each
        self.scale, self.step = -1, 0  # where it stands: -1 before the first look
        self.last = now
        self.pace, self.extra = None, 0.0  # seconds: a step at 1 pixel; a first look

    def saw(self, side: int, now: float) -> None:
        """Count a look at the picture at this side."""
        lap, self.last = now - self.last, now
        if self.scale < 0 or side != self.sides[self.scale]:
            self.scale = self.sides.index(side) if side in self.sides else len(self.sides) - 1
            self.step, self.extra = 0, lap
        else:
            self.step += 1
            pace = lap / side**2
            self.pace = pace if self.pace is None else 0.7 * self.pace + 0.3 * pace

    def share(self) -> float:
        """How much of the work is done, from 0 to 1."""
        whole = sum(side**2 * self.steps for side in self.sides)
        return 1 - self._left() / whole if whole else 1.0

    def seconds_left(self) -> float | None:
        """Estimate; None before there was a step to measure."""
        if self.pace is None:
            return None
        return self.pace * self._left() + self.extra * (len(self.sides) - 1 - self.scale)

    def _left(self) -> float:
        """Steps that are left, in units of a step at 1 pixel."""
        if self.scale < 0:
            return sum(side**2 * self.steps for side in self.sides)
        coming = sum(side**2 * self.steps for side in self.sides[self.scale + 1 :])
        return coming + self.sides[self.scale] ** 2 * max(0, self.steps - self.step)
