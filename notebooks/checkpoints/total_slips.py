"""Exercise 4: weights that count in one way of passing them alone, and numbers that are cut off."""

# ruff: noqa: E501
# (One line a sentence.)

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator

import numpy as np

from .verdict import FACTOR, PART, Finding

DEFAULTS = 10.0, 40.0  # alpha and beta in the notebook
EXACT = 2e-5  # relative: two products and a sum, which no hardware rounds further


def same_numbers(got: np.ndarray, expected: np.ndarray) -> bool:
    """All of them equal, each as far as float32 can tell."""
    return bool((abs(got - expected) <= EXACT * abs(expected)).all())


def way_finding(cases: list, got: np.ndarray, given: dict) -> Finding | None:
    """Weights that do not count where they are passed by position, or by name."""
    c, s, a, b = given.values()
    passed = np.array([case["weights"] != "default" for case in cases])
    by_name = np.array([bool(case["keywords"]) for case in cases])
    names = {"alpha and beta": (1, 1), "alpha": (1, 0), "beta": (0, 1)}
    for lost, way, other in ((~by_name, "position", "name"), (by_name, "name", "position")):
        for name, which in names.items():
            weights = [
                np.where(passed & lost & bool(ignored), default, w)
                for ignored, default, w in zip(which, DEFAULTS, (a, b), strict=True)
            ]
            if (passed & lost).any() and same_numbers(got, weights[0] * c + weights[1] * s):
                says = f"Passed by {other}, {name} can be used; passed by {way}, the default is taken. Leave the def line as it was, and use its names."
                return Finding("total-passed", 1, PART, says)
    return None


def _capped_finding(got: np.ndarray, given: dict) -> Finding | None:
    """A weight, a cost or a term that is kept below or above a number."""
    c, s, a, b = given.values()
    with np.errstate(all="ignore"):
        terms = np.stack([got - b * s, got - a * c])
        bounds = np.concatenate([terms, terms / (a, b), terms / (c, s), [got / (c + s)]])
        bounds = np.unique(np.round(bounds[np.isfinite(bounds) & (bounds > 1e-3)], 6))
    for bound, how in itertools.product(bounds, (np.minimum, np.maximum)):
        for what, cut, J in _with_bound(how, bound, given):
            whole = abs(np.stack(cut) - bound) > EXACT * bound  # else it is a constant
            if whole.any() and same_numbers(got, J):
                limit = "at most" if how is np.minimum else "at least"
                says = f"In your function {what} {limit} {bound:.4g} (clipped, min or max): take every number as it is."
                return Finding("total-clipped", 1, PART, says)
    return None


def _with_bound(how: Callable, bound: float, given: dict) -> Iterator[tuple[str, list, np.ndarray]]:
    """What is cut at a bound, in words; its numbers after that; the J that this gives."""
    for names in (
        ("alpha", "beta"),
        ("alpha",),
        ("beta",),
        ("J_content",),
        ("J_style",),
        ("J_content", "J_style"),
    ):
        made = given | {name: how(given[name], bound) for name in names}
        c, s, a, b = made.values()
        words = f"{' and '.join(names)} {'is' if len(names) == 1 else 'are'}"
        yield words, [made[name] for name in names], a * c + b * s
    c, s, a, b = given.values()
    content, style = how(a * c, bound), how(b * s, bound)
    yield "alpha*J_content is", [content], content + b * s
    yield "beta*J_style is", [style], a * c + style


def nearly_right(got: np.ndarray, right: np.ndarray, given: dict) -> Finding | None:
    """Right but for rounding, a number that is added, a limit, or small weights."""
    for digits in range(5):
        finest = 3e-7 * abs(got)  # what float32 can hold of it
        exact = (abs(got - np.round(got, digits)) <= finest).all()
        if exact and (abs(got - right) <= 0.51 * 0.1**digits + finest).all():
            says = f"Your result is rounded to {digits} decimals: leave that out."
            return Finding("total-rounded", 1, PART, says)
    rest = got - right
    if np.isfinite(rest).all() and (abs(rest - np.median(rest)) < EXACT * right).all():
        says = (
            f"Your function adds {rest.mean():.4g} to alpha*J_content + beta*J_style: leave it out."
        )
        return Finding("total-something-added", 1, FACTOR, says)
    wrong = ~(abs(got - right) <= EXACT * right)
    if wrong.sum() > 1 and (found := _capped_finding(got, given)):
        return found
    smaller = np.minimum(given["alpha"], given["beta"])
    if wrong.any() and (smaller[wrong] < 1).all():
        says = "It is right but where a weight is below 1, which is a weight as any other: is there an if?"
        return Finding("total-small-weight", 1, FACTOR, says)
    return None
