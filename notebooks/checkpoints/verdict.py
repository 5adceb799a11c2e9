"""What a checkpoint says: exercises, mistakes, findings, verdicts, shares of points."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

TOLERANCE = 2e-3  # of the largest expected entry: GPUs with TF32 err by up to 6e-4
SLIP = 0.8  # values and gradients right; shape (1,), dtype, tf.function or one gradient wrong
NO_GRADIENT = 0.6  # values right, gradient missing or wrong; in train_step one line wrong
FACTOR = 0.5  # one thing too many or missing: a factor, a row, a mean subtracted, a ReLU ...
FOLLOWS = 0.8  # right itself, but it calls an earlier function that is not
PART = 0.3  # one idea of the formula wrong (difference not squared, wrong layer ...)
TWO = 0.2  # two of these mistakes at once


@dataclass(frozen=True)
class Verdict:
    """What a judge found. `mistake` is a short stable id, "" when right."""

    exercise: str
    points: int
    possible: int
    diagnosis: str = ""
    expected: str = ""
    got: str = ""
    hint: str = ""
    mistake: str = ""


@dataclass(frozen=True)
class Mistake:
    """A known mistake: the `formula` that gives its result, and the sentence that names it."""

    id: str
    hint: int  # its number in the notebook, above the exercise; 0: none of the hints is about this
    credit: float  # share of the points: FACTOR, PART ... above
    formula: Callable | None  # NumPy in float64
    says: str
    any_factor: bool = False  # the factor belongs to it: another one is no second mistake


@dataclass(frozen=True)
class Finding:
    """What a diagnosis found, before it becomes a `Verdict`."""

    id: str
    hint: int  # 0: none of the hints is about this
    credit: float
    says: str


@dataclass(frozen=True)
class Exercise:
    """An exercise: how its inputs are drawn, how answers are judged, which hints it has."""

    name: str  # of the student's function
    number: int
    points: int
    short: str  # its mistakes' ids start with it
    cases: Callable[[np.random.Generator], list[dict]]
    judge_facts: Callable[[list, list], Verdict]
    more: tuple[str, ...]  # the second stage of each hint. Never the solution
    topics: dict[str, int] = field(default_factory=dict)  # topic -> the hint about it, if not 1
    tolerance: float = TOLERANCE
    zero: str = ""  # what to ask when the result is always 0

    def judge(self, cases: list[dict], observations) -> Verdict:
        """The verdict; never an exception, whatever the observations are."""
        try:
            with np.errstate(all="ignore"):
                return self.judge_facts(cases, observations)
        except Exception as error:
            return self.verdict(self.malformed(f" ({type(error).__name__})"))

    @property
    def has_dims(self) -> bool:
        """Does its formula hold n_H, n_W and n_C?"""
        return "dims" in self.topics

    def malformed(self, why: str = "") -> Finding:
        """For facts that no honest observer reports."""
        return self.finding("malformed", 1, 0, f"The observations are malformed{why}.")

    def finding(self, mistake: str, hint: int | str, credit: float, says: str) -> Finding:
        """A finding of this exercise; `hint` is its number, or the topic that it is about."""
        number = self.topics.get(hint, 0) if isinstance(hint, str) else hint
        return Finding(f"{self.short}-{mistake}", number, credit, says)

    def verdict(self, found: Finding | None, expected: str = "", got: str = "") -> Verdict:
        """The `Verdict` for a finding; None means right."""
        if found is None:
            return Verdict(self.name, self.points, self.points)
        hint = f"hint {found.hint} of Exercise {self.number}" if found.hint else ""
        points = int(self.points * found.credit)
        if found.id == f"{self.short}-not-written":  # nothing was computed that could be compared
            expected = got = ""
        return Verdict(self.name, points, self.points, found.says, expected, got, hint, found.id)
